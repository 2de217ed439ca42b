"""Builds CreateEndpointConfig's request, and creates the endpoint config; like a model, it cannot be changed in AWS."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import endpoint_config_name
from image_classifier.aws.retry import once_visible
from image_classifier.classifier import Classifier
from image_classifier.classifier.request_parts import tag_list
from image_classifier.deploy.creation import Outcome, ensure_unchangeable

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


def endpoint_config_request(classifier: Classifier, *, training_job: str, model: Mapping[str, Any]) -> dict[str, Any]:
    """Return CreateEndpointConfig's request; the variant has the training job's name, which every answer contains."""
    key = classifier.kms_keys.endpoint_volume
    spec = {
        "ProductionVariants": [
            {
                "VariantName": training_job,
                "ModelName": model["ModelName"],
                "InitialInstanceCount": classifier.endpoint.instance_count,
                "InstanceType": classifier.endpoint.instance_type,
                "InitialVariantWeight": 1.0,
            }
        ],
        **({"KmsKeyId": key} if key else {}),
    }
    return {"EndpointConfigName": endpoint_config_name(classifier.name, spec), **spec, "Tags": tag_list(classifier)}


def ensure_endpoint_config(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Outcome:
    """Create the endpoint config unless it exists.

    Raises:
        ResourceClashError: an endpoint config with other content has the name.

    """
    name = request["EndpointConfigName"]
    return ensure_unchangeable(
        f"Endpoint config {name}",
        request,
        describe=lambda: sagemaker.describe_endpoint_config(EndpointConfigName=name),
        create=lambda: once_visible(lambda: sagemaker.create_endpoint_config(**request)),
    )
