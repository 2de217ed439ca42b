"""Checks that the rollout of a classifier file becomes a DeploymentConfig that AWS accepts."""

import botocore.session
import pytest
from botocore.validate import ParamValidator

from image_classifier.classifier import Classifier, Endpoint
from image_classifier.deploy.endpoint import endpoint_request
from image_classifier.deploy.rollout import deployment_config, rollout_limit_s

SERVICE = botocore.session.get_session().get_service_model("sagemaker")


def rolled_out(**rollout):
    return deployment_config(Endpoint(instance_count=4, rollout=rollout))


@pytest.mark.parametrize(
    "rollout",
    [
        {"strategy": "all_at_once", "wait_s": 60, "alarms": ["errors"]},
        {"strategy": "canary", "step_percent": 25, "wait_s": 60, "keep_old_s": 300},
        {"strategy": "linear", "step_percent": 50, "alarms": ["errors", "latency"]},
        {"strategy": "rolling", "step_percent": 50, "wait_s": 60},
    ],
)
def test_aws_accepts_every_strategy(rollout):
    request = {"EndpointName": "cats", "EndpointConfigName": "new", "DeploymentConfig": rolled_out(**rollout)}

    report = ParamValidator().validate(request, SERVICE.operation_model("UpdateEndpoint").input_shape)

    assert report.generate_report() == ""


@pytest.mark.parametrize("rollout", [{}, {"strategy": "canary", "step_percent": 25, "wait_s": 60}])
def test_the_endpoints_request_holds_the_rollout_of_the_file(rollout):
    endpoint = Endpoint(instance_count=4, **({"rollout": rollout} if rollout else {}))
    request = endpoint_request(Classifier(name="cats", source="/images", endpoint=endpoint), endpoint_config="new")

    assert request.get("DeploymentConfig") == deployment_config(endpoint)
    assert ("DeploymentConfig" in request) == bool(rollout)


def test_a_file_that_says_nothing_leaves_it_to_aws():
    assert rolled_out() is None
    assert rollout_limit_s({"EndpointName": "cats"}) == 0


def test_a_canary_shifts_its_part_waits_and_keeps_the_old_instances():
    [policy] = rolled_out(strategy="canary", step_percent=25, wait_s=60, keep_old_s=300).values()

    assert policy["TrafficRoutingConfiguration"] == {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 60,
        "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
    }
    assert (policy["TerminationWaitInSeconds"], policy["MaximumExecutionTimeoutInSeconds"]) == (300, 3600)


def test_linear_steps_have_a_size_of_their_own_name():
    [policy] = rolled_out(strategy="linear", step_percent=50).values()

    assert policy["TrafficRoutingConfiguration"]["LinearStepSize"] == {"Type": "CAPACITY_PERCENT", "Value": 50}


def test_rolling_is_a_policy_of_its_own():
    config = rolled_out(strategy="rolling", step_percent=25, wait_s=60)

    assert config["RollingUpdatePolicy"]["MaximumBatchSize"] == {"Type": "CAPACITY_PERCENT", "Value": 25}
    assert "BlueGreenUpdatePolicy" not in config


def test_alarms_take_an_update_back():
    alarms = rolled_out(alarms=["errors", "latency"])["AutoRollbackConfiguration"]["Alarms"]

    assert alarms == [{"AlarmName": "errors"}, {"AlarmName": "latency"}]


def test_a_rollout_may_take_as_long_as_its_own_limit():
    config = rolled_out(strategy="rolling", step_percent=25, alarms=["errors"], time_limit_s=7200)

    assert rollout_limit_s({"DeploymentConfig": config}) == 7200
