"""Checks that the algorithm's image exists: in AWS's table of regions, or in the account's own ECR registry."""

import re
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import SettingsError
from image_classifier.plan.preflight_checks.finding import Finding, preflight_command
from image_classifier.prepare.processing.request import preparation_image, preparation_role
from image_classifier.train.image_uris import algorithm_image

IMAGE = re.compile(r"(?P<account>\d{12})\.dkr\.ecr[^/]*/(?P<repository>[^:@]+)(?P<kind>[:@])(?P<name>\S+)")
BUILD = "make algorithm-image # and the commands that it prints"
BUILD_PREPARATION = "make preparation-image # and the commands that it prints"


def check_image(ecr: Any, *, classifier: Classifier, settings: Settings, region: str) -> Finding:
    """Check that the classifier's image exists in this region; `ecr` is a client of that region."""
    check = f"image of {classifier.name}"
    try:
        image = algorithm_image(classifier, settings=settings, region=region)
    except SettingsError as error:
        regions = preflight_command("<one of these regions>")
        return Finding(check, "missing", str(error), regions if classifier.algorithm == "builtin" else BUILD)
    if classifier.algorithm == "builtin":
        found = f"{image}; by the table of regions alone: that registry is AWS's own and cannot be asked"
        return Finding(check, "ok", found)
    return _own(ecr, image, check=check)


def check_preparation_image(ecr: Any, *, classifier: Classifier, settings: Settings, region: str) -> Finding:
    """Return whether the image of the processing job that prepares the images, and its role, exist."""
    check = f"preparation of {classifier.name}"
    try:
        preparation_role(settings)
        image = preparation_image(settings, region=region)
    except SettingsError as error:
        return Finding(check, "missing", str(error), BUILD_PREPARATION)
    return _own(ecr, image, check=check, variable="IMAGE_CLASSIFIER_PREPARATION_IMAGE", build=BUILD_PREPARATION)


def _own(
    ecr: Any, image: str, *, check: str, variable: str = "IMAGE_CLASSIFIER_ALGORITHM_IMAGE", build: str = BUILD
) -> Finding:
    parts = IMAGE.fullmatch(image)
    if parts is None:
        found = f"{variable} is {image}, which is no image of an ECR registry"
        return Finding(check, "missing", found, build)
    kind = "imageTag" if parts["kind"] == ":" else "imageDigest"
    try:
        answer = ecr.describe_images(
            registryId=parts["account"], repositoryName=parts["repository"], imageIds=[{kind: parts["name"]}]
        )
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in ("ImageNotFoundException", "RepositoryNotFoundException"):
            return Finding(check, "missing", f"{image} does not exist ({code})", build)
        return Finding(check, "not checked", f"{image}: the registry refuses the question ({code})")
    except BotoCoreError as error:
        return Finding(check, "not checked", f"{image}: the registry does not answer ({error})")
    return Finding(check, "ok", f"{image}, pushed {answer['imageDetails'][0]['imagePushedAt']:%Y-%m-%d}")
