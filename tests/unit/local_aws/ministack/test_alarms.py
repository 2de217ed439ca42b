"""Checks which state an alarm has for the values of its periods."""

from typing import Any

import pytest

from local_aws.ministack.alarms import new_state

ALARM: dict[str, Any] = {
    "ComparisonOperator": "GreaterThanThreshold",
    "Threshold": 10.0,
    "EvaluationPeriods": 3,
    "StateValue": "ALARM",
}


@pytest.mark.parametrize(
    ("values", "settings", "state"),
    [
        ([1.0, 1.0, 50.0], {}, "OK"),
        ([50.0, 50.0, 50.0], {}, "ALARM"),
        ([50.0, 1.0, 50.0], {"DatapointsToAlarm": 2}, "ALARM"),
        ([50.0, 1.0, 1.0], {"DatapointsToAlarm": 2}, "OK"),
        ([10.0, 10.0, 10.0], {}, "OK"),
        ([10.0, 10.0, 10.0], {"ComparisonOperator": "GreaterThanOrEqualToThreshold"}, "ALARM"),
        ([1.0, 1.0, 1.0], {"ComparisonOperator": "LessThanThreshold"}, "ALARM"),
        ([None, None, None], {}, "INSUFFICIENT_DATA"),
        ([None, None, 50.0], {}, "ALARM"),
        ([None, None, 1.0], {}, "OK"),
        ([None, None, None], {"TreatMissingData": "breaching"}, "ALARM"),
        ([None, None, 1.0], {"TreatMissingData": "breaching"}, "OK"),
        ([None, None, None], {"TreatMissingData": "notBreaching"}, "OK"),
        ([None, None, 50.0], {"TreatMissingData": "notBreaching"}, "OK"),
        ([None, None, None], {"TreatMissingData": "ignore"}, "ALARM"),
        ([None, 1.0, 1.0], {"TreatMissingData": "ignore"}, "ALARM"),
        ([1.0, 1.0, 1.0], {"TreatMissingData": "ignore"}, "OK"),
    ],
)
def test_the_state_follows_the_periods_and_the_missing_data(
    values: list[float | None], settings: dict[str, Any], state: str
) -> None:
    assert new_state(values, alarm={**ALARM, **settings}) == state  # type: ignore[typeddict-item]
