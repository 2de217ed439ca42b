"""Writes the function's log: one JSON line per image, without its bytes, from which CloudWatch makes metrics.

The lines are in the embedded metric format
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html):
CloudWatch Logs makes metrics of them without a call, and Logs Insights reads their fields.
"""

import json
import time
from collections.abc import Mapping
from typing import Any

NAMESPACE = "ImageClassifier"
COUNTS = {"predicted": "Predicted", "unsure": "Unsure", "rejected": "Rejected", "failed": "Failed"}
DURATIONS = {"endpoint_ms": "EndpointMs", "total_ms": "TotalMs"}


def image_line(line: Mapping[str, Any], *, classifier: str) -> dict[str, Any]:
    """Return the log line of one image with its metrics; a skipped image has no metrics.

    Metrics, by classifier: ``Images``; one of ``Predicted``, ``Unsure``, ``Rejected`` and ``Failed``; ``EndpointMs``
    and ``TotalMs``, milliseconds. ``Images`` also by classifier and label.
    """
    status = line.get("status")
    if status not in COUNTS:
        return dict(line)
    durations = {name: line[field] for field, name in DURATIONS.items() if line.get(field) is not None}
    metrics = [{"Name": name, "Unit": "Count"} for name in ("Images", COUNTS[status])]
    metrics += [{"Name": name, "Unit": "Milliseconds"} for name in durations]
    directives = [{"Namespace": NAMESPACE, "Dimensions": [["Classifier"]], "Metrics": metrics}]
    label = line.get("label")
    if label is not None:
        by_label = [["Classifier", "Label"]]
        directives.append({"Namespace": NAMESPACE, "Dimensions": by_label, "Metrics": metrics[:1]})
    return {
        "_aws": {"Timestamp": round(time.time() * 1000), "CloudWatchMetrics": directives},
        **line,
        "Classifier": classifier,
        **({"Label": _dimension(label)} if label is not None else {}),
        "Images": 1,
        COUNTS[status]: 1,
        **durations,
    }


def _dimension(label: str) -> str:
    """Return the label in ASCII: CloudWatch takes no other dimension value, and may ignore the line's metrics then.

    Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html.
    """
    return label.encode("ascii", "backslashreplace").decode()


def write(**line: Any) -> None:
    """Write one line of JSON to the log; Lambda's own logger would prefix the line."""
    text = json.dumps(line, ensure_ascii=False)
    print(text.encode(errors="replace").decode(), flush=True)  # half of a surrogate pair cannot be printed
