"""Shifts an endpoint's traffic from the old fleet to the new one, as DeploymentConfig says.

The rules are those of the API reference and the developer guide ("Deployment guardrails"); the messages are not AWS's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.hosting.deployment import Deployment

_LARGEST_STEP = 0.5
_SMALLEST_STEP = {"CanarySize": 0.0, "LinearStepSize": 0.1, "MaximumBatchSize": 0.05}
_STEP_FIELD = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}


@dataclass(frozen=True)
class Shift:
    """The steps of one update: the new fleet's share of the traffic after each, and how long each is watched."""

    shares: tuple[float, ...] = (1.0,)
    wait_s: int = 0
    keep_old_s: int = 0
    time_limit_s: float = math.inf
    alarms: tuple[str, ...] = ()


class Route:
    """The fleets that take an endpoint's invocations: one, or two during an update."""

    def __init__(self, fleet: Deployment) -> None:
        """Send all invocations to `fleet`."""
        self.fleet = fleet
        self._new: tuple[Deployment, float] | None = None
        self._credit = 0.0

    def share_with(self, new: Deployment, *, share: float) -> None:
        """Send this share of the invocations to a new fleet; with 1.0 it is the only one."""
        if share >= 1:
            self.fleet, self._new = new, None
        else:
            self._new = (new, share)

    def return_to(self, old: Deployment) -> None:
        """Send all invocations to the old fleet again."""
        self._new = None
        self.fleet = old

    def next(self, *, variant: str | None = None) -> Deployment:
        """Return the fleet for one invocation; of two, one that has the variant."""
        shared = self._new  # another thread may change it
        if shared is None:
            return self.fleet
        new, share = shared
        if variant is not None and (variant in new.variant_names) != (variant in self.fleet.variant_names):
            return new if variant in new.variant_names else self.fleet
        self._credit += share
        if self._credit < 1:
            return self.fleet
        self._credit -= 1
        return new


def shift(config: Document | None, *, instances: int) -> Shift:
    """Return the steps of a DeploymentConfig for a new fleet of this size; without a config all traffic moves at once.

    Raises:
        ServiceError: ``ValidationException``, for what AWS does not accept.

    """
    config = config or {}
    blue_green, rolling = config.get("BlueGreenUpdatePolicy"), config.get("RollingUpdatePolicy")
    if blue_green and rolling:
        raise validation_error("DeploymentConfig has BlueGreenUpdatePolicy and RollingUpdatePolicy; give one of them.")
    policy: Document = blue_green or rolling or {}
    routing: Document = policy.get("TrafficRoutingConfiguration", policy)
    alarms = config.get("AutoRollbackConfiguration", {}).get("Alarms", [])
    found = Shift(
        shares=_shares(routing, instances=instances),
        wait_s=routing.get("WaitIntervalInSeconds", 0),
        keep_old_s=policy.get("TerminationWaitInSeconds", 0),
        time_limit_s=policy.get("MaximumExecutionTimeoutInSeconds", math.inf),
        alarms=tuple(alarm["AlarmName"] for alarm in alarms if "AlarmName" in alarm),
    )
    _check_time(found)
    return found


def _shares(routing: Document, *, instances: int) -> tuple[float, ...]:
    field = "MaximumBatchSize" if "MaximumBatchSize" in routing else _STEP_FIELD.get(routing.get("Type", ""))
    if field is None:
        return (1.0,)
    if field not in routing:
        raise validation_error(f"TrafficRoutingConfiguration of Type {routing['Type']} needs {field}.")
    step = _step(field, routing[field], instances=instances)
    if field == "CanarySize":
        return (step, 1.0)
    return (*(number * step for number in range(1, math.ceil(1 / step))), 1.0)


def _step(field: str, size: Document, *, instances: int) -> float:
    step = size["Value"] / (100 if size["Type"] == "CAPACITY_PERCENT" else instances)
    smallest = _SMALLEST_STEP[field]
    if not smallest <= step <= _LARGEST_STEP:
        raise validation_error(
            f"{field} must be between {smallest:.0%} and {_LARGEST_STEP:.0%} of the variant's instances; found "
            f"{size['Type']} {size['Value']} of {instances}."
        )
    return float(step)


def _check_time(found: Shift) -> None:
    waits_s = len(found.shares) * found.wait_s + found.keep_old_s
    if waits_s >= found.time_limit_s:
        raise validation_error(
            f"MaximumExecutionTimeoutInSeconds ({found.time_limit_s}) must be more than the waits of the deployment: "
            f"{len(found.shares)} x {found.wait_s} s and {found.keep_old_s} s before the old fleet ends."
        )
