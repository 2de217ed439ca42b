"""Takes one step at a time towards the endpoint that is requested, and checks that it serves; nothing here waits."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import described, is_busy
from image_classifier.aws.names import endpoint_log_group
from image_classifier.contracts.errors import EndpointError, EndpointGoneError, EndpointRolledBackError
from image_classifier.deploy.hosting import once_visible, was_created, without

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

# adopted: a change to the requested config is under way already, begun by an earlier try of the same task.
# deleted: the endpoint had failed, which allows nothing else. waiting: somebody else's change is under way.
EndpointStep = Literal["created", "updated", "adopted", "unchanged", "deleted", "waiting"]
Endpoint = Mapping[str, Any]
Step = TypeVar("Step", bound=str)

STABLE = ("InService", "Failed", "OutOfService", "UpdateRollbackFailed")


def ensure_endpoint(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> EndpointStep:
    """Take one step towards an endpoint that serves the requested config, and say which; it does not wait.

    After "deleted" and "waiting" call again once no change is in progress. After "created", "updated" and "adopted"
    `check_serves` tells whether the change succeeded.

    Raises:
        EndpointError: the endpoint is in a state that a person has to look at.

    """
    name, wanted = request["EndpointName"], request["EndpointConfigName"]
    endpoint = describe_endpoint(sagemaker, name)
    if endpoint is None:
        creation = without(request, "DeploymentConfig")  # there is nothing to shift from
        created = was_created(lambda: once_visible(lambda: sagemaker.create_endpoint(**creation)))
        return _told(name, "created" if created else "waiting")
    if endpoint["EndpointStatus"] == "Failed":
        sagemaker.delete_endpoint(EndpointName=name)
        return _told(name, "deleted")
    if not is_stable(endpoint):
        return _told(name, "adopted" if _becomes(endpoint) == wanted else "waiting")
    if endpoint["EndpointStatus"] != "InService":
        raise EndpointError(_needs_a_person(endpoint))
    if endpoint["EndpointConfigName"] == wanted:
        if reason := endpoint.get("FailureReason"):
            log.warning("Endpoint %s serves %s; AWS has taken a later update back: %s", name, wanted, reason)
        return _told(name, "unchanged")
    return _told(name, _update(sagemaker, request))


def check_serves(endpoint: Endpoint | None, *, endpoint_config: str) -> None:
    """Check that the change to `endpoint_config` succeeded.

    Raises:
        EndpointGoneError: somebody deleted the endpoint meanwhile.
        EndpointRolledBackError: AWS took the update back; the endpoint is in service, with the earlier config.
        EndpointError: the endpoint is not in service, or in service with something to complain about.

    """
    if endpoint is None:
        message = f"The endpoint for {endpoint_config} is gone; someone deleted it: run this task again."
        raise EndpointGoneError(message)
    name, serves = endpoint["EndpointName"], endpoint["EndpointConfigName"]
    reason = endpoint.get("FailureReason", "")
    if endpoint["EndpointStatus"] == "Failed":
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
    """DescribeEndpoint's answer, or None if there is no such endpoint."""
    return described(lambda: sagemaker.describe_endpoint(EndpointName=name))


def is_stable(endpoint: Endpoint | None) -> bool:
    """Whether no change of the endpoint is in progress; True also if there is no endpoint."""
    return endpoint is None or endpoint["EndpointStatus"] in STABLE


def configs_in_use(endpoint: Endpoint | None) -> set[str]:
    """The endpoint configs that must not be deleted: that which serves, and that which an update is bringing up."""
    return set() if endpoint is None else {endpoint["EndpointConfigName"], _becomes(endpoint)} - {""}


def _becomes(endpoint: Endpoint) -> str:
    """The config that a change under way leads to; while an update lasts, EndpointConfigName is still the old one."""
    if endpoint["EndpointStatus"] == "Creating":
        return str(endpoint["EndpointConfigName"])
    return str(endpoint.get("PendingDeploymentSummary", {}).get("EndpointConfigName", ""))


def _update(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Literal["updated", "waiting"]:
    try:
        once_visible(lambda: sagemaker.update_endpoint(**without(request, "Tags")))
    except ClientError as error:
        if is_busy(error):  # someone else's change came between
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
