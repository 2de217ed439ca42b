"""Stores log events by the rules of CloudWatch Logs, and expires them: MiniStack took every event and kept it for ever.

A stream's list of events is replaced and never cut, because a request may be reading it.
"""

import time
from collections.abc import Sequence
from typing import Any

from local_aws.ministack.documents import FunctionRecord
from local_aws.ministack.log_documents import LogEvent, LogGroup
from local_aws.ministack.metrics import record_embedded_metrics
from local_aws.ministack.modules import Answer, cloudwatch_logs, lambda_svc, responses

GROUP_BYTES = 32 * 1024 * 1024  # of the newest events in memory: about 60,000 lines
_EVENT_BYTES = 400  # that an event takes besides its text
_MOST_BATCH_EVENTS = 10_000
_MOST_BATCH_BYTES = 1_048_576
_COUNTED_BYTES = 26  # that AWS adds for each event of a batch
_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS
_FUTURE_MS = 2 * _HOUR_MS
_PAST_MS = 14 * _DAY_MS
_MOST_QUERIES = 100  # of Logs Insights
_MOST_RECORDS = 10_000  # that GetLogRecord finds after a query


def put_log_events(data: dict[str, Any]) -> Answer:
    """Answer PutLogEvents, in place of MiniStack."""
    group_name, stream_name = str(data.get("logGroupName")), str(data.get("logStreamName"))
    group = cloudwatch_logs._log_groups.get(group_name)
    if group is None:
        return _refused("ResourceNotFoundException", "The specified log group does not exist.")
    if stream_name not in group["streams"]:
        return _refused("ResourceNotFoundException", "The specified log stream does not exist.")
    events, now_ms = data.get("logEvents") or [], int(time.time() * 1000)
    accepted, rejected = accepted_events(events, now_ms=now_ms, retention_days=group.get("retentionInDays"))
    if problem := _problem(events, accepted=accepted):
        return _refused("InvalidParameterException", problem)
    stored = _append(group_name, stream_name, accepted, now_ms=now_ms)
    cloudwatch_logs._fanout_to_live_tail_sessions(group_name, stream_name, stored)
    stream = group["streams"][stream_name]
    stream["uploadSequenceToken"] = token = str(int(stream["uploadSequenceToken"]) + 1)
    answer: Answer = responses.json_response(
        {"nextSequenceToken": token, **({"rejectedLogEventsInfo": rejected} if rejected else {})}
    )
    return answer


def accepted_events(
    events: Sequence[LogEvent], *, now_ms: int, retention_days: int | None
) -> tuple[list[LogEvent], dict[str, int]]:
    """Return the events that are neither too new, too old nor expired, and the rejectedLogEventsInfo of the others.

    The events are in the order of their times; otherwise the batch is refused.
    """
    times = [event["timestamp"] for event in events]
    old = sum(moment < now_ms - _PAST_MS for moment in times)
    expired = sum(moment < now_ms - retention_days * _DAY_MS for moment in times) if retention_days else 0
    new = sum(moment > now_ms + _FUTURE_MS for moment in times)
    rejected = {
        **({"tooOldLogEventEndIndex": old} if old else {}),
        **({"expiredLogEventEndIndex": expired} if expired else {}),
        **({"tooNewLogEventStartIndex": len(events) - new} if new else {}),
    }
    return list(events[max(old, expired) : len(events) - new]), rejected


def _problem(events: Sequence[LogEvent], *, accepted: Sequence[LogEvent]) -> str | None:
    """Return why AWS refuses the whole batch, or None."""
    if not 1 <= len(events) <= _MOST_BATCH_EVENTS:
        return f"A batch has 1 to {_MOST_BATCH_EVENTS} log events; this one has {len(events)}."
    if not all(event["message"] for event in events):
        return "Log event message must not be empty."
    size = sum(len(event["message"].encode(errors="surrogatepass")) + _COUNTED_BYTES for event in events)
    if size > _MOST_BATCH_BYTES:
        return f"Upload too large: {size} bytes exceeds limit of {_MOST_BATCH_BYTES}"
    times = [event["timestamp"] for event in events]
    if times != sorted(times):
        return "Log events in a single PutLogEvents request must be in chronological order."
    if accepted and accepted[-1]["timestamp"] - accepted[0]["timestamp"] > _DAY_MS:
        return "The batch of log events in a single PutLogEvents request cannot span more than 24 hours."
    return None


def emit_function_log(
    function: FunctionRecord,
    request_id: str,
    log_text: str,
    _is_error: bool,
    duration_ms: int,
    *,
    log_source: str | None = None,
) -> None:
    """Write the log of one invocation to the stream of its process, which `log_source` names.

    MiniStack made a stream for each invocation.
    """
    record_embedded_metrics(log_text)
    config = function["config"]
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    version, memory_mb = config["Version"], lambda_svc._probe_peak_memory_mb(function)
    now_s = time.time()
    day = time.strftime("%Y/%m/%d", time.gmtime(now_s))
    stream = log_source or f"{day}/[{version}]{request_id.replace('-', '')}"
    report = (
        f"REPORT RequestId: {request_id}\tDuration: {duration_ms} ms\tBilled Duration: {duration_ms} ms\t"
        f"Memory Size: {config['MemorySize']} MB\tMax Memory Used: {memory_mb} MB"
    )
    lines = [f"START RequestId: {request_id} Version: {version}", *log_text.splitlines()]
    lines += [f"END RequestId: {request_id}", report]
    cloudwatch_logs._create_log_group({"logGroupName": group})  # refused if it exists, which is no error here
    cloudwatch_logs._create_log_stream({"logGroupName": group, "logStreamName": stream})
    now_ms = int(now_s * 1000)
    _append(group, stream, [{"timestamp": now_ms, "message": line} for line in lines], now_ms=now_ms)


def _append(group: str, stream: str, events: Sequence[LogEvent], *, now_ms: int) -> list[LogEvent]:
    stored: list[LogEvent] = [
        {
            "timestamp": event["timestamp"],
            "message": event["message"],
            "ingestionTime": now_ms,
            "eventId": cloudwatch_logs.new_uuid(),
        }
        for event in events
    ]
    cloudwatch_logs._append_log_events(cloudwatch_logs._log_groups[group]["streams"][stream], stored)
    cloudwatch_logs._fanout_to_subscription_filters(group, stream, events)
    return stored


def expire() -> None:
    """Remove what is not kept: events beyond the retention of their group, and the oldest beyond `GROUP_BYTES`."""
    now_ms = int(time.time() * 1000)
    for _, group in list(cloudwatch_logs._log_groups.all_items()):
        days = group.get("retentionInDays")
        histories = [list(stream["events"]) for stream in list(group["streams"].values())]
        oldest_ms = max(oldest_kept_ms(histories), now_ms - days * _DAY_MS if days else 0)
        with cloudwatch_logs._log_events_lock:
            _remove_before(oldest_ms, group)
    for kept, most in (
        (cloudwatch_logs._queries._data, _MOST_QUERIES),
        (cloudwatch_logs._log_records._data, _MOST_RECORDS),
    ):
        for key in list(kept)[:-most]:
            kept.pop(key, None)


def _remove_before(oldest_ms: int, group: LogGroup) -> None:
    for name, stream in list(group["streams"].items()):
        if not stream["events"] or stream["events"][0]["timestamp"] >= oldest_ms:
            continue
        kept = [event for event in stream["events"] if event["timestamp"] >= oldest_ms]
        if kept:
            stream["events"], stream["firstEventTimestamp"] = kept, kept[0]["timestamp"]
        else:
            del group["streams"][name]  # AWS keeps it; each process of a function has one


def oldest_kept_ms(histories: Sequence[Sequence[LogEvent]]) -> int:
    """Return the time from which on the events of a group fit into `GROUP_BYTES`; 0 if all do."""
    events = [event for history in histories for event in history]
    if sum(map(_bytes, events)) <= GROUP_BYTES:
        return 0
    size_bytes = 0
    for event in sorted(events, key=lambda event: event["timestamp"], reverse=True):
        size_bytes += _bytes(event)
        if size_bytes > GROUP_BYTES:
            return event["timestamp"] + 1
    return 0


def _bytes(event: LogEvent) -> int:
    return len(event["message"]) + _EVENT_BYTES


def _refused(code: str, message: str) -> Answer:
    answer: Answer = responses.error_response_json(code, message, 400)
    return answer
