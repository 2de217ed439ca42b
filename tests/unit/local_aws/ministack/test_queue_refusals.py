"""Checks that the name of a deleted queue is free after a minute."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from local_aws.ministack.modules import sqs
from local_aws.ministack.queue_refusals import NAME_FREE_AFTER_S, DeletedNames

DELETION = {"QueueUrl": "http://127.0.0.1:4566/000000000000/images"}


async def answered(action: str, _data: Mapping[str, object], _url: str) -> Any:
    return action


@pytest.mark.parametrize("passed_s", [0, NAME_FREE_AFTER_S - 1])
def test_the_name_of_a_queue_is_taken_for_a_minute_after_its_deletion(passed_s: int) -> None:
    now = [0.0]
    request = DeletedNames(clock=lambda: now[0]).request(answered)
    asyncio.run(request("DeleteQueue", DELETION, ""))
    now[0] = passed_s

    with pytest.raises(sqs._Err, match="You must wait 60 seconds"):
        asyncio.run(request("CreateQueue", {"QueueName": "images"}, ""))
    assert asyncio.run(request("CreateQueue", {"QueueName": "others"}, "")) == "CreateQueue"

    now[0] = NAME_FREE_AFTER_S
    assert asyncio.run(request("CreateQueue", {"QueueName": "images"}, "")) == "CreateQueue"


def test_a_deletion_that_was_refused_leaves_the_name_free() -> None:
    async def refusing(action: str, data: Mapping[str, object], url: str) -> Any:
        if action == "DeleteQueue":
            raise sqs._Err("QueueDoesNotExist", "The specified queue does not exist.")
        return await answered(action, data, url)

    request = DeletedNames().request(refusing)
    with pytest.raises(sqs._Err, match="does not exist"):
        asyncio.run(request("DeleteQueue", DELETION, ""))

    assert asyncio.run(request("CreateQueue", {"QueueName": "images"}, "")) == "CreateQueue"
