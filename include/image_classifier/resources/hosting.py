"""The endpoint and what it is made of: model, endpoint config, endpoint; changes that may be asked for twice."""

import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from botocore.exceptions import ClientError

from image_classifier.classifier import Classifier
from image_classifier.errors import EndpointError, EndpointRolledBackError
from image_classifier.names import endpoint_config_name, endpoint_name
from image_classifier.resources.invocation import Answer, invoke
from image_classifier.resources.refusals import described, exists_already, is_absent, is_busy
from image_classifier.resources.training_request import tag_list, vpc_config
from image_classifier.settings import Settings

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

__all__ = [
    "Answer",
    "EndpointStep",
    "check_serves",
    "describe_endpoint",
    "endpoint_config_request",
    "endpoint_request",
    "ensure_endpoint",
    "ensure_endpoint_config",
    "ensure_model",
    "invoke",
    "is_settled",
    "model_request",
]

log = logging.getLogger(__name__)

Outcome = Literal["created", "updated", "unchanged"]
EndpointStep = Literal["created", "updated", "unchanged", "deleted", "waiting"]
Response = TypeVar("Response")

SETTLED = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")
VISIBLE_AFTER_TRIES = 6
VISIBLE_PAUSE_S = 2.0


def model_request(
    classifier: Classifier, *, settings: Settings, training_job: str, model_artifact: str, image: str
) -> dict[str, Any]:
    """CreateModel's request: the model carries the name of the job that trained it."""
    return {
        "ModelName": training_job,
        "PrimaryContainer": {"Image": image, "ModelDataUrl": model_artifact},
        "ExecutionRoleArn": settings.sagemaker_role_arn,
        "EnableNetworkIsolation": classifier.network_isolation,
        **vpc_config(classifier),
        "Tags": tag_list(classifier),
    }


def endpoint_config_request(classifier: Classifier, *, model: Mapping[str, Any]) -> dict[str, Any]:
    """CreateEndpointConfig's request; the variant is named after the training job, so an answer tells who gave it.

    The whole model enters the config's name: an endpoint takes another network, role or isolation only by an update.
    """
    training_job = model["ModelName"]
    key = classifier.kms_keys.endpoint_volume
    spec = {
        "ProductionVariants": [
            {
                "VariantName": training_job,
                "ModelName": training_job,
                "InitialInstanceCount": classifier.endpoint.instance_count,
                "InstanceType": classifier.endpoint.instance_type,
                "InitialVariantWeight": 1.0,
            }
        ],
        **({"KmsKeyId": key} if key else {}),
    }
    name = endpoint_config_name(classifier.name, [spec, _without_tags(model)])
    return {"EndpointConfigName": name, **spec, "Tags": tag_list(classifier)}


def endpoint_request(classifier: Classifier, *, endpoint_config: str) -> dict[str, Any]:
    """CreateEndpoint's request; an update takes the same, without the tags."""
    name = endpoint_name(classifier.name)
    return {"EndpointName": name, "EndpointConfigName": endpoint_config, "Tags": tag_list(classifier)}


def ensure_model(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Outcome:
    """Create the model. Models cannot be changed: one that differs, such as by its role, is replaced."""
    name = request["ModelName"]
    found = described(lambda: sagemaker.describe_model(ModelName=name))
    if found is not None and _agrees(found, _without_tags(request)):
        return "unchanged"
    if found is not None:
        sagemaker.delete_model(ModelName=name)
    if not _create(lambda: sagemaker.create_model(**request)):
        return "unchanged"
    log.info("Model %s created", name)
    return "created" if found is None else "updated"


def ensure_endpoint_config(
    sagemaker: "SageMakerClient", request: Mapping[str, Any], *, pause: Callable[[float], None] = time.sleep
) -> Outcome:
    """Create the endpoint config. Its name is computed from its content: one that exists is the same."""
    name = request["EndpointConfigName"]
    if described(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=name)) is not None:
        return "unchanged"
    if not _create(lambda: _once_visible(lambda: sagemaker.create_endpoint_config(**request), pause=pause)):
        return "unchanged"
    log.info("Endpoint config %s created", name)
    return "created"


def ensure_endpoint(
    sagemaker: "SageMakerClient", request: Mapping[str, Any], *, pause: Callable[[float], None] = time.sleep
) -> EndpointStep:
    """Take one step towards an endpoint that serves the requested config, and say which; it does not wait.

    After "deleted" (a failed endpoint allows nothing else) and "waiting" (an earlier change is being applied), call
    again once the endpoint has settled. After "created" and "updated", `check_serves` tells whether it worked.

    Raises:
        EndpointError: the endpoint is in a state that only a person can judge.

    """
    name = request["EndpointName"]
    endpoint = describe_endpoint(sagemaker, name)
    if endpoint is None:
        created = _create(lambda: _once_visible(lambda: sagemaker.create_endpoint(**request), pause=pause))
        return _told(name, "created" if created else "waiting")
    status = endpoint["EndpointStatus"]
    if status == "Failed":
        sagemaker.delete_endpoint(EndpointName=name)
        return _told(name, "deleted")
    if not is_settled(endpoint):
        return "waiting"
    if status != "InService":
        raise EndpointError(_needs_a_person(endpoint))
    if endpoint["EndpointConfigName"] == request["EndpointConfigName"]:
        return "unchanged"
    return _told(name, _update(sagemaker, request, pause=pause))


def check_serves(endpoint: Mapping[str, Any] | None, *, endpoint_config: str) -> None:
    """Nothing if the endpoint serves the config that was asked for.

    Raises:
        EndpointRolledBackError: AWS took the update back; the endpoint is in service, with the earlier config.
        EndpointError: the endpoint is not in service.

    """
    if endpoint is None:
        message = f"The endpoint for {endpoint_config} is gone; someone deleted it: run this task again."
        raise EndpointError(message)
    name, reason = endpoint["EndpointName"], endpoint.get("FailureReason", "no reason given")
    if endpoint["EndpointStatus"] == "Failed":
        message = f"Endpoint {name} failed: {reason} Running this task again deletes and creates it."
        raise EndpointError(message)
    if endpoint["EndpointStatus"] != "InService":
        raise EndpointError(_needs_a_person(endpoint))
    if endpoint["EndpointConfigName"] != endpoint_config:
        message = (
            f"Endpoint {name} serves {endpoint['EndpointConfigName']} and not {endpoint_config}: AWS took the update "
            f"back ({reason}). The endpoint's log says why the new model did not start."
        )
        raise EndpointRolledBackError(message)


def describe_endpoint(sagemaker: "SageMakerClient", name: str) -> Mapping[str, Any] | None:
    """DescribeEndpoint's answer, or None if there is no such endpoint."""
    return described(lambda: sagemaker.describe_endpoint(EndpointName=name))


def is_settled(endpoint: Mapping[str, Any] | None) -> bool:
    """No change is under way; an endpoint that is not there is settled too."""
    return endpoint is None or endpoint["EndpointStatus"] in SETTLED


def _update(
    sagemaker: "SageMakerClient", request: Mapping[str, Any], *, pause: Callable[[float], None]
) -> Literal["updated", "waiting"]:
    try:
        _once_visible(lambda: sagemaker.update_endpoint(**_without_tags(request)), pause=pause)
    except ClientError as error:
        if is_busy(error):  # someone else's change came between
            return "waiting"
        raise
    return "updated"


def _create(create: Callable[[], object]) -> bool:
    """False if it exists by now: names are computed, so another try of the same task created it."""
    try:
        create()
    except ClientError as error:
        if exists_already(error):
            return False
        raise
    return True


def _once_visible(call: Callable[[], Response], *, pause: Callable[[float], None]) -> Response:
    """SageMaker may not see for some seconds what it has just created; its API text says to try again."""
    for _ in range(VISIBLE_AFTER_TRIES - 1):
        try:
            return call()
        except ClientError as error:
            if not is_absent(error):
                raise
        pause(VISIBLE_PAUSE_S)
    return call()


def _agrees(found: Any, wanted: Any) -> bool:
    """Whether `found` holds everything in `wanted`; AWS's answers hold more than was asked for."""
    if isinstance(wanted, Mapping):
        return all(_agrees(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and sorted(map(str, found)) == sorted(map(str, wanted))
    return bool(found == wanted) or (wanted is False and found is None)


def _without_tags(request: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name != "Tags"}


def _needs_a_person(endpoint: Mapping[str, Any]) -> str:
    return (
        f"Endpoint {endpoint['EndpointName']} is {endpoint['EndpointStatus']} "
        f"({endpoint.get('FailureReason', 'no reason given')}); look at it in the SageMaker console, or delete it "
        "and run this task again."
    )


Step = TypeVar("Step", bound=str)


def _told(name: str, step: Step) -> Step:
    log.info("Endpoint %s: %s", name, step)
    return step
