"""Evaluates a CloudWatch alarm over its own metric, period by period; MiniStack joined all dimensions and periods."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence

from local_aws.ministack.documents import Alarm, MetricPoint
from local_aws.ministack.modules import cloudwatch

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


def evaluate_alarm(original: Callable[[Alarm], None]) -> Callable[[Alarm], None]:
    """Wrap the evaluation of one alarm; metric math and anomaly detection are left to MiniStack."""

    def evaluate(alarm: Alarm) -> None:
        if not alarm.get("MetricName") or alarm.get("ComparisonOperator") not in _COMPARISONS:
            original(alarm)
            return
        points = _points(alarm)
        if not points and alarm.get("TreatMissingData") not in ("breaching", "notBreaching"):
            return  # a state that SetAlarmState set stays while the metric has never had data
        values = _values(points, alarm=alarm, now_s=time.time())
        state = new_state(values, alarm=alarm)
        if state != alarm["StateValue"]:
            _change(alarm, state=state, values=values)

    return evaluate


def _points(alarm: Alarm) -> list[MetricPoint]:
    dimensions = {item["Name"]: item["Value"] for item in alarm.get("Dimensions") or []}
    metric = (alarm["Namespace"], alarm["MetricName"])
    if alarm["Namespace"] == "AWS/Lambda" and not dimensions:  # Lambda's metrics across all functions
        return [point for key, points in list(cloudwatch._metrics.items()) if key[:2] == metric for point in points]
    return list(cloudwatch._metrics.get((*metric, cloudwatch._dims_key(dimensions))) or [])


def _values(points: list[MetricPoint], *, alarm: Alarm, now_s: float) -> list[float | None]:
    """Return the statistic of each period that counts, the oldest first, and None for a period without data.

    Periods start at multiples of their length. The current one counts as soon as it has data, because MiniStack
    evaluates alarms when data come; not for "less than", because the data of an unfinished period are incomplete.
    """
    found: defaultdict[int, list[MetricPoint]] = defaultdict(list)
    for point in points:
        found[int(point["Timestamp"] // alarm["Period"])].append(point)
    current = int(now_s // alarm["Period"])
    last = current if current in found and alarm["ComparisonOperator"].startswith("Greater") else current - 1
    return [
        _statistic(found.get(number, []), alarm) for number in range(last - alarm["EvaluationPeriods"] + 1, last + 1)
    ]


def _statistic(points: list[MetricPoint], alarm: Alarm) -> float | None:
    if not points:
        return None
    name = alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average"
    value: float | None = cloudwatch._stat_value(cloudwatch._calc_stats(points), name, points)
    return value


def new_state(values: Sequence[float | None], *, alarm: Alarm) -> str:
    """Return the state of an alarm whose periods have these values, None where data are missing.

    As "Configuring how CloudWatch alarms treat missing data" says: missing periods are breaching, not breaching, or
    left out (``missing``, the default; without any data the state is INSUFFICIENT_DATA), or the state stays
    (``ignore``).
    """
    compare, threshold = _COMPARISONS[alarm["ComparisonOperator"]], alarm["Threshold"]
    present = [value for value in values if value is not None]
    breaching = sum(compare(value, threshold) for value in present)
    needed = alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    treatment = alarm.get("TreatMissingData") or "missing"
    if treatment == "breaching":
        breaching += len(values) - len(present)
    elif treatment == "missing":
        needed = min(needed, len(present))  # an alarm on three periods goes by the one that it has
    if breaching >= needed > 0:
        return "ALARM"
    if treatment == "ignore" and len(present) < len(values):
        return alarm["StateValue"]
    return "OK" if present or treatment == "notBreaching" else "INSUFFICIENT_DATA"


def _change(alarm: Alarm, *, state: str, values: Sequence[float | None]) -> None:
    old = alarm["StateValue"]
    shown = ", ".join("no data" if value is None else f"{value:g}" for value in values)
    reason = f"Threshold Crossed: {alarm['ComparisonOperator']} {alarm['Threshold']:g}, periods: {shown}"
    alarm["StateValue"], alarm["StateReason"], alarm["StateUpdatedTimestamp"] = state, reason, int(time.time())
    cloudwatch._record_history(alarm["AlarmName"], old, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)
