"""Checks that the validation images are scored once per model, and that the test images are not read."""

import json

import pytest

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import PredictionError
from image_classifier.evaluate.images import VersionImage
from image_classifier.evaluate.trials import scoring

BUCKET = "pictures"
PETS = Classifier(name="pets", source="images")
SPLITS = ("train", "validation", "validation", "test")
IMAGES = tuple(
    VersionImage(f"pets/dataset/{split}/cat/{number}.jpg", split, "cat", f"{number}", f"{number}", f"{number}.png")
    for number, split in enumerate(SPLITS)
)
VALIDATION = scoring.validation_of(IMAGES, classifier="pets", bucket=BUCKET)


def request(s3, job="job"):
    return scoring.request_for_trial(s3, VALIDATION, classifier=PETS, training_job=job, model="m")


def store(s3, *, numbers=(1, 2)):
    for number in numbers:
        body = json.dumps([0.9, 0.1] if number == 1 else [0.3, 0.7]).encode()
        s3.put_object(Bucket=BUCKET, Key=f"{VALIDATION.prefix('job')}output/x/{number}.jpg.out", Body=body)


def read(s3):
    return scoring.validation_answers(s3, VALIDATION, training_job="job", labels=("cat", "dog"))


def test_exactly_the_validation_images_are_scored(s3):
    made = request(s3)

    key = made["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"].removeprefix(f"s3://{BUCKET}/")
    manifest = json.loads(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    assert manifest == [{"prefix": f"s3://{BUCKET}/pets/dataset/"}, "validation/cat/1.jpg", "validation/cat/2.jpg"]
    assert made["TransformOutput"]["S3OutputPath"] == f"s3://{BUCKET}/{VALIDATION.prefix('job')}output"


def test_models_and_other_validation_images_have_places_of_their_own():
    fewer = scoring.validation_of(IMAGES[:2], classifier="pets", bucket=BUCKET)

    assert len({VALIDATION.prefix("job"), VALIDATION.prefix("other"), fewer.prefix("job")}) == 3


def test_a_model_that_has_answered_is_not_asked_again(s3):
    store(s3)

    found = read(s3)

    assert [(one.predicted, one.is_right) for one in found] == [("cat", True), ("dog", False)]
    assert request(s3) is None
    assert request(s3, "other") is not None
    s3.delete_object(Bucket=BUCKET, Key=f"{VALIDATION.prefix('job')}output/x/2.jpg.out")
    assert read(s3) == found


def test_an_image_without_answer_is_left_out_and_no_answer_is_an_error(s3):
    with pytest.raises(PredictionError, match="No validation image has an answer of job"):
        read(s3)
    store(s3, numbers=[2])
    assert len(read(s3)) == 1
