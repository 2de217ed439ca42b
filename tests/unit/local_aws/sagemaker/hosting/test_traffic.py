"""Checks the steps of a DeploymentConfig, and which fleet gets an invocation."""

import math
from types import SimpleNamespace

import pytest

from local_aws.sagemaker.hosting.traffic import Route, Shift, shift
from local_aws.sagemaker.protocol.errors import ServiceError


def blue_green(**routing):
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"WaitIntervalInSeconds": 0, **routing}}}


def percent(value):
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value):
    return {"Type": "INSTANCE_COUNT", "Value": value}


def test_without_a_config_all_moves_at_once():
    assert shift(None, instances=1) == Shift((1.0,), wait_s=0, keep_old_s=0, time_limit_s=math.inf, alarms=())


@pytest.mark.parametrize(
    ("config", "shares"),
    [
        (blue_green(Type="ALL_AT_ONCE"), (1.0,)),
        (blue_green(Type="CANARY", CanarySize=percent(25)), (0.25, 1.0)),
        (blue_green(Type="CANARY", CanarySize=instances(1)), (0.25, 1.0)),
        (blue_green(Type="LINEAR", LinearStepSize=percent(50)), (0.5, 1.0)),
        (blue_green(Type="LINEAR", LinearStepSize=percent(40)), (0.4, 0.8, 1.0)),
        (
            {"RollingUpdatePolicy": {"MaximumBatchSize": instances(2), "WaitIntervalInSeconds": 0}},
            (0.5, 1.0),
        ),
    ],
)
def test_the_new_fleets_share_grows_step_by_step(config, shares):
    assert shift(config, instances=4).shares == pytest.approx(shares)


def test_the_waits_and_the_alarms_are_those_of_the_config():
    config = blue_green(Type="ALL_AT_ONCE", WaitIntervalInSeconds=60)
    config["BlueGreenUpdatePolicy"] |= {"TerminationWaitInSeconds": 30, "MaximumExecutionTimeoutInSeconds": 600}
    config["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": "errors"}]}

    assert shift(config, instances=1) == Shift((1.0,), wait_s=60, keep_old_s=30, time_limit_s=600, alarms=("errors",))


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (blue_green(Type="CANARY"), "TrafficRoutingConfiguration of Type CANARY needs CanarySize."),
        (
            blue_green(Type="CANARY", CanarySize=instances(3)),
            "CanarySize must be between 0% and 50% of the variant's instances; found INSTANCE_COUNT 3 of 4.",
        ),
        (
            blue_green(Type="LINEAR", LinearStepSize=percent(5)),
            "LinearStepSize must be between 10% and 50% of the variant's instances; found CAPACITY_PERCENT 5 of 4.",
        ),
        (
            {"RollingUpdatePolicy": {"MaximumBatchSize": percent(4), "WaitIntervalInSeconds": 0}},
            "MaximumBatchSize must be between 5% and 50% of the variant's instances; found CAPACITY_PERCENT 4 of 4.",
        ),
        (
            blue_green(Type="ALL_AT_ONCE")
            | {"RollingUpdatePolicy": {"MaximumBatchSize": percent(10), "WaitIntervalInSeconds": 0}},
            "DeploymentConfig has BlueGreenUpdatePolicy and RollingUpdatePolicy; give one of them.",
        ),
        (
            {
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": percent(50),
                    "WaitIntervalInSeconds": 300,
                    "MaximumExecutionTimeoutInSeconds": 600,
                }
            },
            "MaximumExecutionTimeoutInSeconds (600) must be more than the waits of the deployment: 2 x 300 s and 0 s "
            "before the old fleet ends.",
        ),
    ],
)
def test_what_aws_does_not_accept_is_refused(config, sentence):
    with pytest.raises(ServiceError) as caught:
        shift(config, instances=4)

    assert (caught.value.code, caught.value.message) == ("ValidationException", sentence)


@pytest.fixture
def fleets():
    return SimpleNamespace(variant_names=["a", "old"]), SimpleNamespace(variant_names=["a", "new"])


def test_the_new_fleet_gets_its_share_of_the_invocations(fleets):
    old, new = fleets
    route = Route(old)
    route.share_with(new, share=0.25)

    assert [route.next() for _ in range(8)].count(new) == 2
    route.share_with(new, share=1.0)
    assert {id(route.next()) for _ in range(4)} == {id(new)}


def test_after_a_roll_back_the_old_fleet_gets_everything(fleets):
    old, new = fleets
    for share in (0.5, 1.0):
        route = Route(old)
        route.share_with(new, share=share)
        route.return_to(old)

        assert {id(route.next()) for _ in range(4)} == {id(old)}


def test_a_variant_that_only_one_fleet_has_is_found_there(fleets):
    old, new = fleets
    route = Route(old)
    route.share_with(new, share=0.5)

    assert {id(route.next(variant="new")) for _ in range(3)} == {id(new)}
    assert {id(route.next(variant="old")) for _ in range(3)} == {id(old)}
    assert {id(route.next(variant="a")) for _ in range(4)} == {id(old), id(new)}
