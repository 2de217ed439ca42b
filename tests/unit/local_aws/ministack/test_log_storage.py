"""Checks that log events are taken by the rules of CloudWatch Logs, and that old ones are not kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from local_aws.ministack import log_storage
from local_aws.ministack.modules import cloudwatch_logs

NOW_MS = 1_764_500_000_000
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@pytest.fixture(autouse=True)
def group(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    monkeypatch.setattr(log_storage.time, "time", lambda: NOW_MS / 1000)
    cloudwatch_logs._create_log_group({"logGroupName": "g"})
    cloudwatch_logs._create_log_stream({"logGroupName": "g", "logStreamName": "s"})
    yield cloudwatch_logs._log_groups["g"]
    cloudwatch_logs.reset()


def put(*times_ms: int, message: str = "m", stream: str = "s") -> tuple[int, dict[str, Any]]:
    events = [{"timestamp": NOW_MS + time_ms, "message": message} for time_ms in times_ms]
    request = {"logGroupName": "g", "logStreamName": stream, "logEvents": events}
    status, _, body = log_storage.put_log_events(request)
    return status, json.loads(body)


def kept_times(group: dict[str, Any]) -> dict[str, list[int]]:
    streams = group["streams"].items()
    return {name: [event["timestamp"] - NOW_MS for event in stream["events"]] for name, stream in streams}


def test_events_are_stored_in_their_order(group: dict[str, Any]) -> None:
    status, answer = put(-2, -1, 0)

    assert (status, "rejectedLogEventsInfo" in answer) == (200, False)
    assert kept_times(group) == {"s": [-2, -1, 0]}
    assert len({event["eventId"] for event in group["streams"]["s"]["events"]}) == 3


def test_an_event_is_in_memory_once() -> None:
    put(0)

    assert not cloudwatch_logs._log_records


@pytest.mark.parametrize(
    ("times_ms", "retention_days", "rejected", "stored"),
    [
        ((-15 * DAY_MS, 0), None, {"tooOldLogEventEndIndex": 1}, [0]),
        ((0, 3 * HOUR_MS), None, {"tooNewLogEventStartIndex": 1}, [0]),
        ((-4 * DAY_MS, 0), 3, {"expiredLogEventEndIndex": 1}, [0]),
        (
            (-15 * DAY_MS, -4 * DAY_MS, 0, 3 * HOUR_MS),
            3,
            {"tooOldLogEventEndIndex": 1, "expiredLogEventEndIndex": 2, "tooNewLogEventStartIndex": 3},
            [0],
        ),
        ((-15 * DAY_MS,), None, {"tooOldLogEventEndIndex": 1}, []),
    ],
)
def test_events_too_old_or_new_are_rejected_and_the_others_stored(
    group: dict[str, Any],
    times_ms: tuple[int, ...],
    retention_days: int | None,
    rejected: dict[str, int],
    stored: list[int],
) -> None:
    group["retentionInDays"] = retention_days

    status, answer = put(*times_ms)

    assert (status, answer["rejectedLogEventsInfo"]) == (200, rejected)
    assert kept_times(group) == {"s": stored}


@pytest.mark.parametrize(
    ("times_ms", "message", "reason"),
    [
        ((0, -1), "m", "chronological order"),
        ((-25 * HOUR_MS, 0), "m", "span more than 24 hours"),
        ((0, 0), "m" * 600_000, "1200052 bytes exceeds limit of 1048576"),
        ((0,) * 10_001, "m", "10001"),
        ((), "m", "this one has 0"),
        ((0,), "", "must not be empty"),
    ],
)
def test_a_batch_beyond_a_limit_is_refused_whole(
    group: dict[str, Any], times_ms: tuple[int, ...], message: str, reason: str
) -> None:
    status, answer = put(*times_ms, message=message)

    assert (status, answer["__type"]) == (400, "InvalidParameterException")
    assert reason in answer["message"]
    assert kept_times(group) == {"s": []}


def test_a_stream_that_does_not_exist_is_refused() -> None:
    assert put(0, stream="none")[1]["__type"] == "ResourceNotFoundException"


def test_events_expire_with_the_retention_of_their_group(group: dict[str, Any]) -> None:
    put(-4 * DAY_MS)
    put(-1, 0)
    cloudwatch_logs._create_log_stream({"logGroupName": "g", "logStreamName": "old"})
    cloudwatch_logs._create_log_stream({"logGroupName": "g", "logStreamName": "new"})
    put(-4 * DAY_MS, stream="old")
    group["retentionInDays"] = 3

    log_storage.expire()

    assert kept_times(group) == {"s": [-1, 0], "new": []}
    assert group["streams"]["s"]["firstEventTimestamp"] == NOW_MS - 1


def test_without_a_retention_the_newest_events_that_fit_are_kept(
    group: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudwatch_logs._create_log_stream({"logGroupName": "g", "logStreamName": "t"})
    put(-5, -3, message="m" * 600)
    put(-4, -2, message="m" * 600, stream="t")
    log_storage.expire()
    all_fit = kept_times(group)
    monkeypatch.setattr(log_storage, "GROUP_BYTES", 3 * 1000)

    log_storage.expire()

    assert all_fit == {"s": [-5, -3], "t": [-4, -2]}
    assert kept_times(group) == {"s": [-3], "t": [-4, -2]}


def test_a_reader_of_a_list_of_events_is_not_disturbed(group: dict[str, Any]) -> None:
    put(-4 * DAY_MS)
    put(0)
    reading = group["streams"]["s"]["events"]
    group["retentionInDays"] = 3

    log_storage.expire()

    assert len(reading) == 2
    assert len(group["streams"]["s"]["events"]) == 1


def test_results_of_old_queries_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_storage, "_MOST_QUERIES", 2)
    for number in range(3):
        cloudwatch_logs._queries[f"q{number}"] = {}

    log_storage.expire()

    assert list(cloudwatch_logs._queries) == ["q1", "q2"]


def test_the_invocations_of_a_process_share_its_log_stream() -> None:
    function: Any = {"config": {"FunctionName": "f", "Version": "7", "MemorySize": 512}}
    for request_id in ("r-1", "r-2"):
        log_storage.emit_function_log(function, request_id, "a line\n", False, 12, log_source="2026/11/30/[7]ab")

    streams = cloudwatch_logs._log_groups["/aws/lambda/f"]["streams"]
    lines = [event["message"].split("\t")[0] for event in streams["2026/11/30/[7]ab"]["events"]]
    assert list(streams) == ["2026/11/30/[7]ab"]
    assert lines == [
        line
        for request_id in ("r-1", "r-2")
        for line in (
            f"START RequestId: {request_id} Version: 7",
            "a line",
            f"END RequestId: {request_id}",
            f"REPORT RequestId: {request_id}",
        )
    ]


def test_a_log_goes_to_the_group_that_the_function_names() -> None:
    config = {"FunctionName": "f", "Version": "7", "MemorySize": 512, "LoggingConfig": {"LogGroup": "shared"}}
    function: Any = {"config": config}

    log_storage.emit_function_log(function, "r-1", "", False, 12)

    assert list(cloudwatch_logs._log_groups["shared"]["streams"]) == ["2025/11/30/[7]r1"]
