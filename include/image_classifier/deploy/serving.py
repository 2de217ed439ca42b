"""Finds the model that an endpoint serves, whose variant has the training job's name."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_classifier.aws.client_errors import described
from image_classifier.aws.names import endpoint_name
from image_classifier.deploy.endpoint import FAILED, describe_endpoint

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class Serving:
    """The model that a classifier's endpoint serves or is being updated to."""

    training_job: str
    model: str
    endpoint_config: str


def serving_model(sagemaker: "SageMakerClient", *, classifier: str) -> Serving | None:
    """Return the live model; None if the endpoint or its config does not exist, or the endpoint failed.

    A failed endpoint answers nothing and can only be deleted; after a failed first deployment its model never served.
    """
    endpoint = describe_endpoint(sagemaker, endpoint_name(classifier))
    if endpoint is None or endpoint["EndpointStatus"] == FAILED:
        return None
    name = endpoint["EndpointConfigName"]
    config = described(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=name))
    if config is None:
        return None
    variant = config["ProductionVariants"][0]
    return Serving(variant["VariantName"], variant["ModelName"], name)
