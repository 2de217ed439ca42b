"""Reads the new lines of a training job's log, and parses the accuracy that the algorithm reports.

`new_lines` is a generator of requests that a client executes, so that the blocking client here and the asynchronous one
in the trigger share it.
"""

import math
import re
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import is_absent

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient

LOG_GROUP = "/aws/sagemaker/TrainingJobs"
TAB = "#011"  # the name that CloudWatch shows

_METRIC = re.compile(r"Epoch\[(?P<epoch>\d+)\] (?P<split>Train|Validation)-(?P<name>\w+)=(?P<value>[-+0-9.eE]+|nan)")


@dataclass(frozen=True)
class Metric:
    """One metric that the algorithm reports after an epoch; epochs count from zero."""

    epoch: int
    split: Literal["train", "validation"]
    name: str
    value: float


@dataclass(frozen=True)
class Cursor:
    """The position in each stream of a job's log up to which it has been read."""

    tokens: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One request to execute: a method of the logs client, and its arguments."""

    method: Literal["describe_log_streams", "get_log_events"]
    arguments: Mapping[str, Any]


Response = Mapping[str, Any]
Reading = Generator[Call, Response, tuple[list[str], Cursor]]
START = Cursor()
ABSENT: Response = {}  # a log group or stream that does not exist yet has no lines


def log_events(logs: "CloudWatchLogsClient", job_name: str, after: Cursor = START) -> tuple[list[str], Cursor]:
    """Return the lines of a job's log since `after`, and the new position; no lines while there is no log yet."""
    reading = new_lines(job_name, after)
    call = next(reading)
    while True:
        try:
            call = reading.send(_answer(logs, call))
        except StopIteration as end:
            lines, cursor = end.value
            return lines, cursor


def parse_metrics(line: str) -> Metric | None:
    """Return the metric that a log line reports, or None."""
    found = _METRIC.search(line)
    if found is None:
        return None
    split: Literal["train", "validation"] = "train" if found["split"] == "Train" else "validation"
    try:
        return Metric(epoch=int(found["epoch"]), split=split, name=found["name"], value=float(found["value"]))
    except ValueError:
        return None


def best_validation_accuracy(lines: Iterable[str]) -> float | None:
    """Return the best epoch's accuracy (0 to 1), whose model is kept; FinalMetricDataList has the last epoch's."""
    metrics = filter(None, map(parse_metrics, lines))
    values = [metric.value for metric in metrics if (metric.split, metric.name) == ("validation", "accuracy")]
    return max((value for value in values if not math.isnan(value)), default=None)


def new_lines(job_name: str, after: Cursor) -> Reading:
    """Yield the requests that read a job's new lines; each instance of the job writes its own stream."""
    events: list[tuple[int, str]] = []
    tokens: dict[str, str] = {}
    for stream in (yield from _streams(job_name)):
        found, token = yield from _events(stream, after.tokens.get(stream))
        events.extend(found)
        if token:
            tokens[stream] = token
    lines = [message.rstrip("\n").replace(TAB, "\t") for _, message in sorted(events, key=lambda event: event[0])]
    return lines, Cursor({**after.tokens, **tokens})


def _streams(job_name: str) -> Generator[Call, Response, list[str]]:
    arguments = {"logGroupName": LOG_GROUP, "logStreamNamePrefix": f"{job_name}/"}
    page = yield Call("describe_log_streams", arguments)
    streams = [stream["logStreamName"] for stream in page.get("logStreams", [])]
    while token := page.get("nextToken"):
        page = yield Call("describe_log_streams", {**arguments, "nextToken": token})
        streams += [stream["logStreamName"] for stream in page.get("logStreams", [])]
    return streams


def _events(stream: str, token: str | None) -> Generator[Call, Response, tuple[list[tuple[int, str]], str | None]]:
    """Yield the requests for one stream's pages: a page may be empty, and the last one returns the request's token."""
    events: list[tuple[int, str]] = []
    while True:
        place = {"nextToken": token} if token else {}
        arguments = {"logGroupName": LOG_GROUP, "logStreamName": stream, "startFromHead": True, **place}
        page = yield Call("get_log_events", arguments)
        events += [(event["timestamp"], event["message"]) for event in page.get("events", [])]
        following = page.get("nextForwardToken")
        if following is None or following == token:
            return events, token
        token = following


def _answer(logs: "CloudWatchLogsClient", call: Call) -> Response:
    try:
        response: Response = getattr(logs, call.method)(**call.arguments)
    except ClientError as error:
        if is_absent(error):
            return ABSENT
        raise
    return response
