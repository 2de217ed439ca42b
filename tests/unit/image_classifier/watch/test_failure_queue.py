"""Checks that a message of the failure queue is replayed, becomes a failed record, or stays and is reported."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from image_classifier.classify_existing.replays import MOST_ATTEMPTS
from image_classifier.contracts import predictions
from image_classifier.contracts.predictions import Image, Prediction, Times
from image_classifier.watch.failure_queue import ATTEMPTS, FailureQueue

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-pets:live"
KEY = "pets/incoming/a b.jpg"


def waiting_messages(sqs, *, url):
    """How many messages the queue holds, received ones included."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    return sum(map(int, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()))


class Functions:
    def __init__(self):
        self.events, self.errors = [], {}  # an error code by the function's name

    def invoke(self, **request):
        if code := self.errors.get(request["FunctionName"]):
            raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Invoke")
        self.events.append(json.loads(request["Payload"]))
        return {"StatusCode": 202}


@pytest.fixture
def queue(s3):
    """The queue, with `send` and `drain`."""
    with mock_aws():
        sqs = boto3.Session("testing", "testing", region_name="us-east-1").client("sqs")
        url = sqs.create_queue(QueueName="failures")["QueueUrl"]
        functions = Functions()
        queue = FailureQueue(sqs, functions, s3, url=url, bucket="pictures")
        queue.errors = functions.errors
        queue.events, queue.waiting = functions.events, lambda: waiting_messages(sqs, url=url)
        queue.send = lambda body: sqs.send_message(
            QueueUrl=url, MessageBody=body if isinstance(body, str) else json.dumps(body)
        )
        yield queue


def failed_event(*, key="pets/incoming/a+b.jpg", version=None, **fields):
    described = {"key": key, "size": 5, **({"versionId": version} if version else {})}
    record = {"eventName": "ObjectCreated:Put", "s3": {"bucket": {"name": "pictures"}, "object": described}, **fields}
    return {
        "requestContext": {"functionArn": FUNCTION, "condition": "RetriesExhausted"},
        "requestPayload": {"Records": [record]},
        "responsePayload": {"errorMessage": "1 of 1 image(s) failed", "errorType": "PredictionError"},
    }


def drain(queue):
    return queue.drain(is_over=lambda: False)


def test_a_failed_event_is_replayed_and_its_message_deleted(queue, s3):
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    queue.send(failed_event())

    assert drain(queue).replayed == 1
    assert queue.events[0]["Records"][0][ATTEMPTS] == 1
    assert queue.waiting() == 0


def test_after_the_last_attempt_the_record_says_why(queue, s3):
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    queue.send(failed_event(**{ATTEMPTS: MOST_ATTEMPTS}))

    assert drain(queue).given_up == 1
    record = Prediction.from_json(s3.get_object(Bucket="pictures", Key="pets/predictions/a b.jpg.json")["Body"].read())
    assert (record.status, record.reason.sentence) == ("failed", "1 of 1 image(s) failed")
    assert queue.waiting() == 0


def test_an_image_with_an_answer_is_not_given_up(queue, s3):
    """A replay of the full pass may have succeeded in the meantime."""
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    image = Image("pictures", KEY, None, None, bytes=5, sequencer=None)
    times = Times("2099-01-01T00:00:00Z", "2099-01-01T00:00:01Z", endpoint_ms=None, total_ms=1.0)
    answer = predictions.rejected(image, code="empty", sentence="The file is empty.", times=times).as_json()
    s3.put_object(Bucket="pictures", Key="pets/predictions/a b.jpg.json", Body=answer)
    queue.send(failed_event(**{ATTEMPTS: MOST_ATTEMPTS}))

    drained = drain(queue)

    assert (drained.given_up, drained.obsolete, queue.waiting()) == (0, 1, 0)
    assert s3.get_object(Bucket="pictures", Key="pets/predictions/a b.jpg.json")["Body"].read() == answer


def test_an_object_outside_the_classifiers_uploads_is_not_replayed(queue, s3):
    s3.put_object(Bucket="pictures", Key="pets/models/a.jpg", Body=b"image")
    queue.send(failed_event(key="pets/models/a.jpg"))

    assert drain(queue).obsolete == 1
    assert (queue.events, queue.waiting()) == ([], 0)


def test_a_replay_keeps_the_generation_of_its_event(queue, s3):
    """Otherwise the record of an image that is classified again would not replace the earlier model's."""
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    queue.send(failed_event(generation=1767225600000))
    drain(queue)

    assert queue.events[0]["Records"][0]["generation"] == 1767225600000


def test_an_image_that_was_deleted_is_done(queue):
    queue.send(failed_event())

    assert drain(queue).obsolete == 1
    assert (queue.events, queue.waiting()) == ([], 0)


def test_an_image_that_was_overwritten_is_left_to_the_newer_event(queue, s3):
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    queue.send(failed_event(version="an-older-version"))

    assert drain(queue).obsolete == 1
    assert queue.events == []


def lambda_message(record):
    return json.dumps({**failed_event(), "requestPayload": {"Records": [record]}})


UNREADABLE = {
    "no JSON": "no JSON",
    "no event": "{}",
    "a list": "[]",
    "a number": "5",
    "nested too deeply": "[" * 100_000,
    "somebody else's function": '{"requestContext": {"functionArn": "a:function:theirs"}}',
    "no function's ARN": '{"requestContext": {"functionArn": "image-classifier-pets"}}',
    "a number as key": lambda_message({"s3": {"object": {"key": 5}}}),
    "an empty key": lambda_message({"s3": {"object": {"key": ""}}}),
    "half a character": lambda_message({"s3": {"object": {"key": "pets/incoming/\ud800.jpg"}}}),
    "endless attempts": lambda_message({"s3": {"object": {"key": "a"}}, ATTEMPTS: float("inf")}),
    "an upload queue's number as key": '{"Records": [{"s3": {"object": {"key": 5}}}]}',
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_a_message_that_cannot_be_read_stays_and_is_named(queue, body):
    queue.send(body)

    assert len(drain(queue).unreadable) == 1
    assert queue.waiting() == 1


def test_a_message_of_an_upload_queue_is_replayed_too(queue, s3):
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    queue.send({"Records": failed_event()["requestPayload"]["Records"]})

    assert drain(queue).replayed == 1
    assert queue.waiting() == 0


def test_a_message_that_aws_refuses_stays_and_the_others_are_handled(queue, s3):
    """Throttling of one classifier's function is no reason to leave the others' images without a record."""
    for classifier in ("cats", "pets"):
        s3.put_object(Bucket="pictures", Key=f"{classifier}/incoming/a.jpg", Body=b"image")
        queue.send({"Records": failed_event(key=f"{classifier}/incoming/a.jpg")["requestPayload"]["Records"]})
    queue.errors["image-classifier-cats"] = "TooManyRequestsException"

    drained = drain(queue)

    assert (drained.replayed, queue.waiting()) == (1, 1)
    assert ["TooManyRequestsException" in why for why in drained.unhandled.values()] == [True]


def test_an_image_whose_function_was_torn_down_is_left_to_a_full_pass(queue, s3):
    """The teardown may keep the images; a full pass finds them once a function is deployed again."""
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    queue.send(failed_event())
    queue.errors["image-classifier-pets"] = "ResourceNotFoundException"

    drained = drain(queue)

    assert (drained.obsolete, drained.replayed, queue.waiting()) == (1, 0, 0)
