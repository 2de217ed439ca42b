"""Creates, updates or recreates the endpoint in single steps that do not wait, and checks the result."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import described, is_busy
from image_classifier.aws.names import endpoint_log_group, endpoint_name
from image_classifier.aws.retry import once_visible
from image_classifier.classifier import Classifier
from image_classifier.classifier.request_parts import tag_list
from image_classifier.contracts.errors import EndpointError, EndpointGoneError, EndpointRolledBackError
from image_classifier.deploy.creation import was_created, without
from image_classifier.deploy.rollout import deployment_config

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

# adopted: a change to the requested config is in progress, which an earlier try of the same task started.
# deleted: a failed endpoint can only be deleted. waiting: a change that somebody else started is in progress.
EndpointStep = Literal["created", "updated", "adopted", "unchanged", "deleted", "waiting"]
Endpoint = Mapping[str, Any]
Step = TypeVar("Step", bound=str)

FAILED = "Failed"
STABLE = ("InService", FAILED, "OutOfService", "UpdateRollbackFailed")


def endpoint_request(classifier: Classifier, *, endpoint_config: str) -> dict[str, Any]:
    """Return the endpoint's request: CreateEndpoint takes it without DeploymentConfig, UpdateEndpoint without Tags."""
    rollout = deployment_config(classifier.endpoint)
    return {
        "EndpointName": endpoint_name(classifier.name),
        "EndpointConfigName": endpoint_config,
        **({"DeploymentConfig": rollout} if rollout else {}),
        "Tags": tag_list(classifier),
    }


def ensure_endpoint(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> EndpointStep:
    """Take one step towards an endpoint that serves the requested config; return the step, and do not wait for it.

    After "deleted" and "waiting" call again once no change is in progress. After "created", "updated" and "adopted"
    `check_serves` tells whether the change succeeded.

    Raises:
        EndpointError: the endpoint is in a state that a person must resolve.

    """
    name, wanted = request["EndpointName"], request["EndpointConfigName"]
    endpoint = describe_endpoint(sagemaker, name)
    if endpoint is None:
        creation = without(request, "DeploymentConfig")  # a new endpoint has no old traffic to shift
        created = was_created(lambda: once_visible(lambda: sagemaker.create_endpoint(**creation)))
        return _told(name, "created" if created else "waiting")
    if endpoint["EndpointStatus"] == FAILED:
        sagemaker.delete_endpoint(EndpointName=name)
        return _told(name, "deleted")
    if not is_stable(endpoint):
        return _told(name, "adopted" if _becomes(endpoint) == wanted else "waiting")
    if endpoint["EndpointStatus"] != "InService":
        raise EndpointError(_needs_a_person(endpoint))
    if endpoint["EndpointConfigName"] == wanted:
        if reason := endpoint.get("FailureReason"):
            log.warning("Endpoint %s serves %s; AWS rolled a later update back: %s", name, wanted, reason)
        return _told(name, "unchanged")
    return _told(name, _update(sagemaker, request))


def check_serves(endpoint: Endpoint | None, *, endpoint_config: str) -> None:
    """Check that the change to `endpoint_config` succeeded.

    Raises:
        EndpointGoneError: somebody deleted the endpoint in the meantime.
        EndpointRolledBackError: AWS rolled the update back; the endpoint is in service with the earlier config.
        EndpointError: the endpoint is not in service, or it is in service and AWS reports a failure.

    """
    if endpoint is None:
        message = f"The endpoint for {endpoint_config} is gone; someone deleted it: run this task again."
        raise EndpointGoneError(message)
    name, serves = endpoint["EndpointName"], endpoint["EndpointConfigName"]
    reason = endpoint.get("FailureReason", "")
    if endpoint["EndpointStatus"] == FAILED:
        message = (
            f"Endpoint {name} failed: {reason or 'no reason given'} Running this task again deletes and creates it."
        )
        raise EndpointError(message)
    if endpoint["EndpointStatus"] != "InService":
        raise EndpointError(_needs_a_person(endpoint))
    if serves != endpoint_config:
        message = (
            f"AWS took the update of endpoint {name} to {endpoint_config} back: {reason or 'no reason given'} It still "
            f"serves {serves}. The log group {endpoint_log_group(name)} may say why the new model did not start."
        )
        raise EndpointRolledBackError(message)
    if reason:
        raise EndpointError(f"Endpoint {name} is in service with {serves}, and AWS reports a failure: {reason}")


def describe_endpoint(sagemaker: "SageMakerClient", name: str) -> Endpoint | None:
    """Return DescribeEndpoint's answer, or None if the endpoint does not exist."""
    return described(lambda: sagemaker.describe_endpoint(EndpointName=name))


def is_stable(endpoint: Endpoint | None) -> bool:
    """Return whether no change of the endpoint is in progress; True if the endpoint does not exist."""
    return endpoint is None or endpoint["EndpointStatus"] in STABLE


def configs_in_use(endpoint: Endpoint | None) -> set[str]:
    """Return the endpoint configs that must not be deleted: the one that serves and the one an update leads to."""
    return set() if endpoint is None else {endpoint["EndpointConfigName"], _becomes(endpoint)} - {""}


def _becomes(endpoint: Endpoint) -> str:
    """Return the config that a change leads to; during an update EndpointConfigName is still the old one."""
    if endpoint["EndpointStatus"] == "Creating":
        return str(endpoint["EndpointConfigName"])
    return str(endpoint.get("PendingDeploymentSummary", {}).get("EndpointConfigName", ""))


def _update(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Literal["updated", "waiting"]:
    try:
        once_visible(lambda: sagemaker.update_endpoint(**without(request, "Tags")))
    except ClientError as error:
        if is_busy(error):  # somebody else's change was faster
            return "waiting"
        raise
    return "updated"


def _needs_a_person(endpoint: Endpoint) -> str:
    return (
        f"Endpoint {endpoint['EndpointName']} is {endpoint['EndpointStatus']} "
        f"({endpoint.get('FailureReason', 'no reason given')}); look at it in the SageMaker console, or delete it "
        "and run this task again."
    )


def _told(name: str, step: Step) -> Step:
    log.info("Endpoint %s: %s", name, step)
    return step
