"""Answers FilterLogEvents: MiniStack ignored prefixes, case and JSON patterns, and had no pages."""

import heapq
import itertools
from collections.abc import Iterator
from typing import Any

from local_aws.ministack.log_documents import LogEvent
from local_aws.ministack.log_patterns import Matcher, PatternError, matcher
from local_aws.ministack.modules import Answer, cloudwatch_logs, responses

_MOST_EVENTS = 10_000


def filter_log_events(data: dict[str, Any]) -> Answer:
    """Answer FilterLogEvents, in place of MiniStack; the token of the next page is a number of matching events."""
    name = cloudwatch_logs._resolve_log_group_name(data)
    group = cloudwatch_logs._log_groups.get(name)
    if group is None:
        return _refused("ResourceNotFoundException", f"The specified log group does not exist: {name}")
    prefix, names = data.get("logStreamNamePrefix"), data.get("logStreamNames")
    if prefix and names:
        message = "logStreamNames and logStreamNamePrefix exclude each other; give one of them."
        return _refused("InvalidParameterException", message)
    token = str(data.get("nextToken") or "0")
    if not token.isdecimal():
        return _refused("InvalidParameterException", "The specified nextToken is invalid.")
    try:
        matches = matcher(data.get("filterPattern") or "")
    except PatternError as error:
        return _refused("InvalidParameterException", f"Invalid filter pattern: {error}")
    streams = [stream for stream in group["streams"] if stream in names] if names else list(group["streams"])
    streams = [stream for stream in streams if stream.startswith(prefix or "")]
    with cloudwatch_logs._log_events_lock:
        histories = {stream: list(group["streams"][stream]["events"]) for stream in streams}
    return _page(
        _matching(histories, data, matches), start=int(token), limit=min(data.get("limit", _MOST_EVENTS), _MOST_EVENTS)
    )


def _matching(histories: dict[str, list[LogEvent]], data: dict[str, Any], matches: Matcher) -> Iterator[dict[str, Any]]:
    """Yield the events of all streams in the order of their times, if they are in time and match."""
    earliest, latest = data.get("startTime"), data.get("endTime")
    ordered = heapq.merge(
        *([(event, stream) for event in events] for stream, events in histories.items()),
        key=lambda item: (item[0]["timestamp"], item[0].get("ingestionTime", 0)),
    )
    for event, stream in ordered:
        in_time = (earliest is None or event["timestamp"] >= earliest) and (
            latest is None or event["timestamp"] <= latest
        )
        if in_time and matches(event["message"]):
            yield {**event, "logStreamName": stream}


def _page(events: Iterator[dict[str, Any]], *, start: int, limit: int) -> Answer:
    found = list(itertools.islice(events, start, start + limit + 1))
    more = {"nextToken": str(start + limit)} if len(found) > limit else {}
    answer: Answer = responses.json_response({"events": found[:limit], "searchedLogStreams": [], **more})
    return answer


def _refused(code: str, message: str) -> Answer:
    answer: Answer = responses.error_response_json(code, message, 400)
    return answer
