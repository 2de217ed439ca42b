"""Records the metrics that MiniStack leaves out: the depth of queues, and the metrics that functions embed in logs."""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local_aws.ministack.documents import FunctionConfig, FunctionRecord, Result
from local_aws.ministack.modules import cloudwatch, lambda_svc, sqs

log = logging.getLogger(__name__)

QUEUE_INTERVAL_S = 60  # as SQS does
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


def record_queue_depths_regularly(stopped: threading.Event, *, interval_s: float) -> None:
    """Start the thread that records depths and evaluates alarms; it ends when `stopped` is set."""

    def record() -> None:
        while not stopped.wait(interval_s):
            record_queue_depths()
            cloudwatch._evaluate_all_alarms()

    threading.Thread(target=record, name="queue-depths", daemon=True).start()


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


def emit_logs(original: Callable[..., object]) -> Callable[..., object]:
    """Wrap the writing of a function's log: record also its metrics in CloudWatch's embedded metric format."""

    def emit(function: object, request_id: str, log_text: str, *rest: object, **more: object) -> object:
        for line in (log_text or "").splitlines():
            if '"_aws"' in line:
                for namespace, metric, value, unit, dimensions in embedded_metrics(line):
                    cloudwatch.record_metric(namespace, metric, value, unit, dimensions)
        return original(function, request_id, log_text, *rest, **more)

    return emit


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
