"""Builds UpdateEndpoint's DeploymentConfig, which says how an update shifts traffic, from the classifier's file.

Limits and defaults: the SageMaker API reference (TrafficRoutingConfig, BlueGreenUpdatePolicy, RollingUpdatePolicy).
"""

from collections.abc import Mapping
from typing import Any

from image_classifier.classifier.parts import Endpoint, Rollout

BLUE_GREEN = {"all_at_once": "ALL_AT_ONCE", "canary": "CANARY", "linear": "LINEAR"}
STEP_FIELD = {"canary": "CanarySize", "linear": "LinearStepSize"}


def deployment_config(endpoint: Endpoint) -> dict[str, Any] | None:
    """Return the DeploymentConfig of the endpoint's updates; with None AWS shifts all traffic at once."""
    rollout = endpoint.rollout
    if rollout == Rollout():
        return None
    alarms = {"Alarms": [{"AlarmName": name} for name in rollout.alarms]}
    return {**_policy(rollout), **({"AutoRollbackConfiguration": alarms} if rollout.alarms else {})}


def _policy(rollout: Rollout) -> dict[str, Any]:
    if rollout.strategy == "rolling":
        policy = {"MaximumBatchSize": _step(rollout), "WaitIntervalInSeconds": rollout.wait_s}
        return {"RollingUpdatePolicy": {**policy, "MaximumExecutionTimeoutInSeconds": rollout.time_limit_s}}
    routing = {"Type": BLUE_GREEN[rollout.strategy], "WaitIntervalInSeconds": rollout.wait_s}
    if rollout.strategy in STEP_FIELD:
        routing[STEP_FIELD[rollout.strategy]] = _step(rollout)
    policy = {
        "TrafficRoutingConfiguration": routing,
        "TerminationWaitInSeconds": rollout.keep_old_s,
        "MaximumExecutionTimeoutInSeconds": rollout.time_limit_s,
    }
    return {"BlueGreenUpdatePolicy": policy}


def _step(rollout: Rollout) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": rollout.step_percent}


def rollout_limit_s(endpoint_request: Mapping[str, Any]) -> int:
    """Return the time limit, in seconds, of an update with the request's DeploymentConfig."""
    policies: Mapping[str, Any] = endpoint_request.get("DeploymentConfig", {})
    limits = [policy.get("MaximumExecutionTimeoutInSeconds", 0) for policy in policies.values()]
    return max(limits, default=0)
