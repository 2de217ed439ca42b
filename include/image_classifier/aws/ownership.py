"""Finds the SageMaker resources that belong to a classifier, by their tags.

A resource belongs to a classifier if its name is, or begins with, the classifier's name and it has the tag
``image-classifier: <classifier>``: ``digits`` must not match the resources of ``digits-2``.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from image_classifier.aws import names
from image_classifier.aws.client_errors import described

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


def our_endpoints(sagemaker: "SageMakerClient", classifier: str) -> tuple[str, ...]:
    """Return the name of the classifier's endpoint, in any status; empty if there is none."""
    pages = sagemaker.get_paginator("list_endpoints").paginate(NameContains=name_prefix(classifier))
    found = [endpoint for page in pages for endpoint in page["Endpoints"]]
    name, ours = names.endpoint_name(classifier), _ours(sagemaker, classifier)
    return tuple(
        endpoint["EndpointName"]
        for endpoint in found
        if endpoint["EndpointName"] == name and ours(name, endpoint["EndpointArn"])
    )


def our_endpoint_configs(sagemaker: "SageMakerClient", classifier: str) -> tuple[str, ...]:
    """Return the names of the classifier's endpoint configs, the newest first."""
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
    """Return the names of the classifier's SageMaker models, the newest first."""
    paginator = sagemaker.get_paginator("list_models")
    pages = paginator.paginate(NameContains=name_prefix(classifier), SortBy="CreationTime", SortOrder="Descending")
    found = [model for page in pages for model in page["Models"]]
    ours = _ours(sagemaker, classifier)
    return tuple(model["ModelName"] for model in found if ours(model["ModelName"], model["ModelArn"]))


def buckets_of_endpoint(sagemaker: "SageMakerClient", name: str) -> set[str]:
    """Return the buckets of the models that an endpoint serves; empty if it, its config or its models are gone."""
    endpoint = described(lambda: sagemaker.describe_endpoint(EndpointName=name))
    if endpoint is None or "EndpointConfigName" not in endpoint:
        return set()
    config_name = endpoint["EndpointConfigName"]
    config = described(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=config_name))
    models = [variant["ModelName"] for variant in config["ProductionVariants"]] if config else []
    found = [described(partial(sagemaker.describe_model, ModelName=model)) for model in models]
    artifacts = [model.get("PrimaryContainer", {}).get("ModelDataUrl", "") for model in found if model]
    return {urlsplit(artifact).netloc for artifact in artifacts} - {""}


def name_prefix(classifier: str) -> str:
    return f"{names.PREFIX}{classifier}"


def _ours(sagemaker: "SageMakerClient", classifier: str) -> Callable[[str, str], bool]:
    """Return a filter of (name, ARN): NameContains also matches longer classifiers' names, so the tag decides."""

    def is_ours(name: str, arn: str) -> bool:
        if not name.startswith(name_prefix(classifier)):
            return False
        pages = sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
        return any(tag["Key"] == names.TAG and tag["Value"] == classifier for page in pages for tag in page["Tags"])

    return is_ours
