"""Checks reserved concurrency: its bounds, and invocations above it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from tests.waiting import until

if TYPE_CHECKING:
    from conftest import MiniStack

# Answers once somebody has written the object that it waits for.
WAITING = """
import boto3, time
s3 = boto3.client("s3")
def handler(event, context):
    s3.put_object(Bucket=event["bucket"], Key=f"concurrency/started/{event['name']}", Body=b"")
    while "Contents" not in s3.list_objects_v2(Bucket=event["bucket"], Prefix=f"concurrency/go/{event['name']}"):
        time.sleep(0.05)
    return event["name"]
"""


def test_above_its_reservation_a_call_is_throttled_and_an_event_waits(ministack: MiniStack) -> None:
    name, functions, s3 = "image-classifier-reserved", ministack.client("lambda"), ministack.client("s3")
    ministack.create_function(name, WAITING)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    assert functions.get_function_concurrency(FunctionName=name)["ReservedConcurrentExecutions"] == 1

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(ministack.invoke, name, {"bucket": ministack.bucket, "name": "first"})
        until(lambda: ministack.keys("concurrency/started/first"))
        functions.meta.config.retries = {"total_max_attempts": 1}
        with pytest.raises(functions.exceptions.TooManyRequestsException) as caught:
            functions.invoke(FunctionName=name, Payload=b"{}")
        functions.invoke(
            FunctionName=name,
            InvocationType="Event",
            Payload=f'{{"bucket": "{ministack.bucket}", "name": "later"}}',
        )
        threading.Event().wait(0.5)
        assert not ministack.keys("concurrency/started/later")
        s3.put_object(Bucket=ministack.bucket, Key="concurrency/go/first", Body=b"")
        assert first.result() == ("first", None)

    assert caught.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    until(lambda: ministack.keys("concurrency/started/later"))
    s3.put_object(Bucket=ministack.bucket, Key="concurrency/go/later", Body=b"")
    functions.delete_function_concurrency(FunctionName=name)
    assert "ReservedConcurrentExecutions" not in functions.get_function_concurrency(FunctionName=name)


def test_a_hundred_executions_stay_unreserved(ministack: MiniStack) -> None:
    name, functions = "image-classifier-greedy", ministack.client("lambda")
    ministack.create_function(name, "def handler(event, context): pass")
    limits = functions.get_account_settings()["AccountLimit"]
    assert (limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]) == (1000, 1000)

    with pytest.raises(ClientError) as caught:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=901)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=900)

    assert caught.value.response["Error"]["Code"] == "InvalidParameterValueException"
    assert "below its minimum value of [100]" in caught.value.response["Error"]["Message"]
    assert functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"] == 100
    functions.delete_function_concurrency(FunctionName=name)
