"""Checks that a record is written only if no newer one was written meanwhile."""

import io

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from image_classifier.contracts import predictions
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Image, Times
from image_classifier_inference.records import ATTEMPTS, store

SESSION = boto3.Session("testing", "testing", region_name="us-east-1")
KEY = "pets/predictions/a.json"
TIMES = Times("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.000Z", endpoint_ms=None, total_ms=1.0)


class Bucket:
    """A stubbed S3 client that allows exactly the calls of a test, in order."""

    def __init__(self):
        self.client = SESSION.client("s3")
        self.stubber = Stubber(self.client)
        self.stubber.activate()
        self.pauses_s = []

    def put(self, *, error=None, **condition):
        request = {"Bucket": "bucket", "Key": KEY, "Body": ANY, "ContentType": "application/json", **condition}
        if error:
            code, status = error
            self.stubber.add_client_error("put_object", code, http_status_code=status, expected_params=request)
        else:
            self.stubber.add_response("put_object", {}, request)

    def get(self, body, *, etag='"1"'):
        content = {"Body": StreamingBody(io.BytesIO(body), len(body)), "ETag": etag}
        self.stubber.add_response("get_object", content, {"Bucket": "bucket", "Key": KEY})

    def store(self, prediction):
        return store(self.client, prediction, key=KEY, pause=self.pauses_s.append)


@pytest.fixture
def bucket():
    bucket = Bucket()
    yield bucket
    bucket.stubber.assert_no_pending_responses()


def record(sequencer):
    image = Image("bucket", "pets/incoming/a", None, None, bytes=0, sequencer=sequencer)
    return predictions.rejected(image, code="empty", sentence="The file is empty.", times=TIMES)


EXISTS = ("PreconditionFailed", 412)
BUSY = ("ConditionalRequestConflict", 409)
GONE = ("NoSuchKey", 404)


def test_a_first_record_is_written_if_there_is_none(bucket):
    bucket.put(IfNoneMatch="*")

    assert bucket.store(record("0A")) == record("0A")


def test_the_record_of_an_earlier_upload_is_replaced_if_it_is_unchanged(bucket):
    bucket.put(IfNoneMatch="*", error=EXISTS)
    bucket.get(record("0A").as_json(), etag='"earlier"')
    bucket.put(IfMatch='"earlier"')

    assert bucket.store(record("0B")) == record("0B")


@pytest.mark.parametrize("stored", ["0B", "0C"])
def test_the_record_of_the_same_or_a_later_upload_stays(bucket, stored):
    bucket.put(IfNoneMatch="*", error=EXISTS)
    bucket.get(record(stored).as_json())

    assert bucket.store(record("0B")) == record(stored)


@pytest.mark.parametrize("collision", [EXISTS, BUSY, GONE])
def test_a_collision_is_decided_again(bucket, collision):
    bucket.put(IfNoneMatch="*", error=EXISTS)
    bucket.get(record("0A").as_json(), etag='"1"')
    bucket.put(IfMatch='"1"', error=collision)
    bucket.get(record("0C").as_json(), etag='"2"')

    assert bucket.store(record("0B")) == record("0C")


def test_a_record_that_was_deleted_meanwhile_is_written_if_there_is_none(bucket):
    bucket.put(IfNoneMatch="*", error=BUSY)
    bucket.stubber.add_client_error("get_object", "NoSuchKey", http_status_code=404)
    bucket.put(IfNoneMatch="*")

    assert bucket.store(record("0A")) == record("0A")


def test_what_is_no_record_is_replaced(bucket):
    bucket.put(IfNoneMatch="*", error=EXISTS)
    bucket.get(b"<html>", etag='"odd"')
    bucket.put(IfMatch='"odd"')

    assert bucket.store(record("0A")) == record("0A")


def test_collisions_end_in_an_error_that_names_the_record(bucket):
    for _ in range(ATTEMPTS):
        bucket.put(error=EXISTS, **({"IfNoneMatch": "*"} if _ == 0 else {"IfMatch": '"1"'}))
        bucket.get(record("0A").as_json())

    with pytest.raises(PredictionError, match=KEY):
        bucket.store(record("0B"))

    assert len(bucket.pauses_s) == ATTEMPTS - 1


def test_another_failure_is_not_taken_for_a_collision(bucket):
    bucket.put(IfNoneMatch="*", error=("AccessDenied", 403))

    with pytest.raises(ClientError, match="AccessDenied"):
        bucket.store(record("0A"))
