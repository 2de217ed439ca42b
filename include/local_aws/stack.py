"""Deploys the CloudFormation template to the local AWS, as a user deploys it to AWS."""

import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path

from botocore.client import BaseClient

from local_aws import function_runtime
from local_aws.clients import ACCOUNT, REGION, ClientError, client
from local_aws.errors import StackError
from local_aws.keys import make_users

log = logging.getLogger(__name__)

TEMPLATE = Path(__file__).parents[1] / "infrastructure" / "template.yaml"
STACK_NAME = "image-classifier"
BUCKET_NAME = f"image-classifier-{ACCOUNT}-{REGION}"
_TIME_LIMIT_S = 60
_POLL_S = 0.1
_BROKEN = {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}


def deploy(endpoint_url: str) -> dict[str, str]:
    """Create or update the stack and its users; return the deployment's settings, ``IMAGE_CLASSIFIER_*``.

    A second call changes nothing.

    Raises:
        StackError: the stack cannot be deployed.

    """
    cloudformation = client("cloudformation", endpoint_url=endpoint_url)
    parameters = {
        "BucketName": BUCKET_NAME,
        "FunctionRuntime": function_runtime.runtime(),
        "FunctionArchitecture": function_runtime.architecture(),
    }
    _create_or_update(cloudformation, endpoint_url=endpoint_url, parameters=parameters)
    outputs = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"][0]["Outputs"]
    by_name = {output["OutputKey"]: output["OutputValue"] for output in outputs}
    make_users(endpoint_url, outputs=by_name, bucket=by_name["Bucket"])
    return settings(outputs)


def settings(outputs: list[dict[str, str]]) -> dict[str, str]:
    """Return the outputs whose description is a variable ``IMAGE_CLASSIFIER_*``, by that variable."""
    return {
        output["Description"]: output["OutputValue"]
        for output in outputs
        if re.fullmatch(r"IMAGE_CLASSIFIER_[A-Z_]+", output.get("Description", ""))
    }


def _create_or_update(cloudformation: BaseClient, *, endpoint_url: str, parameters: Mapping[str, str]) -> None:
    status = _status(cloudformation)
    if status in _BROKEN:
        log.info("The stack %s is %s; it is deleted and created again", STACK_NAME, status)
        cloudformation.delete_stack(StackName=STACK_NAME)
        status = _final_status(cloudformation)
    request = {
        "StackName": STACK_NAME,
        "TemplateBody": TEMPLATE.read_text(),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    if status is None:
        _delete_unused_bucket(client("s3", endpoint_url=endpoint_url))
        cloudformation.create_stack(**request)
        log.info("Stack %s created", STACK_NAME)
    elif not _updated(cloudformation, request=request):
        return
    status = _final_status(cloudformation)
    if status not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise StackError(_why_failed(cloudformation, status))


def _delete_unused_bucket(s3: BaseClient) -> None:
    """Delete the bucket that a killed creation has left, because CloudFormation creates only what does not exist.

    Raises:
        StackError: it has objects.

    """
    try:
        s3.delete_bucket(Bucket=BUCKET_NAME)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "BucketNotEmpty":
            raise StackError(
                f"The stack {STACK_NAME} was deleted, and its bucket {BUCKET_NAME} has objects. Delete the bucket too, "
                "or the folder of the local AWS."
            ) from error
        if code != "NoSuchBucket":
            raise


def _updated(cloudformation: BaseClient, *, request: Mapping[str, object]) -> bool:
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise StackError(f"The stack {STACK_NAME} cannot be updated: {error}") from error
    log.info("Stack %s updated", STACK_NAME)
    return True


def _final_status(cloudformation: BaseClient) -> str | None:
    """Wait until no change of the stack is in progress; return its status, None if it does not exist."""
    deadline = time.monotonic() + _TIME_LIMIT_S
    while time.monotonic() < deadline:
        status = _status(cloudformation)
        if status is None or not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(_POLL_S)
    raise StackError(f"The stack {STACK_NAME} has not finished after {_TIME_LIMIT_S} s; see the log of MiniStack")


def _status(cloudformation: BaseClient) -> str | None:
    """Return the stack's status; None if it does not exist or was deleted."""
    try:
        stacks = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise StackError(f"The stack {STACK_NAME} cannot be described: {error}") from error
    status = str(stacks[0]["StackStatus"])
    return None if status == "DELETE_COMPLETE" else status


def _why_failed(cloudformation: BaseClient, status: str | None) -> str:
    events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"] if status else []
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in events
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    return f"The stack {STACK_NAME} is {status or 'gone'}: {'; '.join(reasons) or 'no reason given'}"
