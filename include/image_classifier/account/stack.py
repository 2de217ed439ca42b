"""Creates, updates and deletes the CloudFormation stack of include/infrastructure/template.yaml."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError, WaiterError

from image_classifier.aws.settings import PREFIX
from image_classifier.contracts.errors import StackError
from image_classifier.shipped import shipped

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_cloudformation.type_defs import ParameterTypeDef

log = logging.getLogger(__name__)

STACK_NAME = "image-classifier"
TEMPLATE = shipped("infrastructure/template.yaml")
# A stack whose creation failed has no working resource, and CloudFormation allows only its deletion.
NEVER_CREATED = frozenset({"CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"})
POLL_S, MOST_POLLS = 5, 720
Outcome = Literal["created", "updated", "unchanged"]
_Waited = Literal["stack_create_complete", "stack_update_complete", "stack_delete_complete"]


@dataclass(frozen=True)
class StackRequest:
    """The stack to deploy.

    Attributes:
        name: the stack's name in CloudFormation.
        parameters: the template's parameters by name. A missing parameter keeps its value in an update, and has the
            template's default in a creation.
        template: the template's text.

    """

    name: str = STACK_NAME
    parameters: Mapping[str, str] = field(default_factory=dict)
    template: str = field(default_factory=TEMPLATE.read_text, repr=False)


def deploy_stack(cloudformation: "CloudFormationClient", request: StackRequest, *, poll_s: float = POLL_S) -> Outcome:
    """Create the stack, or update it if it exists, and wait for the end; a second call changes nothing.

    Raises:
        StackError: CloudFormation refuses the request or rolls the change back; the message names the failed resources.

    """
    found = describe_stack(cloudformation, request.name)
    if found and found["StackStatus"] in NEVER_CREATED:
        log.info("Stack %s is %s: it is deleted and created anew", request.name, found["StackStatus"])
        delete_stack(cloudformation, request.name, poll_s=poll_s)
        found = None
    if found and found["StackStatus"].endswith("_IN_PROGRESS"):
        raise StackError(f"Stack {request.name} is {found['StackStatus']}. Wait for its end, then run this again.")
    if found is None:
        _call(request.name, lambda: cloudformation.create_stack(**_common(request, known=())))
        _await(cloudformation, request.name, "stack_create_complete", poll_s=poll_s)
        return "created"
    known = [parameter["ParameterKey"] for parameter in found.get("Parameters", [])]
    if not _is_updated(cloudformation, request, known=known):
        return "unchanged"
    _await(cloudformation, request.name, "stack_update_complete", poll_s=poll_s)
    return "updated"


def delete_stack(cloudformation: "CloudFormationClient", name: str, *, poll_s: float = POLL_S) -> None:
    """Delete the stack and wait for the end; resources that the template retains are kept.

    Raises:
        StackError: CloudFormation cannot delete a resource; the message names it.

    """
    _call(name, lambda: cloudformation.delete_stack(StackName=name))
    _await(cloudformation, name, "stack_delete_complete", poll_s=poll_s)


def describe_stack(cloudformation: "CloudFormationClient", name: str) -> Mapping[str, Any] | None:
    """Return DescribeStacks' description of the stack, or None if it does not exist.

    Raises:
        StackError: CloudFormation refuses the request.

    """
    try:
        stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise StackError(f"Stack {name} cannot be described: {error}") from error
    return None if not stacks or stacks[0]["StackStatus"] == "DELETE_COMPLETE" else stacks[0]


def settings_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return the IMAGE_CLASSIFIER_* variables, whose names are in the descriptions of the stack's outputs."""
    return {
        output["Description"]: output["OutputValue"]
        for output in stack.get("Outputs", [])
        if re.fullmatch(rf"{PREFIX}[A-Z_]+", output.get("Description", ""))
    }


def output_of(stack: Mapping[str, Any], key: str) -> str | None:
    """Return the value of one output of a stack; None if the stack has no such output."""
    values = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
    return values.get(key)


def _common(request: StackRequest, *, known: Sequence[str]) -> dict[str, Any]:
    given: list[ParameterTypeDef] = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in request.parameters.items()
    ]
    kept: list[ParameterTypeDef] = [
        {"ParameterKey": key, "UsePreviousValue": True} for key in known if key not in request.parameters
    ]
    return {
        "StackName": request.name,
        "TemplateBody": request.template,
        "Parameters": [*given, *kept],
        "Capabilities": ["CAPABILITY_IAM"],
        "Tags": [{"Key": "image-classifier", "Value": "shared"}],
    }


def _is_updated(cloudformation: "CloudFormationClient", request: StackRequest, *, known: Sequence[str]) -> bool:
    try:
        cloudformation.update_stack(**_common(request, known=known))
    except ClientError as error:
        if "No updates are to be performed" in str(error):
            return False
        raise _refusal(request.name, error) from error
    return True


def _call(name: str, call: Any) -> None:
    try:
        call()
    except ClientError as error:
        raise _refusal(name, error) from error


def _refusal(name: str, error: ClientError) -> StackError:
    message = error.response["Error"].get("Message", str(error))
    return StackError(
        f"CloudFormation refuses {error.operation_name} of stack {name}: {message} The person who deploys needs the "
        "right to manage stacks, IAM roles and policies, S3 buckets and SQS queues."
    )


def _await(cloudformation: "CloudFormationClient", name: str, what: _Waited, *, poll_s: float) -> None:
    waiter: Any = cloudformation.get_waiter(what)
    try:
        waiter.wait(StackName=name, WaiterConfig={"Delay": poll_s, "MaxAttempts": MOST_POLLS})
    except WaiterError as error:
        raise StackError(_why_failed(cloudformation, name)) from error


def _why_failed(cloudformation: "CloudFormationClient", name: str) -> str:
    """Return a sentence with the stack's status and the failed resources, the first failure first."""
    found = describe_stack(cloudformation, name)
    status = found["StackStatus"] if found else "gone"
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"] if found else []
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
    ]
    return (
        f"Stack {name} is {status}. {'; '.join(reasons) or 'CloudFormation gives no reason'}. Correct it and run this "
        "again; a change that failed was rolled back."
    )
