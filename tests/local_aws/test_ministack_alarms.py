"""Checks that an alarm goes by exactly its metric and by its periods."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import MiniStack


class Metric:
    """A metric of a test's own with an alarm on it."""

    def __init__(self, server: MiniStack, **settings: Any) -> None:
        self.cloudwatch = server.client("cloudwatch")
        self.namespace = f"tests-{uuid.uuid4().hex[:8]}"
        request = {"EvaluationPeriods": 1, "Dimensions": dimensions(endpoint="digits"), **settings}
        self.cloudwatch.put_metric_alarm(
            **{
                "Statistic": "Sum",
                "ComparisonOperator": "GreaterThanThreshold",
                "Threshold": 10,
                "Period": 60,
                **request,
            },
            AlarmName=self.namespace,
            Namespace=self.namespace,
            MetricName="errors",
        )

    def put(self, value: float, *, minutes_ago: int = 0, **names: str) -> None:
        at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        datum = {"MetricName": "errors", "Value": value, "Timestamp": at, "Dimensions": dimensions(**names)}
        self.cloudwatch.put_metric_data(Namespace=self.namespace, MetricData=[datum])

    @property
    def state(self) -> str:
        (alarm,) = self.cloudwatch.describe_alarms(AlarmNames=[self.namespace])["MetricAlarms"]
        return str(alarm["StateValue"])


def dimensions(**names: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in names.items()]


def test_another_dimension_does_not_raise_an_alarm(ministack: MiniStack) -> None:
    metric = Metric(ministack)
    metric.put(50, endpoint="letters")
    metric.put(50)
    assert metric.state == "INSUFFICIENT_DATA"
    metric.put(1, endpoint="digits")
    assert metric.state == "OK"
    metric.put(50, endpoint="digits")
    assert metric.state == "ALARM"


@pytest.mark.parametrize(("early", "state"), [(1, "OK"), (50, "ALARM")])
def test_every_period_counts_for_itself(ministack: MiniStack, early: float, state: str) -> None:
    metric = Metric(ministack, EvaluationPeriods=3)
    metric.put(early, minutes_ago=2, endpoint="digits")
    metric.put(early, minutes_ago=1, endpoint="digits")
    metric.put(50, endpoint="digits")
    assert metric.state == state


def test_an_alarm_follows_what_missing_data_mean(ministack: MiniStack) -> None:
    breaching = Metric(ministack, TreatMissingData="breaching")
    good = Metric(ministack, TreatMissingData="notBreaching")
    Metric(ministack).put(1)  # any data have all alarms evaluated
    assert (breaching.state, good.state) == ("ALARM", "OK")


def test_old_data_are_no_data_and_a_state_that_was_set_stays(ministack: MiniStack) -> None:
    old, none = Metric(ministack), Metric(ministack)
    old.put(50, minutes_ago=5, endpoint="digits")
    for metric in (old, none):
        metric.cloudwatch.set_alarm_state(AlarmName=metric.namespace, StateValue="ALARM", StateReason="a test")
    Metric(ministack).put(1)
    assert (old.state, none.state) == ("INSUFFICIENT_DATA", "ALARM")


def test_unfinished_periods_are_not_less_than_a_threshold(ministack: MiniStack) -> None:
    metric = Metric(ministack, ComparisonOperator="LessThanThreshold")
    metric.put(50, minutes_ago=1, endpoint="digits")
    metric.put(1, endpoint="digits")
    assert metric.state == "OK"
