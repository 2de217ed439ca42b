import boto3
import pytest
from moto import mock_aws

from image_classifier.check import upload as check
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Image, Model, Times, predicted, rejected

UPLOAD = check.CheckUpload("digits/incoming/.check/run.jpg", "digits/predictions/.check/run.jpg.json")
TIMES = Times("2026-01-01T00:00:00+00:00", "2026-01-01T00:00:01+00:00", endpoint_ms=5.0, total_ms=1000.0)
IMAGE = Image("a-bucket", UPLOAD.image_key, "v1", "etag", 10, "01", 28, 28)


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        client = boto3.Session("testing", "testing", region_name="us-east-1").client("s3")
        client.create_bucket(Bucket="a-bucket")
        client.put_bucket_versioning(Bucket="a-bucket", VersioningConfiguration={"Status": "Enabled"})
        yield client


def record_of(training_job):
    model = Model(training_job, "endpoint", "config", labels_sha256="0")
    return predicted(IMAGE, probabilities=[0.9, 0.1], labels=["7", "8"], unsure_below=0.5, model=model, times=TIMES)


def store(s3, record):
    s3.put_object(Bucket="a-bucket", Key=UPLOAD.record_key, Body=record.as_json())


def test_a_runs_id_becomes_a_key_that_needs_no_encoding():
    upload = check.check_upload("digits", run_id="manual__2026-01-01T00:00:00.5+00:00")

    assert upload.image_key == "digits/incoming/.check/manual__2026-01-01T00-00-00.5-00-00.jpg"
    assert upload.record_key == "digits/predictions/.check/manual__2026-01-01T00-00-00.5-00-00.jpg.json"


def test_a_record_exists_from_its_writing_to_its_deletion(s3):
    assert not check.has_record(s3, bucket="a-bucket", upload=UPLOAD)
    store(s3, record_of("job-1"))
    assert check.has_record(s3, bucket="a-bucket", upload=UPLOAD)
    check.forget_record(s3, bucket="a-bucket", upload=UPLOAD)
    assert not check.has_record(s3, bucket="a-bucket", upload=UPLOAD)
    check.forget_record(s3, bucket="a-bucket", upload=UPLOAD)  # again


def test_uploading_again_makes_a_new_version_of_the_same_image(s3):
    s3.put_object(Bucket="a-bucket", Key="digits/known.jpg", Body=b"image", ContentType="image/jpeg")
    first = s3.put_object(Bucket="a-bucket", Key=UPLOAD.image_key, Body=b"image")

    check.upload_known_image(s3, bucket="a-bucket", known_image="digits/known.jpg", upload=UPLOAD)

    found = s3.get_object(Bucket="a-bucket", Key=UPLOAD.image_key)
    assert found["VersionId"] != first["VersionId"]
    assert (found["Body"].read(), found["ContentType"]) == (b"image", "image/jpeg")


def test_the_record_of_the_model_that_was_deployed_is_the_proof(s3):
    store(s3, record_of("job-1"))

    record = check.confirm_prediction(s3, bucket="a-bucket", upload=UPLOAD, training_job="job-1")

    assert (record.status, record.label) == ("predicted", "7")


def test_a_record_of_another_model_is_no_proof(s3):
    store(s3, record_of("job-0"))

    with pytest.raises(PredictionError, match="answered by job-0, expected job-1"):
        check.confirm_prediction(s3, bucket="a-bucket", upload=UPLOAD, training_job="job-1")


def test_a_rejection_is_reported_with_its_reason(s3):
    store(s3, rejected(IMAGE, code="truncated", sentence="The file ends early.", times=TIMES))

    with pytest.raises(PredictionError, match="truncated, The file ends early"):
        check.confirm_prediction(s3, bucket="a-bucket", upload=UPLOAD, training_job="job-1")


def test_a_missing_record_is_reported_with_where_to_look():
    message = str(check.missing_record(bucket="a-bucket", upload=UPLOAD, classifier="digits"))

    assert "s3://a-bucket/digits/predictions/.check/run.jpg.json" in message
    assert "/aws/lambda/image-classifier-digits" in message
    assert "five minutes" in message
