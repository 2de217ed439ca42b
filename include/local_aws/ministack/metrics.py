"""Records the metrics that MiniStack leaves out: the depth of queues, and the metrics that functions embed in logs."""

import itertools
import json
import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local_aws.ministack.documents import FunctionConfig, FunctionRecord, MetricPoint, Result
from local_aws.ministack.modules import cloudwatch, lambda_svc, sqs

log = logging.getLogger(__name__)

_SINGLE_POINTS_S = 3 * 3600
_MERGED_PERIOD_S = 300
_DEPTHS = {
    "ApproximateNumberOfMessagesVisible": "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible": "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed": "ApproximateNumberOfMessagesDelayed",
}


def record_queue_depths() -> None:
    """Record the depth of every queue, and the age of its oldest message in seconds, in the namespace ``AWS/SQS``."""
    for queue in list(sqs._queues.values()):
        with sqs._queues_lock:
            sqs._refresh_counts(queue)
            oldest_s = min((message["sent_at"] for message in queue["messages"]), default=time.time())
            values = {metric: float(queue["attributes"][attribute]) for metric, attribute in _DEPTHS.items()}
        dimensions = {"QueueName": queue["name"]}
        for metric, value in values.items():
            cloudwatch.record_metric("AWS/SQS", metric, value, "Count", dimensions)
        age_s = max(0.0, time.time() - oldest_s)
        cloudwatch.record_metric("AWS/SQS", "ApproximateAgeOfOldestMessage", age_s, "Seconds", dimensions)


def merge_old_points() -> None:
    """Merge points older than three hours into one for each five minutes, and remove those older than two weeks.

    AWS keeps points of a minute for 15 days, and points of five minutes for 63.
    """
    cloudwatch._evict_old_metrics()
    latest_s = time.time() - _SINGLE_POINTS_S
    for points in list(cloudwatch._metrics._data.values()):
        old = list(itertools.takewhile(lambda point: point["Timestamp"] < latest_s, list(points)))
        points[: len(old)] = merged(old)  # in place, because another thread may add a point


def merged(points: Sequence[MetricPoint]) -> list[MetricPoint]:
    """Return one point, a statistic set, for the points of each five minutes and unit."""
    periods: defaultdict[tuple[float, str], list[MetricPoint]] = defaultdict(list)
    for point in points:
        periods[point["Timestamp"] // _MERGED_PERIOD_S, point["Unit"]].append(point)
    return [found[0] if len(found) == 1 else _as_one(found) for found in periods.values()]


def _as_one(points: Sequence[MetricPoint]) -> MetricPoint:
    statistics = cloudwatch._calc_stats(points)
    del statistics["Average"]  # a statistic set has none
    value = statistics["Sum"] / statistics["SampleCount"]
    return {**points[0], "Value": value, "Count": 1.0, "_stat": statistics}


def invoke_measured(function: FunctionRecord, event: object) -> Result:
    """Invoke a function and record Invocations, Errors and Duration, as MiniStack does for synchronous calls alone."""
    started = time.monotonic()
    result: Result = lambda_svc._execute_function(function, event)
    if not result.get("throttle"):  # MiniStack has recorded that
        duration_ms = (time.monotonic() - started) * 1000
        name = function["config"]["FunctionName"]
        lambda_svc._emit_lambda_metrics(name, duration_ms, error=bool(result.get("error")), throttle=False)
    return result


def record_delivery_failure(config: FunctionConfig, *, metric: str) -> None:
    """Record that an event, or its record, could not be sent: DestinationDeliveryFailures or DeadLetterErrors."""
    dimensions = {"FunctionName": config["FunctionName"]}
    cloudwatch.record_metric("AWS/Lambda", metric, 1, "Count", dimensions)


def record_embedded_metrics(log_text: str) -> None:
    """Record what a function has written to its log in CloudWatch's embedded metric format."""
    for line in log_text.splitlines():
        if '"_aws"' in line:
            for namespace, metric, value, unit, dimensions in embedded_metrics(line):
                cloudwatch.record_metric(namespace, metric, value, unit, dimensions)


def embedded_metrics(line: str) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    """Yield namespace, name, value, unit and dimensions of every metric in a line of a log.

    The format is CloudWatch's "embedded metric format specification". A line that does not follow it has none, as on
    AWS, which keeps such a line as text.
    """
    try:
        document = json.loads(line[line.index("{") :])
        directives = document["_aws"]["CloudWatchMetrics"]
        for directive in directives:
            for names in directive.get("Dimensions") or [[]]:
                yield from _metrics(document, directive, names=names)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.debug("No embedded metrics in %.200s: %s", line, error)


def _metrics(
    document: Mapping[str, Any], directive: Mapping[str, Any], *, names: list[str]
) -> Iterator[tuple[str, str, float, str, dict[str, str]]]:
    dimensions = {name: str(document[name]) for name in names}
    for metric in directive["Metrics"]:
        found = document[metric["Name"]]
        for value in found if isinstance(found, list) else [found]:
            yield directive["Namespace"], metric["Name"], float(value), metric.get("Unit", "None"), dimensions
