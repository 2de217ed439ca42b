"""Deploys the CloudFormation template to the local AWS, as a user deploys it to AWS."""

import logging
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    _create_or_update(cloudformation, parameters=parameters)
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


def _create_or_update(cloudformation: Any, *, parameters: Mapping[str, str]) -> None:
    stack = _describe(cloudformation)
    if stack and stack["StackStatus"] in {"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"}:
        log.info("The stack %s is %s; it is deleted and created again", STACK_NAME, stack["StackStatus"])
        cloudformation.delete_stack(StackName=STACK_NAME)
        stack = _finished(cloudformation)
    request = {
        "StackName": STACK_NAME,
        "TemplateBody": TEMPLATE.read_text(),
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": ["CAPABILITY_IAM"],
    }
    if stack is None:
        cloudformation.create_stack(**request)
        log.info("Stack %s created", STACK_NAME)
    elif not _updated(cloudformation, request=request):
        return
    stack = _finished(cloudformation)
    if stack is None or stack["StackStatus"] not in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}:
        raise StackError(_why_failed(cloudformation, stack))


def _updated(cloudformation: Any, *, request: Mapping[str, Any]) -> bool:
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise StackError(f"The stack {STACK_NAME} cannot be updated: {error}") from error
    log.info("Stack %s updated", STACK_NAME)
    return True


def _finished(cloudformation: Any) -> dict[str, Any] | None:
    deadline = time.monotonic() + _TIME_LIMIT_S
    while time.monotonic() < deadline:
        stack = _describe(cloudformation)
        if stack is None or not stack["StackStatus"].endswith("_IN_PROGRESS"):
            return stack
        time.sleep(_POLL_S)
    raise StackError(f"The stack {STACK_NAME} has not finished after {_TIME_LIMIT_S} s; see the log of MiniStack")


def _describe(cloudformation: Any) -> dict[str, Any] | None:
    try:
        stacks = cloudformation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise StackError(f"The stack {STACK_NAME} cannot be described: {error}") from error
    stack: dict[str, Any] = stacks[0]
    return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack


def _why_failed(cloudformation: Any, stack: Mapping[str, Any] | None) -> str:
    status = stack["StackStatus"] if stack else "gone"
    events = cloudformation.describe_stack_events(StackName=STACK_NAME)["StackEvents"] if stack else []
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in events
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    return f"The stack {STACK_NAME} is {status}: {'; '.join(reasons) or 'no reason given'}"
