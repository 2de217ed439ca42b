"""Checks the steps of the group check: one upload, which must get its record."""

import json

import pytest

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import NotificationGoneError, PredictionError
from image_classifier_airflow.steps import clients
from image_classifier_airflow.steps.check import CheckSteps

DIGITS = Classifier(name="digits", source="digits")
BUCKET = "a-bucket"
QUEUE_ARN = "arn:aws:sqs:us-east-1:123456789012:failures"
RUN = "manual__2026-01-01T00:00:00+00:00"
JOB = {"training_job": "job-1"}
DATASET = {"check_images": [{"key": "digits/dataset/validation/7/a.jpg", "label": "7"}]}


@pytest.fixture
def s3(aws):
    return aws.s3


@pytest.fixture
def checks():
    return CheckSteps(DIGITS)


def test_the_check_starts_without_an_earlier_record(checks, s3):
    plan = checks.plan_check(DATASET, RUN)
    s3.put_object(Bucket=BUCKET, Key=plan["record"], Body=b"an earlier try's")

    assert checks.plan_check(DATASET, RUN) == plan
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix=plan["record"])
    assert plan["known_image"] == "digits/dataset/validation/7/a.jpg"
    assert plan["image"].startswith("digits/incoming/.check/manual__2026-01-01")


def set_notification(s3):
    s3.put_bucket_notification_configuration(
        Bucket=BUCKET,
        NotificationConfiguration={
            "QueueConfigurations": [
                {"Id": "image-classifier-digits", "QueueArn": QUEUE_ARN, "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )


@pytest.mark.parametrize("is_there", [True, False], ids=["still there", "removed by an earlier try of the run"])
def test_a_record_that_did_not_come_is_asked_for_again_by_another_upload(checks, s3, is_there):
    plan = checks.plan_check(DATASET, RUN)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object(Bucket=BUCKET, Key=plan["known_image"], Body=b"image")
    first = s3.put_object(Bucket=BUCKET, Key=plan["image"], Body=b"image")
    if not is_there:
        s3.delete_object(Bucket=BUCKET, Key=plan["image"])
    set_notification(s3)

    with pytest.raises(PredictionError, match="No prediction record"):
        checks.confirm_prediction(plan, JOB)

    assert s3.head_object(Bucket=BUCKET, Key=plan["image"])["VersionId"] != first["VersionId"]


def test_a_run_that_was_torn_down_during_the_check_does_not_upload_again(checks, s3):
    plan = checks.plan_check(DATASET, RUN)
    first = s3.put_object(Bucket=BUCKET, Key=plan["image"], Body=b"image")

    with pytest.raises(NotificationGoneError, match="no event notification image-classifier-digits"):
        checks.confirm_prediction(plan, JOB)

    assert s3.head_object(Bucket=BUCKET, Key=plan["image"])["ETag"] == first["ETag"]
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix=plan["record"])


@pytest.fixture
def invoked(monkeypatch):
    """The requests to invoke the function."""
    requests = []
    functions = type("Functions", (), {"invoke": lambda _, **request: requests.append(request)})()
    monkeypatch.setattr(clients, "functions", lambda _: functions)
    return requests


def test_the_image_is_uploaded_and_no_function_invoked_where_an_event_does(checks, s3, invoked):
    plan = checks.plan_check(DATASET, RUN)
    s3.put_object(Bucket=BUCKET, Key=plan["known_image"], Body=b"image")

    checks.upload_known_image(plan)

    assert s3.get_object(Bucket=BUCKET, Key=plan["image"])["Body"].read() == b"image"
    assert invoked == []


@pytest.mark.parametrize("is_missing", [False, True], ids=["before the record is awaited", "as no record came"])
def test_a_paused_trigger_is_checked_by_invoking_the_function(s3, invoked, is_missing):
    checks = CheckSteps(DIGITS.revised({"trigger": "paused"}))
    plan = checks.plan_check(DATASET, RUN)
    s3.put_object(Bucket=BUCKET, Key=plan["known_image"], Body=b"image")

    if is_missing:
        with pytest.raises(PredictionError, match="No prediction record"):
            checks.confirm_prediction(plan, JOB)
    else:
        checks.upload_known_image(plan)

    [request] = invoked
    [record] = json.loads(request["Payload"])["Records"]
    assert (request["FunctionName"], request["Qualifier"]) == ("image-classifier-digits", "live")
    assert record["s3"]["object"]["key"] == plan["image"]
