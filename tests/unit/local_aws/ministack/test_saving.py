"""Checks that changes of configuration are saved before they are answered, and that objects and invocations do not
wait.
"""

import asyncio
import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from local_aws.ministack import saving as module
from local_aws.ministack import stack_operations, state_files
from local_aws.ministack.message_journal import MessageJournal
from local_aws.ministack.modules import app, persistence
from local_aws.ministack.saving import Saving, saved_before_the_answer


def scope(service: str, path: str, query: str = "") -> dict[str, object]:
    credential = f"AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/{service}/aws4_request, SignedHeaders=host"
    return {
        "path": path,
        "query_string": query.encode(),
        "headers": [(b"host", b"127.0.0.1"), (b"authorization", credential.encode())],
    }


@pytest.mark.parametrize(
    ("service", "path", "query", "saved"),
    [
        ("s3", "/bucket", "notification", "s3"),
        ("s3", "/bucket/", "", "s3"),
        ("s3", "/bucket/key", "", None),
        ("s3", "/bucket", "delete", None),
        ("lambda", "/2015-03-31/functions", "", "lambda"),
        ("lambda", "/2015-03-31/functions/f/aliases", "", "lambda"),
        ("lambda", "/2015-03-31/functions/f/invocations", "", None),
        ("sqs", "/", "", "sqs"),
        ("iam", "/", "", "iam"),
        ("cloudformation", "/", "", "cloudformation"),
        ("logs", "/", "", None),
    ],
)
def test_what_is_saved_before_the_answer(service: str, path: str, query: str, saved: str | None) -> None:
    assert saved_before_the_answer(scope(service, path, query)) == saved


@pytest.fixture
def saving(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Saving:
    """A Saving whose service answers 200, and whose state is in tmp_path."""

    async def created(_scope: object, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"created"})

    monkeypatch.setattr(persistence, "STATE_DIR", str(tmp_path / "state"))
    state = {"buckets": ["b"]}
    monkeypatch.setattr(app, "_build_persistence_save_dict", lambda: {name: lambda: state for name in ("s3", "iam")})
    return Saving(created, journal=MessageJournal(tmp_path / "messages"))


def answer(saving: Saving, service: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    request = scope(service, "/bucket")
    request["headers"] += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]  # type: ignore[operator]
    asyncio.run(saving({"type": "http", "method": "PUT", **request}, receive, send))
    assert [message["type"] for message in sent] == ["http.response.start", "http.response.body"]
    return sent[0]["status"], sent[1]["body"].decode()


def test_a_change_is_on_disk_when_it_is_answered(saving: Saving, tmp_path: Path) -> None:
    assert answer(saving, "s3") == (200, "created")
    assert json.loads((tmp_path / "state/s3.json").read_text())["payload"] == {"buckets": ["b"]}


@pytest.mark.parametrize(
    ("service", "headers", "code"),
    [
        ("s3", {}, "<Code>InternalError</Code>"),
        ("iam", {"content_type": "application/x-www-form-urlencoded"}, "<Code>InternalFailure</Code>"),
        ("iam", {}, '"__type": "InternalFailure"'),
    ],
)
def test_a_change_that_cannot_be_stored_is_refused_and_saved_later(
    service: str, headers: dict[str, str], code: str, saving: Saving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_files, "write_atomically", mock.Mock(side_effect=OSError(28, "No space left on device")))
    saving._is_changed = False

    status, text = answer(saving, service, **headers)

    assert (status, code in text, "No space left on device" in text) == (500, True, True)
    assert saving._is_changed


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"Action=GetRole&RoleName=r", {"content_type": "application/x-www-form-urlencoded"}, 200),
        (b"Action=CreateRole&RoleName=GetRole", {"content_type": "application/x-www-form-urlencoded"}, 500),
        (b"{}", {"x_amz_target": "AmazonSQS.GetQueueUrl"}, 200),
        (b"{}", {"x_amz_target": "AmazonSQS.CreateQueue"}, 500),
    ],
)
def test_what_only_reads_is_answered_on_a_full_disk(
    body: bytes, headers: dict[str, str], status: int, saving: Saving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_files, "write_atomically", mock.Mock(side_effect=OSError(28, "No space left on device")))

    assert answer(saving, "iam", body, **headers)[0] == status


@pytest.fixture
def statuses(saving: Saving, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The status of the stack, to be changed; the state of `saving` is one of stacks, IAM and S3."""
    stack, stacks = ["CREATE_IN_PROGRESS"], mock.Mock()
    stacks._data.values = lambda: [{"StackName": "s", "StackStatus": stack[-1]}]
    monkeypatch.setattr(stack_operations.cloudformation, "_stacks", stacks)
    names = ("cloudformation", "iam", "s3")
    monkeypatch.setattr(app, "_build_persistence_save_dict", lambda: {name: lambda: stack[-1] for name in names})
    return stack


FORM = {"content_type": "application/x-www-form-urlencoded"}


def test_what_a_stack_has_made_is_saved_when_its_operation_has_ended(
    saving: Saving, statuses: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[tuple[str, object]] = []
    monkeypatch.setattr(state_files, "save", lambda name, state: saved.append((name, state)))

    answer(saving, "cloudformation", b"Action=CreateStack", **FORM)
    answer(saving, "cloudformation", b"Action=DescribeStacks", **FORM)
    assert saved == [("cloudformation", "CREATE_IN_PROGRESS")]
    statuses.append("CREATE_COMPLETE")
    for _ in range(2):
        answer(saving, "cloudformation", b"Action=DescribeStacks", **FORM)

    assert saved[1:] == [(name, "CREATE_COMPLETE") for name in ("iam", "s3", "cloudformation")]


@pytest.mark.parametrize(
    ("status", "seconds", "waits"),
    [
        ("CREATE_IN_PROGRESS", 59, True),
        ("CREATE_IN_PROGRESS", 61, False),
        ("REVIEW_IN_PROGRESS", 0, False),
        ("UPDATE_COMPLETE", 0, False),
    ],
)
def test_the_regular_save_waits_for_an_operation_on_a_stack_for_a_minute(
    saving: Saving, statuses: list[str], monkeypatch: pytest.MonkeyPatch, status: str, seconds: float, waits: bool
) -> None:
    now = mock.Mock(return_value=1000.0)
    monkeypatch.setattr(module.time, "monotonic", now)
    statuses.append(status)
    saving._waits_for_a_stack()
    now.return_value += seconds

    assert saving._waits_for_a_stack() is waits


@pytest.mark.parametrize(
    ("interrupted", "ended"),
    [
        ("CREATE_IN_PROGRESS", "CREATE_FAILED"),
        ("UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"),
        ("DELETE_IN_PROGRESS", "DELETE_FAILED"),
        ("ROLLBACK_IN_PROGRESS", "ROLLBACK_FAILED"),
        ("CREATE_COMPLETE", "CREATE_COMPLETE"),
    ],
)
def test_an_operation_that_a_kill_has_interrupted_is_ended_at_the_start(
    monkeypatch: pytest.MonkeyPatch, interrupted: str, ended: str
) -> None:
    stack = {"StackName": "s", "StackStatus": interrupted}
    monkeypatch.setattr(stack_operations.cloudformation, "_stacks", mock.Mock(_data={"s": stack}))

    stack_operations.end_interrupted()

    assert stack["StackStatus"] == ended
