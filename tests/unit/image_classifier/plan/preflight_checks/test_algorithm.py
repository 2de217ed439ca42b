"""Checks the algorithm's image: the built-in one by region, another by its registry."""

import datetime

import boto3
import pytest
from botocore.stub import Stubber

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.plan.preflight_checks.algorithm import check_image, check_preparation_image

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
SETTINGS = Settings(
    bucket="a-bucket",
    sagemaker_role_arn="arn:aws:iam::123456789012:role/sagemaker",
    function_role_arn="arn:aws:iam::123456789012:role/function",
    failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:failures",
    algorithm_image=IMAGE,
)
BUILTIN, OWN = (Classifier(name="cats", source="cats", algorithm=kind) for kind in ("builtin", "own"))


@pytest.fixture
def ecr():
    client = boto3.Session("testing", "testing", region_name="us-east-1").client("ecr")
    client.stubber = Stubber(client)
    client.stubber.activate()
    return client


def test_the_built_in_s_image_is_looked_up_and_said_not_to_be_asked(ecr):
    finding = check_image(ecr, classifier=BUILTIN, settings=SETTINGS, region="us-east-1")

    assert (finding.status, "cannot be asked" in finding.found) == ("ok", True)


def test_a_region_without_the_built_in_is_missing(ecr):
    finding = check_image(ecr, classifier=BUILTIN, settings=SETTINGS, region="mars-north-1")

    assert finding.status == "missing"
    assert "--region <one of " in finding.command


def test_ones_own_image_is_asked_for_by_its_tag(ecr):
    details = {"imageDetails": [{"imagePushedAt": datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)}]}
    asked = {"registryId": "123456789012", "repositoryName": "image-classification", "imageIds": [{"imageTag": "1"}]}
    ecr.stubber.add_response("describe_images", details, asked)

    finding = check_image(ecr, classifier=OWN, settings=SETTINGS, region="us-east-1")

    assert (finding.status, "pushed 2026-03-01" in finding.found) == ("ok", True)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ImageNotFoundException", "missing"),
        ("RepositoryNotFoundException", "missing"),
        ("AccessDeniedException", "not checked"),
    ],
)
def test_an_image_that_is_not_there_is_built_and_a_refusal_is_unchecked(ecr, code, status):
    ecr.stubber.add_client_error("describe_images", code)

    finding = check_image(ecr, classifier=OWN, settings=SETTINGS, region="us-east-1")

    assert (finding.status, finding.command.startswith("make algorithm-image")) == (status, status == "missing")


def test_an_image_that_is_not_named_is_missing(ecr):
    settings = SETTINGS.model_copy(update={"algorithm_image": None})

    assert check_image(ecr, classifier=OWN, settings=settings, region="us-east-1").status == "missing"


PREPARED = {
    "preparation_image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/image-classification-preparation:1",
    "preparation_role_arn": "arn:aws:iam::123456789012:role/preparation",
}
PROCESSED = Classifier.model_validate(
    {"name": "cats", "source": "s3://a/cats/", "preparation": {"runner": "processing"}}
)


@pytest.mark.parametrize("missing", [*PREPARED, None])
def test_the_image_and_the_role_of_a_processing_job_are_looked_for(ecr, missing):
    settings = SETTINGS.model_copy(update={**PREPARED, **({missing: None} if missing else {})})
    details = {"imageDetails": [{"imagePushedAt": datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)}]}
    repository = "image-classification-preparation"
    asked = {"registryId": "123456789012", "repositoryName": repository, "imageIds": [{"imageTag": "1"}]}
    ecr.stubber.add_response("describe_images", details, asked)

    finding = check_preparation_image(ecr, classifier=PROCESSED, settings=settings, region="us-east-1")

    assert finding.status == ("missing" if missing else "ok")
    assert missing is None or f"IMAGE_CLASSIFIER_{missing.upper()}" in finding.found
