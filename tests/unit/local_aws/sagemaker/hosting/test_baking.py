"""Checks when the wait after a step of an update ends, and when it rolls the update back."""

import math
import threading
from types import SimpleNamespace

import pytest
from botocore.exceptions import EndpointConnectionError

from local_aws.faults.counting import Faults
from local_aws.faults.plan import FailedCreate, FailedUpdate
from local_aws.sagemaker.hosting.baking import bake, check_alarms_exist
from local_aws.sagemaker.hosting.deployment import DeploymentFailedError
from local_aws.sagemaker.hosting.fleet_faults import FleetFaults, of_fleet
from local_aws.sagemaker.hosting.traffic import Shift
from local_aws.sagemaker.protocol.errors import ServiceError


def aws(states):
    def alarm_states(names):
        if isinstance(states, Exception):
            raise states
        return {name: states[name] for name in names if name in states}

    return SimpleNamespace(alarm_states=alarm_states, endpoint_url="http://127.0.0.1:1")


UNREACHABLE = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def wait(shift, states, *, deadline=math.inf, closing=None):
    bake(shift, aws=aws(states), deadline=deadline, closing=closing or threading.Event())


@pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
def test_an_alarm_that_goes_off_takes_the_update_back_and_is_named(state):
    wait(Shift(alarms=("errors", "latency")), {"errors": state, "latency": "OK"})

    with pytest.raises(DeploymentFailedError, match=r"which was rolled back: errors\.$"):
        wait(Shift(alarms=("errors", "latency"), wait_s=600), {"errors": "ALARM", "latency": "OK"})


def test_a_step_with_alarms_that_cannot_be_read_is_rolled_back():
    wait(Shift(wait_s=0), UNREACHABLE)

    with pytest.raises(DeploymentFailedError, match="could not be read"):
        wait(Shift(alarms=("errors",)), UNREACHABLE)


def test_an_update_that_takes_too_long_is_rolled_back():
    with pytest.raises(DeploymentFailedError, match="took longer than 600 seconds"):
        wait(Shift(time_limit_s=600), {}, deadline=-math.inf)


def test_a_server_that_ends_does_not_wait():
    closing = threading.Event()
    closing.set()

    with pytest.raises(DeploymentFailedError):
        wait(Shift(wait_s=600), {}, closing=closing)


def test_alarms_that_are_not_there_are_refused():
    check_alarms_exist(aws({"errors": "OK"}), ("errors",))
    with pytest.raises(ServiceError, match="do not exist: latency"):
        check_alarms_exist(aws({"errors": "OK"}), ("errors", "latency"))
    with pytest.raises(ServiceError, match="do not answer") as caught:
        check_alarms_exist(aws(UNREACHABLE), ("errors",))
    assert caught.value.status == 503


def test_a_fleet_is_slow_and_fails_as_planned(tmp_path):
    file = tmp_path / "faults.json"
    file.write_text('[{"fault": "failed_update", "after_s": 2}, {"fault": "slow_endpoint", "seconds": 3, "times": 3}]')
    faults = Faults(file)

    assert of_fleet(faults, failure=FailedCreate, request={}) == FleetFaults(3, never_answers=False)
    assert of_fleet(faults, failure=FailedUpdate, request={}) == FleetFaults(5, never_answers=True)
    assert of_fleet(faults, failure=FailedUpdate, request={}) == FleetFaults(3, never_answers=False)
