"""Refuses event source mappings and reserved concurrency that Lambda refuses and MiniStack accepts."""

import json
from collections.abc import Callable, Mapping

from local_aws.ministack import execution_role, record_filters
from local_aws.ministack.documents import MappingRequest
from local_aws.ministack.function_refusals import invalid, json_error, refused_numbers
from local_aws.ministack.modules import Answer, lambda_svc, sqs

_UNRESERVED_MINIMUM = 100
_BOUNDS = {"BatchSize": (1, 10_000), "MaximumBatchingWindowInSeconds": (0, 300)}
_FIFO_BATCH = 10
_OF_STREAMS = (
    *("StartingPosition", "StartingPositionTimestamp", "ParallelizationFactor", "BisectBatchOnFunctionError"),
    *("MaximumRetryAttempts", "MaximumRecordAgeInSeconds", "TumblingWindowInSeconds", "DestinationConfig"),
)
_RESPONSE_TYPES = ["ReportBatchItemFailures"]
_NEEDED_OF_QUEUE = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")


def create_event_source_mapping(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap CreateEventSourceMapping."""

    def checked(data: MappingRequest) -> Answer:
        arn = data.get("EventSourceArn", "")
        if ":sqs:" not in arn:
            return original(data)
        return (
            refused_numbers(data, bounds=_BOUNDS)
            or _refused_members(data)
            or _refused_window(data, present={"EventSourceArn": arn})
            or _refused_queue(arn, function=data.get("FunctionName", ""))
            or _refused_twin(arn, function=data.get("FunctionName", ""))
            or original(data)
        )

    return checked


def update_event_source_mapping(original: Callable[..., Answer]) -> Callable[..., Answer]:
    """Wrap UpdateEventSourceMapping."""

    def checked(mapping_id: str, data: MappingRequest) -> Answer:
        present = lambda_svc._esms.get(mapping_id)
        if present is None or ":sqs:" not in present["EventSourceArn"]:
            return original(mapping_id, data)
        return (
            refused_numbers(data, bounds=_BOUNDS)
            or _refused_members(data)
            or _refused_window(data, present=present)
            or original(mapping_id, data)
        )

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


def _refused_members(data: MappingRequest) -> Answer | None:
    for name in _OF_STREAMS:
        if data.get(name) is not None:
            return invalid(f"Unsupported {name} parameter for given event source mapping type.")
    if any(kind not in _RESPONSE_TYPES for kind in data.get("FunctionResponseTypes") or []):
        return json_error(
            "ValidationException",
            f"1 validation error detected: Value '{data['FunctionResponseTypes']}' at 'functionResponseTypes' failed "
            f"to satisfy constraint: Member must satisfy enum value set: {_RESPONSE_TYPES}",
        )
    filters = (data.get("FilterCriteria") or {}).get("Filters") or []
    if not all(_is_pattern(item.get("Pattern")) for item in filters):
        return invalid("Invalid filter pattern definition.")
    return None


def _is_pattern(text: str | None) -> bool:
    try:
        return record_filters.is_pattern(json.loads(text or ""))
    except ValueError:
        return False


def _refused_window(data: MappingRequest, *, present: MappingRequest) -> Answer | None:
    batch_size = data.get("BatchSize", present.get("BatchSize", 10))
    window_s = data.get("MaximumBatchingWindowInSeconds", present.get("MaximumBatchingWindowInSeconds", 0))
    if present["EventSourceArn"].endswith(".fifo"):
        if window_s:
            return invalid("Batching window is not supported for FIFO queues")
        if batch_size > _FIFO_BATCH:
            return invalid(f"FIFO Queue Batch size must be less than or equal to {_FIFO_BATCH}.")
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
    missing = [
        action
        for action in _NEEDED_OF_QUEUE
        if not execution_role.allows(config["Role"], f"sqs:{action}", resource=arn)
    ]
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
    name, qualifier, missing = lambda_svc._resolve_existing_esm_function(function)
    if missing:
        return None  # MiniStack answers that the function does not exist
    function_arn = lambda_svc._func_arn(name) + (f":{qualifier}" if qualifier else "")
    for mapping in lambda_svc._esms.values():
        if (mapping["EventSourceArn"], mapping["FunctionArn"]) == (arn, function_arn):
            return json_error(
                "ResourceConflictException",
                f'An event source mapping with SQS arn (" {arn} ") and function (" {mapping["FunctionArn"]} ") already '
                f"exists. Please update or delete the existing mapping with UUID {mapping['UUID']}",
                status=409,
            )
    return None
