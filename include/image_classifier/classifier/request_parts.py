"""Builds the parts that all SageMaker requests share: tags and the private network."""

from typing import Any

from image_classifier.aws.names import tags
from image_classifier.classifier.model import Classifier


def tag_list(classifier: Classifier) -> list[dict[str, str]]:
    """Return a classifier's tags as SageMaker's list of ``{"Key": ..., "Value": ...}``."""
    return [{"Key": key, "Value": value} for key, value in tags(classifier.name, classifier.tags).items()]


def vpc_config(classifier: Classifier) -> dict[str, Any]:
    """Return ``{"VpcConfig": {...}}`` for a request, or an empty dict if the classifier has no network of its own."""
    vpc = classifier.vpc_config
    if vpc is None:
        return {}
    return {"VpcConfig": {"SecurityGroupIds": list(vpc.security_group_ids), "Subnets": list(vpc.subnets)}}
