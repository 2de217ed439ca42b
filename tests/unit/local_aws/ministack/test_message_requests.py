"""Checks that requests to SQS are answered as by SQS where MiniStack's answer differs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from local_aws.ministack.message_requests import deletions, limits
from local_aws.ministack.modules import sqs


@pytest.fixture
def ask() -> Iterator[Callable[..., Any]]:
    dispatch: Callable[..., Awaitable[Any]] = deletions(limits(sqs._dispatch))

    def asked(action: str, **data: object) -> Any:
        return asyncio.run(dispatch(action, data, ""))

    sqs._queues._data.clear()
    yield asked
    sqs._queues._data.clear()


@pytest.fixture
def queue(ask: Callable[..., Any]) -> str:
    url: str = ask("CreateQueue", QueueName="images", Attributes={"VisibilityTimeout": "0"})["QueueUrl"]
    return url


def test_deleting_with_an_old_handle_or_again_succeeds(ask: Callable[..., Any], queue: str) -> None:
    ask("SendMessage", QueueUrl=queue, MessageBody="a")
    old, new = (ask("ReceiveMessage", QueueUrl=queue)["Messages"][0]["ReceiptHandle"] for _ in range(2))
    assert old != new

    def entry(name: str, handle: str) -> dict[str, str]:
        return {"Id": name, "ReceiptHandle": handle}

    assert ask("DeleteMessage", QueueUrl=queue, ReceiptHandle=old) == {}
    assert ask("ReceiveMessage", QueueUrl=queue)["Messages"][0]["Body"] == "a"
    entries = [entry("old", old), entry("made-up", "no handle")]
    answer = ask("DeleteMessageBatch", QueueUrl=queue, Entries=entries)
    assert [item["Id"] for item in answer["Successful"]] == ["old"]
    assert [(item["Id"], item["Code"]) for item in answer["Failed"]] == [("made-up", "ReceiptHandleIsInvalid")]
    newest = ask("ReceiveMessage", QueueUrl=queue)["Messages"][0]["ReceiptHandle"]
    for _ in range(2):
        assert ask("DeleteMessage", QueueUrl=queue, ReceiptHandle=newest) == {}
    assert not ask("ReceiveMessage", QueueUrl=queue).get("Messages")


@pytest.mark.parametrize("handle", ["no handle", ""])
def test_a_made_up_handle_is_refused(handle: str, ask: Callable[..., Any], queue: str) -> None:
    with pytest.raises(sqs._Err) as caught:
        ask("DeleteMessage", QueueUrl=queue, ReceiptHandle=handle)
    assert caught.value.code == ("ReceiptHandleIsInvalid" if handle else "MissingParameter")


def test_deleting_from_no_queue_is_refused(ask: Callable[..., Any], queue: str) -> None:
    handle = "12345678-1234-1234-1234-123456789abc"
    with pytest.raises(sqs._Err) as caught:
        ask("DeleteMessage", QueueUrl=f"{queue}-2", ReceiptHandle=handle)
    assert caught.value.code != "ReceiptHandleIsInvalid"


@pytest.mark.parametrize(
    ("action", "request_", "code"),
    [
        ("SendMessage", {"MessageBody": "a", "DelaySeconds": 901}, "InvalidParameterValue"),
        ("SendMessage", {"MessageBody": "a", "DelaySeconds": "-1"}, "InvalidParameterValue"),
        (
            "SendMessageBatch",
            {"Entries": [{"Id": "1", "MessageBody": "a", "DelaySeconds": 901}]},
            "InvalidParameterValue",
        ),
        ("ReceiveMessage", {"WaitTimeSeconds": 21}, "InvalidParameterValue"),
        ("ReceiveMessage", {"VisibilityTimeout": 43_201}, "InvalidParameterValue"),
        ("CreateQueue", {"QueueName": "a b"}, "InvalidParameterValue"),
        ("CreateQueue", {"QueueName": "a" * 81}, "InvalidParameterValue"),
        ("CreateQueue", {"QueueName": "a" * 76 + ".fifo"}, "InvalidParameterValue"),
        ("CreateQueue", {"QueueName": "a", "Attributes": {"Visibility": "1"}}, "InvalidAttributeName"),
        ("SetQueueAttributes", {"Attributes": {"Visibility": "1"}}, "InvalidAttributeName"),
    ],
)
def test_what_sqs_refuses(
    action: str, request_: dict[str, object], code: str, ask: Callable[..., Any], queue: str
) -> None:
    with pytest.raises(sqs._Err) as caught:
        ask(action, QueueUrl=queue, **request_)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["a" * 80, "a-b_C1", "a" * 75 + ".fifo"])
def test_names_that_sqs_accepts(name: str, ask: Callable[..., Any]) -> None:
    assert ask("CreateQueue", QueueName=name)["QueueUrl"].endswith(f"/{name}")


def test_the_longest_times_are_accepted(ask: Callable[..., Any], queue: str) -> None:
    assert ask("SendMessage", QueueUrl=queue, MessageBody="a", DelaySeconds=900)["MessageId"]
    assert ask("ReceiveMessage", QueueUrl=queue, VisibilityTimeout=43_200) is not None
