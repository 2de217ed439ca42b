"""Checks which of two records is stored, also if others write at the same moment."""

import json
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from image_classifier.classify_existing.records import ATTEMPTS, Target, store_record
from image_classifier.contracts.errors import ResourceBusyError
from image_classifier.contracts.predictions import Image, Times, rejected

TARGET = Target("pets", "pictures")
KEY = "pets/predictions/a.png.json"
IMAGE = Image(bucket="pictures", key="pets/incoming/a.png", version_id="v1", etag=None, bytes=1, sequencer=None)
AT = "2026-11-28T05:00:00.000Z"
RECORD = rejected(IMAGE, code="broken", sentence="It is broken.", times=Times(AT, AT, None, 1.0))
LATER = replace(RECORD, generation=5)


def stored(s3):
    return json.loads(s3.get_object(Bucket="pictures", Key=KEY)["Body"].read())


def collision(status):
    return ClientError({"Error": {"Code": "x"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")


@pytest.fixture
def collide(s3, monkeypatch):
    """The next writes collide with others' writes; returns the conditions of all writes."""
    put, conditions = s3.put_object, []

    def of(*statuses):
        waiting = list(statuses)

        def put_object(**request):
            conditions.append({name: request[name] for name in ("IfMatch", "IfNoneMatch") if name in request})
            if waiting:
                raise collision(waiting.pop(0))
            return put(**request)

        monkeypatch.setattr(s3, "put_object", put_object)
        return conditions

    return of


def test_a_later_record_replaces_an_earlier_one_and_not_vice_versa(s3):
    assert store_record(s3, TARGET, RECORD) is RECORD
    assert store_record(s3, TARGET, LATER) is LATER
    assert store_record(s3, TARGET, RECORD) == LATER
    assert stored(s3)["generation"] == 5


@pytest.mark.parametrize("status", [404, 409, 412])  # deleted, written at the same moment, or changed since
def test_a_write_that_collides_is_decided_again(s3, collide, status):
    conditions = collide(status)

    assert store_record(s3, TARGET, RECORD) is RECORD
    assert conditions == [{"IfNoneMatch": "*"}] * 2


def test_a_record_that_others_keep_changing_is_left_to_another_try(s3, collide):
    conditions = collide(*[412] * ATTEMPTS)

    with pytest.raises(ResourceBusyError, match=f"changed by others {ATTEMPTS} times"):
        store_record(s3, TARGET, RECORD)
    assert len(conditions) == ATTEMPTS


def test_a_refused_write_is_no_collision(s3, collide):
    collide(403)

    with pytest.raises(ClientError):
        store_record(s3, TARGET, RECORD)


def test_an_object_that_is_no_record_is_replaced_if_nobody_changed_it(s3, collide):
    etag = s3.put_object(Bucket="pictures", Key=KEY, Body=b"no record")["ETag"]
    conditions = collide()

    assert store_record(s3, TARGET, RECORD) is RECORD
    assert conditions == [{"IfMatch": etag}]
    assert stored(s3)["reason"]["code"] == "broken"
