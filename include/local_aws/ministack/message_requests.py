"""Answers requests about messages and queues as SQS does where MiniStack accepts more, or refuses what SQS accepts."""

import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, TypedDict

import botocore.session

from local_aws.ministack.modules import sqs

Request = Mapping[str, object]
Dispatch = Callable[..., Awaitable[Any]]  # the answer's members depend on the action

_HANDLE = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # as MiniStack makes them
_INVALID_HANDLE = "ReceiptHandleIsInvalid"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}|(?=.{1,80}$)[A-Za-z0-9_-]+\.fifo")
_NAME_RULE = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
_MOST_S = {"DelaySeconds": 900, "VisibilityTimeout": 43_200, "WaitTimeSeconds": 20}
_ATTRIBUTES = frozenset(botocore.session.get_session().get_service_model("sqs").shape_for("QueueAttributeName").enum)


class Entry(TypedDict):
    """One message in the answer to a batch."""

    Id: str


class BatchAnswer(TypedDict):
    """The answer to DeleteMessageBatch."""

    Successful: list[Entry]
    Failed: list[Entry]


def limits(original: Dispatch) -> Dispatch:
    """Wrap the dispatch of requests: times and names beyond SQS's limits are refused."""

    async def checked(action: str, data: Request, queue_url: str) -> object:
        _check_name(action, data)
        for request in (data, *_entries(data)):
            for name, most_s in _MOST_S.items():
                _check_time(request.get(name), name=name, most_s=most_s)
        return await original(action, data, queue_url)

    return checked


def deletions(original: Dispatch) -> Dispatch:
    """Wrap the dispatch of requests: deleting with an old handle, or a second time, succeeds without effect.

    As the API reference says of a ReceiptHandle that is not the newest: "the request will succeed, but the message
    might not be deleted".
    """

    async def deleted(action: str, data: Request, queue_url: str) -> object:
        if action == "DeleteMessage" and _is_handle(data):
            try:
                return await original(action, data, queue_url)
            except sqs._Err as error:
                if error.code != _INVALID_HANDLE:
                    raise
                return {}
        answer = await original(action, data, queue_url)
        return _with_old_handles(answer, data) if action == "DeleteMessageBatch" else answer

    return deleted


def _with_old_handles(answer: BatchAnswer, data: Request) -> BatchAnswer:
    old = {str(entry.get("Id")) for entry in _entries(data) if _is_handle(entry)}
    failed = [entry for entry in answer["Failed"] if entry["Id"] not in old]
    succeeded: list[Entry] = [{"Id": entry["Id"]} for entry in answer["Failed"] if entry["Id"] in old]
    return {"Successful": answer["Successful"] + succeeded, "Failed": failed}


def _is_handle(request: Request) -> bool:
    return _HANDLE.fullmatch(str(request.get("ReceiptHandle"))) is not None


def _entries(data: Request) -> Iterator[Request]:
    entries = data.get("Entries")
    return (entry for entry in (entries if isinstance(entries, list) else []) if isinstance(entry, dict))


def _check_name(action: str, data: Request) -> None:
    name, attributes = str(data.get("QueueName") or ""), data.get("Attributes")
    if action == "CreateQueue" and name and not _NAME.fullmatch(name):
        raise sqs._Err("InvalidParameterValue", _NAME_RULE)
    if action in ("CreateQueue", "SetQueueAttributes") and isinstance(attributes, dict):
        unknown = sorted(set(attributes) - _ATTRIBUTES)
        if unknown:
            raise sqs._Err("InvalidAttributeName", f"Unknown Attribute {unknown[0]}.")


def _check_time(value: object, *, name: str, most_s: int) -> None:
    text = str(value)
    if value is not None and not (text.isdecimal() and int(text) <= most_s):
        message = f"Value {text} for parameter {name} is invalid. Reason: Must be between 0 and {most_s}."
        raise sqs._Err("InvalidParameterValue", message)
