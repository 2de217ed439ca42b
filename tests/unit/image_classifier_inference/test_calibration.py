"""Checks that each model answers with its own temperature and, with auto, has its own threshold."""

import json

import pytest

from image_classifier.contracts.predictions import Image, Prediction
from image_classifier_inference.uploads import Upload

BUCKET, KEY = "pictures", "pets/incoming/cat.png"
MODELS = {
    "job-2": {"temperature": 2.0, "unsure_below": 0.95, "unsure_below_calibrated": 0.7},
    "job-1": {"temperature": 0.5, "unsure_below": 0.4, "unsure_below_calibrated": 0.999},
}


@pytest.fixture
def classified(s3, inference_with, model_file, runtime, photo):
    """The record of one image that a model answered about with 0.9 and 0.1."""
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=photo())
    for job, calibration in MODELS.items():
        document = {**json.loads(model_file(["cat", "dog"])), "calibration": calibration}
        s3.put_object(Bucket=BUCKET, Key=f"pets/models/{job}/model.json", Body=json.dumps(document).encode())

    def classify(variant="job-2", **environ):
        runtime.answers([0.9, 0.1], variant=variant)
        image = Image(BUCKET, KEY, None, None, 100, None)
        upload = Upload(image, uploaded="2026-01-01T00:00:00.000Z")
        found = inference_with(**environ).classify(upload)
        return Prediction.from_json(found.prediction.as_json())

    return classify


def test_without_calibration_a_record_holds_the_answer_as_it_is(classified):
    record = classified()

    assert (record.confidence, record.temperature, record.status) == (0.9, 1.0, "predicted")


@pytest.mark.parametrize(("variant", "confidence"), [("job-2", 0.75), ("job-1", 0.81 / 0.82)])
def test_with_calibration_the_temperature_is_that_of_the_answering_model(classified, variant, confidence):
    """Also during an update, and after going back to an earlier model."""
    record = classified(variant, CALIBRATE="true")

    assert record.label == "cat"
    assert record.confidence == pytest.approx(confidence)
    assert sum(one.probability for one in record.probabilities) == pytest.approx(1)
    assert record.temperature == MODELS[variant]["temperature"]


@pytest.mark.parametrize(
    ("variant", "calibrate", "status"),
    [
        ("job-2", "false", "unsure"),  # 0.9 and 0.95
        ("job-2", "true", "predicted"),  # 0.75 and 0.7
        ("job-1", "false", "predicted"),  # 0.9 and 0.4
        ("job-1", "true", "unsure"),  # 0.988 and 0.999
    ],
)
def test_auto_is_the_threshold_of_the_model_that_answered(classified, variant, calibrate, status):
    assert classified(variant, UNSURE_BELOW="auto", CALIBRATE=calibrate).status == status


def test_a_threshold_in_the_file_is_compared_with_the_corrected_confidence(classified):
    assert classified(UNSURE_BELOW="0.8").status == "predicted"
    assert classified(UNSURE_BELOW="0.8", CALIBRATE="true").status == "unsure"


def test_auto_is_one_half_for_a_model_without_a_report(classified, s3, model_file):
    s3.put_object(Bucket=BUCKET, Key="pets/models/job-2/model.json", Body=model_file(["cat", "dog"]))

    record = classified(UNSURE_BELOW="auto", CALIBRATE="true")

    assert (record.status, record.temperature) == ("predicted", 1.0)
