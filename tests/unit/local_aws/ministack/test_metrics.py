"""Checks which metrics are recorded: the depth of queues, and metrics in a line of a log."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local_aws.ministack import metrics
from local_aws.ministack.modules import cloudwatch, sqs

DOCUMENT = {
    "_aws": {
        "Timestamp": 0,
        "CloudWatchMetrics": [
            {
                "Namespace": "ImageClassifier",
                "Dimensions": [["classifier"], ["classifier", "label"]],
                "Metrics": [{"Name": "images", "Unit": "Count"}, {"Name": "total_ms"}],
            }
        ],
    },
    "classifier": "digits",
    "label": "7",
    "images": 1,
    "total_ms": [20, 30],
}


def test_every_metric_is_recorded_for_every_set_of_dimensions() -> None:
    found = list(metrics.embedded_metrics(f"[INFO] {json.dumps(DOCUMENT)}"))

    digits, seven = {"classifier": "digits"}, {"classifier": "digits", "label": "7"}
    assert found == [
        ("ImageClassifier", name, value, unit, dimensions)
        for dimensions in (digits, seven)
        for name, value, unit in (("images", 1.0, "Count"), ("total_ms", 20.0, "None"), ("total_ms", 30.0, "None"))
    ]


@pytest.mark.parametrize(
    "line",
    ["no document", '{"_aws": 1}', '{"_aws": {"CloudWatchMetrics": [{"Namespace": "n", "Metrics": [{"Name": "a"}]}]}}'],
)
def test_a_line_of_another_form_has_no_metrics(line: str) -> None:
    assert list(metrics.embedded_metrics(line)) == []


def test_the_depth_of_a_queue_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = []
    monkeypatch.setattr(cloudwatch, "record_metric", lambda *values: recorded.append(values))
    url = sqs._act_create_queue({"QueueName": "depth"}, "")["QueueUrl"]
    sqs._act_send_message({"QueueUrl": url, "MessageBody": "a"}, url)

    metrics.record_queue_depths()

    sqs._act_delete_queue({"QueueUrl": url}, url)
    depths = {name: value for _, name, value, _, dimensions in recorded if dimensions == {"QueueName": "depth"}}
    assert depths.pop("ApproximateAgeOfOldestMessage") < 60
    assert depths == {
        "ApproximateNumberOfMessagesVisible": 1.0,
        "ApproximateNumberOfMessagesNotVisible": 0.0,
        "ApproximateNumberOfMessagesDelayed": 0.0,
    }


def point(time_s: float, value: float) -> Any:
    return {"Timestamp": time_s, "Value": value, "Unit": "Count", "Dimensions": {"QueueName": "q"}}


def test_old_points_are_merged_with_the_same_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = 1_764_500_100.0
    old = [point(now_s - 4 * 3600 + second, value) for second, value in ((0, 1), (60, 5), (120, 3), (400, 7))]
    new = [point(now_s - 60, 2), point(now_s - 30, 2)]
    monkeypatch.setattr(metrics.time, "time", lambda: now_s)
    points = [point(now_s - 15 * 86400, 9), *old, *new]
    monkeypatch.setattr(cloudwatch._metrics, "_data", {})
    cloudwatch._metrics["AWS/SQS", "depth", ()] = points

    metrics.merge_old_points()
    metrics.merge_old_points()

    found = cloudwatch._metrics["AWS/SQS", "depth", ()]
    assert [cloudwatch._calc_stats([item]) for item in found] == [
        {"SampleCount": 3.0, "Sum": 9.0, "Average": 3.0, "Minimum": 1, "Maximum": 5},
        *(
            {"SampleCount": 1.0, "Sum": value, "Average": value, "Minimum": value, "Maximum": value}
            for value in (7, 2, 2)
        ),
    ]
