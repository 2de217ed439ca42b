"""Refuses event source mappings and reserved concurrency that Lambda refuses and MiniStack accepts."""

from collections.abc import Callable, Mapping

from local_aws.ministack.documents import MappingRequest
from local_aws.ministack.function_refusals import invalid, json_error, refused_numbers
from local_aws.ministack.modules import Answer, iam_evaluator, lambda_svc, responses, sqs

_UNRESERVED_MINIMUM = 100
_BOUNDS = {"BatchSize": (1, 10_000), "MaximumBatchingWindowInSeconds": (0, 300)}
_NEEDED_OF_QUEUE = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")


def create_event_source_mapping(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap CreateEventSourceMapping."""

    def checked(data: MappingRequest) -> Answer:
        arn = data.get("EventSourceArn", "")
        if ":sqs:" not in arn:
            return original(data)
        return (
            refused_numbers(data, bounds=_BOUNDS)
            or _refused_window(data, present={})
            or _refused_queue(arn, function=data.get("FunctionName", ""))
            or _refused_twin(arn, function=data.get("FunctionName", ""))
            or original(data)
        )

    return checked


def update_event_source_mapping(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap UpdateEventSourceMapping."""

    def checked(mapping_id: str, data: MappingRequest) -> Answer:
        present = lambda_svc._esms.get(mapping_id)
        refused = refused_numbers(data, bounds=_BOUNDS) or _refused_window(data, present=present) if present else None
        return refused or original(mapping_id, data)

    return checked


def put_function_concurrency(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap PutFunctionConcurrency: AWS keeps 100 executions (small accounts: all) without a reservation."""

    def checked(name: str, data: Mapping[str, int]) -> Answer:
        limit = lambda_svc._ACCOUNT_CONCURRENCY_CAP
        wanted = int(data.get("ReservedConcurrentExecutions", 0))
        others = sum(int(item.get("concurrency") or 0) for key, item in lambda_svc._functions.items() if key != name)
        least = min(_UNRESERVED_MINIMUM, limit)
        if name in lambda_svc._functions and wanted and limit - others - wanted < least:
            return invalid(
                "Specified ReservedConcurrentExecutions for function decreases account's "
                f"UnreservedConcurrentExecution below its minimum value of [{least}]."
            )
        return original(name, data)

    return checked


def _refused_window(data: MappingRequest, *, present: MappingRequest) -> Answer | None:
    batch_size = data.get("BatchSize", present.get("BatchSize", 10))
    window_s = data.get("MaximumBatchingWindowInSeconds", present.get("MaximumBatchingWindowInSeconds", 0))
    if batch_size > 10 and window_s < 1:
        return invalid(
            "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
        )
    return None


def _refused_queue(arn: str, *, function: str) -> Answer | None:
    queue = sqs._queue_by_arn(arn)
    record, config, _ = lambda_svc._get_func_record_for_ref(function)
    if record is None:
        return None  # MiniStack answers that the function does not exist
    if queue is None:
        return invalid(
            "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. "
            "SQS Error Message: The specified queue does not exist."
        )
    missing = [action for action in _NEEDED_OF_QUEUE if not _may(config["Role"], f"sqs:{action}", resource=arn)]
    if missing:
        return invalid(f"The provided execution role does not have permissions to call {missing[0]} on SQS")
    visibility_s = int(queue["attributes"].get("VisibilityTimeout", "30"))
    if visibility_s < config["Timeout"]:
        return invalid(
            f"Queue visibility timeout: {visibility_s} seconds is less than Function timeout: "
            f"{config['Timeout']} seconds"
        )
    return None


def _refused_twin(arn: str, *, function: str) -> Answer | None:
    _, config, _ = lambda_svc._get_func_record_for_ref(function)
    for mapping in lambda_svc._esms.values():
        if config and mapping["EventSourceArn"] == arn and mapping["FunctionName"] == config["FunctionName"]:
            return json_error(
                "ResourceConflictException",
                f'An event source mapping with SQS arn (" {arn} ") and function (" {mapping["FunctionArn"]} ") already '
                f"exists. Please update or delete the existing mapping with UUID {mapping['UUID']}",
                status=409,
            )
    return None


def _may(role_arn: str, action: str, *, resource: str) -> bool:
    account = responses.get_account_id()
    policies = iam_evaluator._gather_role_policies(role_arn.rsplit("/", 1)[-1], account)
    context = iam_evaluator.EvalContext(
        principal_arn=role_arn,
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=resource,
        region=responses.get_region(),
        secure_transport=True,
    )
    decision: str = iam_evaluator.evaluate(context, policies).decision
    return decision == "Allow"
