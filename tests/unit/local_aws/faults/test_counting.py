"""Checks which fault acts, how often, and when a plan is read."""

import json
import os

import pytest

from local_aws.faults.counting import Faults
from local_aws.faults.plan import Capacity, Invoke, Quota, RoleNotReady
from local_aws.faults.roles import UnreadyRoles

CAPACITY = {"fault": "capacity"}


@pytest.fixture
def plan(tmp_path):
    """Write a plan; returns the faults of a process that reads it."""
    file = tmp_path / "faults.json"

    def write(*entries):
        file.write_text(json.dumps(entries))
        # Two writes within the resolution of the clock of a file system would look like one.
        write.moment += 1
        os.utime(file, ns=(write.moment, write.moment))
        return write.faults

    write.faults, write.moment, write.file = Faults(file), 0, file
    return write


def test_without_a_plan_nothing_goes_wrong(plan):
    assert Faults().take(Capacity, {}) is None
    assert plan.faults.take(Capacity, {}) is None
    assert plan.faults.problem == ""


def test_a_fault_acts_once_unless_the_plan_says_how_often(plan):
    faults = plan(CAPACITY, {"fault": "invoke", "status": 503, "times": 2}, {"fault": "invoke", "status": 500})

    assert [faults.take(Capacity, {}) is None for _ in range(2)] == [False, True]
    assert [fault and fault.status for fault in (faults.take(Invoke, {}) for _ in range(4))] == [503, 503, 500, None]


def test_a_fault_without_a_number_acts_for_ever(plan):
    faults = plan({**CAPACITY, "times": None})

    assert all(faults.take(Capacity, {}) for _ in range(5))


def test_who_is_not_meant_takes_nothing_away(plan):
    faults = plan({**CAPACITY, "where": {"TrainingJobName": "a"}})

    assert faults.take(Capacity, {"TrainingJobName": "b"}) is None
    assert faults.take(Capacity, {"TrainingJobName": "a"}, fits=lambda _: False) is None
    assert faults.take(Capacity, {"TrainingJobName": "a"}) is not None


def test_a_new_plan_counts_from_0_and_a_removed_plan_has_no_effect(plan):
    faults = plan(CAPACITY)
    faults.take(Capacity, {})
    plan(CAPACITY)

    assert faults.take(Capacity, {}) is not None
    plan({**CAPACITY, "times": None})
    plan.file.unlink()
    assert faults.take(Capacity, {}) is None


def test_a_plan_that_cannot_be_used_says_why_and_does_nothing(plan):
    faults = plan(CAPACITY, {"fault": "earthquake"})

    assert faults.take(Capacity, {}) is None
    assert faults.problem.startswith(f"The fault plan {plan.file} cannot be used: entry 2 ")
    assert faults.problem.endswith(". Correct it, or remove it.")
    assert plan(CAPACITY).problem == ""


def test_a_quota_is_in_force_as_long_as_it_stands_in_the_plan(plan):
    quota = {"fault": "quota", "instance_type": "ml.m5.large", "operation": "CreateEndpoint", "limit": 0}
    faults = plan(quota)

    assert [[found.limit for found in faults.in_force(Quota, {})] for _ in range(2)] == [[0], [0]]


def test_a_role_is_refused_for_some_seconds_after_the_first_refusal(plan):
    now = [100.0]
    roles = UnreadyRoles(plan({"fault": "role_not_ready", "seconds": 5}), clock=lambda: now[0])

    assert roles.refuse("a", request={})
    now[0] += 4.9
    assert roles.refuse("a", request={})
    now[0] += 0.2
    assert not roles.refuse("a", request={})


def test_a_role_that_became_ready_stays_so_until_there_is_another_plan(plan):
    fault = {"fault": "role_not_ready", "seconds": 0, "times": None}
    roles = UnreadyRoles(plan(fault), clock=lambda: 0.0)
    roles.refuse("a", request={})

    assert not roles.refuse("a", request={})
    plan({**fault, "seconds": 9})
    assert roles.refuse("a", request={})


def test_a_role_that_is_not_meant_is_ready(plan):
    roles = UnreadyRoles(plan({"fault": "role_not_ready", "seconds": 5, "where": {"FunctionName": "f"}}))

    assert not roles.refuse("a", request={"FunctionName": "g"})
    assert plan.faults.take(RoleNotReady, {"FunctionName": "f"}) is not None


def test_a_share_of_the_requests_fails_and_the_seed_decides_which(plan):
    def acted(**more):
        faults = plan({"fault": "invoke", "status": 429, "percent": 20, **more})
        return [faults.take(Invoke, {}) is not None for _ in range(1000)]

    first, again, other = acted(seed=1), acted(seed=1), acted(seed=2)

    assert first == again != other
    assert 150 < sum(first) < 250
    assert sum(acted(seed=1, times=3)) == 3


def test_a_share_of_nothing_or_of_more_than_everything_is_no_plan(plan):
    for percent in (0, 101):
        assert "percent" in plan({"fault": "invoke", "status": 429, "percent": percent}).problem
    assert (
        "percent"
        in plan(
            {"fault": "quota", "operation": "CreateEndpoint", "instance_type": "a", "limit": 0, "percent": 5}
        ).problem
    )
