"""Builds the requests for model, endpoint config and endpoint, and creates the model and the endpoint config.

Models and endpoint configs cannot be changed in AWS. Their names are computed from their content, so another content
makes a new one, and the live model and earlier models stay unchanged.
"""

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import described, exists_already, is_absent
from image_classifier.aws.names import endpoint_config_name, endpoint_name, model_name
from image_classifier.aws.retry import repeat_on
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.request_parts import tag_list, vpc_config
from image_classifier.contracts.errors import ResourceClashError
from image_classifier.deploy.differences import differences
from image_classifier.deploy.rollout import deployment_config

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

Outcome = Literal["created", "unchanged"]
Response = TypeVar("Response")

VISIBLE_AFTER_TRIES = 6
VISIBLE_PAUSE_S = 2.0


def model_request(
    classifier: Classifier, *, settings: Settings, training_job: str, model_artifact: str, image: str
) -> dict[str, Any]:
    """Return CreateModel's request; the artifact's S3 address contains the training job's name."""
    spec = {
        "PrimaryContainer": {"Image": image, "ModelDataUrl": model_artifact},
        "ExecutionRoleArn": settings.model_role_arn,
        "EnableNetworkIsolation": classifier.network_isolation,
        **vpc_config(classifier),
    }
    name = model_name(classifier.name, [training_job, spec])
    return {"ModelName": name, **spec, "Tags": tag_list(classifier)}


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


def endpoint_request(classifier: Classifier, *, endpoint_config: str) -> dict[str, Any]:
    """Return the endpoint's request: CreateEndpoint takes it without DeploymentConfig, UpdateEndpoint without Tags."""
    rollout = deployment_config(classifier.endpoint)
    return {
        "EndpointName": endpoint_name(classifier.name),
        "EndpointConfigName": endpoint_config,
        **({"DeploymentConfig": rollout} if rollout else {}),
        "Tags": tag_list(classifier),
    }


def ensure_model(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Outcome:
    """Create the model unless it exists.

    Raises:
        ResourceClashError: a model with other content has the name.

    """
    name = request["ModelName"]
    return _ensure(
        f"Model {name}",
        request,
        describe=lambda: sagemaker.describe_model(ModelName=name),
        create=lambda: sagemaker.create_model(**request),
    )


def ensure_endpoint_config(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Outcome:
    """Create the endpoint config unless it exists.

    Raises:
        ResourceClashError: an endpoint config with other content has the name.

    """
    name = request["EndpointConfigName"]
    return _ensure(
        f"Endpoint config {name}",
        request,
        describe=lambda: sagemaker.describe_endpoint_config(EndpointConfigName=name),
        create=lambda: once_visible(lambda: sagemaker.create_endpoint_config(**request)),
    )


def was_created(create: Callable[[], object]) -> bool:
    """Whether `create` created the resource; False if an earlier try of the task did, as names are computed."""
    try:
        create()
    except ClientError as error:
        if exists_already(error):
            return False
        raise
    return True


def once_visible(call: Callable[[], Response]) -> Response:
    """Repeat a call while it says that a resource does not exist: SageMaker may not find it for seconds after creation.

    Source: CreateEndpoint in the SageMaker API reference, which says to retry.
    """
    return repeat_on(is_absent, call, tries=VISIBLE_AFTER_TRIES, pause_s=VISIBLE_PAUSE_S)


def without(request: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the request without one of its fields."""
    return {field: value for field, value in request.items() if field != name}


def _ensure(
    what: str, request: Mapping[str, Any], *, describe: Callable[[], Any], create: Callable[[], object]
) -> Outcome:
    found = described(describe)
    if found is None and was_created(create):
        log.info("%s created", what)
        return "created"
    unlike = differences(describe() if found is None else found, without(request, "Tags"))
    if unlike:
        message = (
            f"{what} exists with other content: {'; '.join(unlike)}. Its name is computed from its content, so "
            "somebody else made it: delete it, then run this task again."
        )
        raise ResourceClashError(message)
    return "unchanged"
