"""Defines the types of log groups, streams and events, as MiniStack keeps them."""

from typing import NotRequired, TypedDict


class LogEvent(TypedDict):
    """An event of a log stream; times are milliseconds since 1970."""

    timestamp: int
    message: str
    ingestionTime: NotRequired[int]
    eventId: NotRequired[str]


class LogStream(TypedDict):
    """A stream of a log group, its events in the order of their times."""

    events: list[LogEvent]
    firstEventTimestamp: int | None


class LogGroup(TypedDict):
    """A log group; without a retention its events are kept."""

    retentionInDays: NotRequired[int | None]
    streams: dict[str, LogStream]
