"""Finds the SageMaker resources that belong to a classifier, by their tags.

A resource is ours when it has the classifier's exact name, or begins with it, and carries the tag
``image-classifier: <classifier>``: ``digits`` must not take what belongs to ``digits-2``.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from image_classifier.aws import names

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


def our_endpoints(sagemaker: "SageMakerClient", classifier: str) -> tuple[str, ...]:
    """The classifier's endpoint, whatever its status."""
    pages = sagemaker.get_paginator("list_endpoints").paginate(NameContains=name_prefix(classifier))
    found = [endpoint for page in pages for endpoint in page["Endpoints"]]
    name, ours = names.endpoint_name(classifier), _ours(sagemaker, classifier)
    return tuple(
        endpoint["EndpointName"]
        for endpoint in found
        if endpoint["EndpointName"] == name and ours(name, endpoint["EndpointArn"])
    )


def our_endpoint_configs(sagemaker: "SageMakerClient", classifier: str) -> tuple[str, ...]:
    """Every endpoint config that was deployed for the classifier, the newest first."""
    paginator = sagemaker.get_paginator("list_endpoint_configs")
    pages = paginator.paginate(NameContains=name_prefix(classifier), SortBy="CreationTime", SortOrder="Descending")
    found = [config for page in pages for config in page["EndpointConfigs"]]
    ours = _ours(sagemaker, classifier)
    return tuple(
        config["EndpointConfigName"]
        for config in found
        if ours(config["EndpointConfigName"], config["EndpointConfigArn"])
    )


def our_models(sagemaker: "SageMakerClient", classifier: str) -> tuple[str, ...]:
    """Every SageMaker model of the classifier, the newest first."""
    paginator = sagemaker.get_paginator("list_models")
    pages = paginator.paginate(NameContains=name_prefix(classifier), SortBy="CreationTime", SortOrder="Descending")
    found = [model for page in pages for model in page["Models"]]
    ours = _ours(sagemaker, classifier)
    return tuple(model["ModelName"] for model in found if ours(model["ModelName"], model["ModelArn"]))


def name_prefix(classifier: str) -> str:
    return f"{names.PREFIX}{classifier}"


def _ours(sagemaker: "SageMakerClient", classifier: str) -> Callable[[str, str], bool]:
    """NameContains finds the name anywhere, and also longer classifiers' names; the tag decides."""

    def is_ours(name: str, arn: str) -> bool:
        if not name.startswith(name_prefix(classifier)):
            return False
        pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return any(tag["Key"] == names.TAG and tag["Value"] == classifier for page in pages for tag in page["Tags"])

    return is_ours
