"""Checks the faults of events and roles through boto3."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import MiniStack

# Notes each event under a name of its own, in the order in which they come.
NOTE_EVENT = """
import boto3, json, time, urllib.parse
s3 = boto3.client("s3")
def handler(event, context):
    record = event["Records"][0]["s3"]
    name = urllib.parse.unquote_plus(record["object"]["key"]).rsplit("/", 1)[-1]
    key = f"faults/notes/{time.time_ns()}-{name}"
    s3.put_object(Bucket=record["bucket"]["name"], Key=key, Body=json.dumps(record["object"]))
"""


@pytest.fixture
def plan(ministack: MiniStack) -> Iterator[Callable[..., None]]:
    """Write the fault plan; it is gone after the test."""
    yield ministack.plan
    ministack.fault_plan.unlink(missing_ok=True)


def test_events_are_lost_repeated_and_overtaken_as_planned(ministack: MiniStack, plan: Callable[..., None]) -> None:
    ministack.notify(("faults/incoming/", ministack.create_function("image-classifier-faults", NOTE_EVENT)))

    def event(do: str, name: str, **more: Any) -> dict[str, Any]:
        return {"fault": "s3_event", "do": do, "where": {"Key": f"faults/incoming/{name}"}, **more}

    plan(event("lose", "lost"), event("repeat", "twice"), event("reorder", "overtaken", seconds=60))
    for name in ("lost", "twice", "overtaken", "last"):
        ministack.client("s3").put_object(Bucket=ministack.bucket, Key=f"faults/incoming/{name}", Body=b"image")

    noted = until(lambda: len(keys := ministack.keys("faults/notes/")) == 4 and keys)
    names = [key.rsplit("-", 1)[-1] for key in noted]
    assert sorted(names) == ["last", "overtaken", "twice", "twice"]
    assert names.index("last") < names.index("overtaken")
    first, second = (json.loads(ministack.read(key)) for key in noted if key.endswith("twice"))
    assert first["sequencer"] == second["sequencer"]


def test_a_role_that_was_made_a_moment_ago_cannot_be_assumed_by_lambda_yet(
    ministack: MiniStack, plan: Callable[..., None]
) -> None:
    plan({"fault": "role_not_ready", "seconds": 0.5, "where": {"FunctionName": "image-classifier-new-role"}})
    source = "def handler(event, context): return 1"
    with pytest.raises(ClientError) as caught:
        ministack.create_function("image-classifier-new-role", source)

    def created() -> bool:
        try:
            ministack.create_function("image-classifier-new-role", source)
        except ClientError:
            return False
        return True

    assert caught.value.response["Error"] == {
        "Code": "InvalidParameterValueException",
        "Message": "The role defined for the function cannot be assumed by Lambda.",
    }
    assert until(created)
