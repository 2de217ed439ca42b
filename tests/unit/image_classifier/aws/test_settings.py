"""Checks the settings from the environment, and that an error names every wrong variable."""

import pytest

from image_classifier.aws.settings import Settings
from image_classifier.contracts.errors import SettingsError

ROLE = "arn:aws:iam::123456789012:role/r"
NEEDED = {
    "IMAGE_CLASSIFIER_BUCKET": "a-bucket",
    "IMAGE_CLASSIFIER_SAGEMAKER_ROLE_ARN": ROLE,
    "IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN": ROLE,
    "IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:failures",
}
IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/image-classification:2"


@pytest.mark.parametrize("environ", [{}, {"IMAGE_CLASSIFIER_ALGORITHM_IMAGE": ""}])
def test_the_algorithms_image_may_be_left_out(environ):
    assert Settings.from_env({**NEEDED, **environ}).algorithm_image is None


@pytest.mark.parametrize(
    "image",
    [
        IMAGE,
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/team/image-classification:2",
        f"{IMAGE.removesuffix(':2')}@sha256:{'0' * 64}",
    ],
)
def test_the_algorithms_image_is_an_image_in_ecr(image):
    assert Settings.from_env({**NEEDED, "IMAGE_CLASSIFIER_ALGORITHM_IMAGE": image}).algorithm_image == image


@pytest.mark.parametrize("image", ["image-classification:2", IMAGE.removesuffix(":2"), f"https://{IMAGE}"])
def test_another_image_is_refused_by_the_variables_name(image):
    with pytest.raises(SettingsError, match=r"IMAGE_CLASSIFIER_ALGORITHM_IMAGE: .*found"):
        Settings.from_env({**NEEDED, "IMAGE_CLASSIFIER_ALGORITHM_IMAGE": image})


def test_every_missing_variable_is_named_at_once():
    with pytest.raises(SettingsError, match=r"BUCKET is not set.*FAILURE_QUEUE_ARN is not set"):
        Settings.from_env({})
