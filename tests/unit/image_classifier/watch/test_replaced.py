"""Checks that an image uploaded again is classified, also if the earlier upload's record is written later."""

import dataclasses
import json
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from image_classifier.classify_existing.records import Target
from image_classifier.contracts import predictions
from image_classifier.contracts.predictions import Image, Times
from image_classifier.watch.replaced import ReplacedImages

KEY, RECORD = "pets/incoming/a b.jpg", "pets/predictions/a b.jpg.json"
TIMES = Times("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z", endpoint_ms=None, total_ms=1.0)


@pytest.fixture
def uploaded(s3):
    """Upload the image with a body; returns the record that its event gives."""

    def put(body):
        etag = s3.put_object(Bucket="pictures", Key=KEY, Body=body)["ETag"].strip('"')
        image = Image("pictures", KEY, None, etag, bytes=len(body), sequencer=None)
        return predictions.rejected(image, code="empty", sentence="The file is empty.", times=TIMES)

    return put


@pytest.fixture
def replayed(s3):
    """The ETags of the images that are replayed after new records were seen."""

    def see(*records):
        events = []
        functions = SimpleNamespace(invoke=lambda **request: events.append(json.loads(request["Payload"])))
        count = ReplacedImages(functions, s3, Target("pets", "pictures")).replay([one.as_json() for one in records])
        assert count == len(events)
        return [record["s3"]["object"]["eTag"] for event in events for record in event["Records"]]

    return see


def store(s3, record):
    s3.put_object(Bucket="pictures", Key=RECORD, Body=record.as_json())


def test_a_late_record_of_an_earlier_upload_leads_to_a_replay_of_the_image(s3, uploaded, replayed):
    first = uploaded(b"first")
    second = uploaded(b"second")
    store(s3, first)

    assert replayed(first) == [second.image.etag]


def test_an_image_with_its_own_record_is_not_replayed(s3, uploaded, replayed):
    record = uploaded(b"first")
    store(s3, record)

    assert replayed(record) == []


def test_an_image_whose_record_came_earlier_is_not_replayed(s3, uploaded, replayed):
    first = uploaded(b"first")
    store(s3, uploaded(b"second"))

    assert replayed(first) == []


def test_an_image_that_is_newer_than_its_record_is_left_to_the_full_pass(s3, uploaded, replayed, monkeypatch):
    first = uploaded(b"first")
    store(s3, first)
    later = s3.head_object(Bucket="pictures", Key=RECORD)["LastModified"].replace(year=2099)
    uploaded(b"second")
    head = s3.head_object
    monkeypatch.setattr(s3, "head_object", lambda **request: {**head(**request), "LastModified": later})

    assert replayed(first) == []


def test_a_deleted_image_is_not_replayed(s3, uploaded, replayed):
    first = uploaded(b"first")
    s3.delete_object(Bucket="pictures", Key=KEY)

    assert replayed(first) == []


@pytest.mark.parametrize("operation", ["head_object", "get_object"])
def test_an_object_that_may_not_be_read_fails_the_check(s3, uploaded, replayed, monkeypatch, operation):
    """Otherwise every image would seem to be deleted, and the check would find nothing."""
    first = uploaded(b"first")
    store(s3, first)
    uploaded(b"second")
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, operation)
    monkeypatch.setattr(s3, operation, Mock(side_effect=refused))

    with pytest.raises(ClientError, match="AccessDenied"):
        replayed(first)


def test_an_image_whose_stored_record_cannot_be_read_is_replayed(s3, uploaded, replayed):
    first = uploaded(b"first")
    second = uploaded(b"second")
    s3.put_object(Bucket="pictures", Key=RECORD, Body=b"{}")

    assert replayed(first, dataclasses.replace(first, generation=2)) == [second.image.etag]
