"""Refuses retry rules and destinations of asynchronous invocations that Lambda refuses and MiniStack accepts."""

from collections.abc import Callable

from local_aws.ministack import execution_role
from local_aws.ministack.documents import EventInvokeConfig, FunctionRecord
from local_aws.ministack.function_refusals import invalid, refused_numbers
from local_aws.ministack.modules import Answer, lambda_svc

_BOUNDS = {"MaximumRetryAttempts": (0, 2), "MaximumEventAgeInSeconds": (60, 21_600)}
_ACTIONS = {"sqs": "sqs:SendMessage", "sns": "sns:Publish", "lambda": "lambda:InvokeFunction"}


def put_event_invoke_config(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap PutFunctionEventInvokeConfig."""

    def checked(name: str, qualifier: str | None, data: EventInvokeConfig) -> Answer:
        function: FunctionRecord | None = lambda_svc._functions.get(name)
        refused = refused_numbers(data, bounds=_BOUNDS)
        if function and not refused:
            refused = _refused_destinations(data, function=function)
        return refused or original(name, qualifier, data)

    return checked


def _refused_destinations(data: EventInvokeConfig, *, function: FunctionRecord) -> Answer | None:
    destinations = data.get("DestinationConfig") or {}
    for destination in (destinations.get("OnSuccess"), destinations.get("OnFailure")):
        arn = (destination or {}).get("Destination")
        refused = _refused_destination(arn, function=function) if arn else None
        if refused:
            return refused
    return None


def _refused_destination(arn: str, *, function: FunctionRecord) -> Answer | None:
    service = arn.split(":")[2] if arn.count(":") >= 5 else ""
    if service == "lambda":
        record, config, _ = lambda_svc._get_func_record_for_ref(arn)
        if record is None:
            return invalid(f"The destination ARN {arn} is invalid.")
        if config["FunctionName"] == function["config"]["FunctionName"]:
            return invalid("You can't specify the function as a destination for itself.")
    action = _ACTIONS.get(service)  # MiniStack refuses other services
    if action and not execution_role.allows(function["config"]["Role"], action, resource=arn):
        call = action.partition(":")[2]
        return invalid(f"The function's execution role does not have permissions to call {call} on {arn}")
    return None
