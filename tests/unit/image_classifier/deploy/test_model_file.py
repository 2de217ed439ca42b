"""Checks that the function can read the file that is written beside a model."""

import json
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.labels import labels_document
from image_classifier.contracts.pixels import PixelParameters
from image_classifier.deploy.model_file import publish_model_file, read_labels
from image_classifier_inference.models import ModelFiles

PLACE = {"bucket": "a-bucket", "labels_key": "digits/versions/labels.json", "training_job": "job-1"}


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        client = boto3.Session("testing", "testing", region_name="us-east-1").client("s3")
        client.create_bucket(Bucket="a-bucket")
        client.put_object(Bucket="a-bucket", Key="digits/versions/labels.json", Body=labels_document(["7", "8"]))
        yield client


def classifier(**pixels):
    return Classifier(name="digits", source="digits", hyperparameters={"image_shape": "3,28,28"}, pixels=pixels)


def test_the_function_reads_the_labels_and_the_pixels_that_were_written(s3):
    key = publish_model_file(s3, classifier=classifier(fit="crop", jpeg_quality=80), **PLACE)

    model = ModelFiles(s3, models_prefix="digits/models/").of("job-1", bucket="a-bucket")
    assert key == "digits/models/job-1/model.json"
    assert model.labels == read_labels(s3, bucket="a-bucket", key=key) == ("7", "8")
    assert (model.pixels, model.unmodified) == (PixelParameters(28, "crop", 80), False)


def test_a_model_of_images_as_they_are_says_so(s3):
    publish_model_file(s3, classifier=classifier(unmodified=True), **PLACE)

    assert ModelFiles(s3, models_prefix="digits/models/").of("job-1", bucket="a-bucket").unmodified


def test_the_same_model_gives_the_same_bytes(s3):
    bodies = []
    for _ in range(2):
        key = publish_model_file(s3, classifier=classifier(), **PLACE)
        bodies.append(s3.get_object(Bucket="a-bucket", Key=key)["Body"].read())

    assert bodies[0] == bodies[1]


CALIBRATED = SimpleNamespace(
    calibration=SimpleNamespace(after=SimpleNamespace(temperature=1.7)),
    unsure=SimpleNamespace(auto=0.9, auto_calibrated=0.6),
)


def test_the_function_reads_temperature_and_thresholds_of_the_report(s3):
    publish_model_file(s3, classifier=classifier(), **PLACE, report=CALIBRATED)

    model = ModelFiles(s3, models_prefix="digits/models/").of("job-1", bucket="a-bucket")
    assert (model.temperature, model.proposed) == (1.7, (0.9, 0.6))


def test_a_model_without_a_report_is_not_calibrated(s3):
    publish_model_file(s3, classifier=classifier(), **PLACE)

    model = ModelFiles(s3, models_prefix="digits/models/").of("job-1", bucket="a-bucket")
    assert (model.temperature, model.proposed) == (1.0, (0.5, 0.5))


@pytest.mark.parametrize("temperature", [0.0, -1.0, "hot"])
def test_a_temperature_that_no_deployment_wrote_is_refused(s3, temperature):
    key = publish_model_file(s3, classifier=classifier(), **PLACE, report=CALIBRATED)
    document = json.loads(s3.get_object(Bucket="a-bucket", Key=key)["Body"].read())
    document["calibration"]["temperature"] = temperature
    s3.put_object(Bucket="a-bucket", Key=key, Body=json.dumps(document).encode())

    with pytest.raises(PredictionError, match="does not describe a model"):
        ModelFiles(s3, models_prefix="digits/models/").of("job-1", bucket="a-bucket")
