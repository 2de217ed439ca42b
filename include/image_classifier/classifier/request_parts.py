"""Makes the parts that SageMaker requests of every kind share: tags and the private network."""

from typing import Any

from image_classifier.aws.names import tags
from image_classifier.classifier.model import Classifier


def tag_list(classifier: Classifier) -> list[dict[str, str]]:
    """A classifier's tags as SageMaker takes them."""
    return [{"Key": key, "Value": value} for key, value in tags(classifier.name, classifier.tags).items()]


def vpc_config(classifier: Classifier) -> dict[str, Any]:
    """The VpcConfig of a request, if the classifier has one."""
    vpc = classifier.vpc_config
    if vpc is None:
        return {}
    return {"VpcConfig": {"SecurityGroupIds": list(vpc.security_group_ids), "Subnets": list(vpc.subnets)}}
