"""Checks that every operation that the operators call exists, and that answers match botocore's model."""

import httpx
import pytest

from local_aws.sagemaker.protocol import validation

# Every SageMaker operation of include/image_classifier, plugins/ and the Amazon provider's operators beneath them.
CALLED = {
    *("CreateTrainingJob", "DescribeTrainingJob", "ListTrainingJobs", "StopTrainingJob"),
    *("CreateModel", "DescribeModel", "ListModels", "DeleteModel"),
    *("CreateEndpointConfig", "DescribeEndpointConfig", "ListEndpointConfigs", "DeleteEndpointConfig"),
    *("CreateEndpoint", "DescribeEndpoint", "ListEndpoints", "UpdateEndpoint", "DeleteEndpoint"),
    *("AddTags", "ListTags", "DeleteTags"),
}


@pytest.fixture
def answer(server):
    """The answer as it is sent, before a client reads it."""

    def call(operation, **request):
        response = httpx.post(
            server.url, headers={"x-amz-target": f"SageMaker.{operation}"}, json=request, trust_env=False
        )
        assert response.status_code == 200, response.text
        return response.json()

    return call


def strange(value, shape, path):
    """Members that the model does not know: a client would drop them."""
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from (
                strange(member, shape.members[name], f"{path}.{name}") if name in shape.members else [f"{path}.{name}"]
            )
    elif shape.type_name == "list":
        for item in value:
            yield from strange(item, shape.member, path)


def test_every_operation_that_the_operators_call_is_there(server):
    operations = httpx.get(f"{server.url}/health", trust_env=False).json()["operations"]

    assert sorted(CALLED - set(operations)) == []


def test_every_answer_has_the_form_of_the_model(server, name, job_request, in_service, answer):
    spot = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 60, "MaxWaitTimeInSeconds": 60},
    }
    server.sagemaker.create_training_job(**job_request(name, Tags=[{"Key": "a", "Value": "b"}], **spot))
    job = server.ended_job(name)
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 5}
    rollout = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing}}
    update = {"EndpointName": name, "EndpointConfigName": f"{name}-2", "DeploymentConfig": rollout}
    requests = {
        "DescribeTrainingJob": {"TrainingJobName": name},
        "ListTrainingJobs": {"NameContains": name},
        "DescribeModel": {"ModelName": name},
        "ListModels": {"NameContains": name},
        "DescribeEndpointConfig": {"EndpointConfigName": name},
        "ListEndpointConfigs": {"NameContains": name},
        "UpdateEndpoint": update,
        "DescribeEndpoint": {"EndpointName": name},
        "ListEndpoints": {"NameContains": name},
        "ListTags": {"ResourceArn": job["TrainingJobArn"]},
    }

    problems = []
    for operation, request in requests.items():
        shape = validation.service_model().operation_model(operation).output_shape
        found = answer(operation, **request)
        problems += [*validation.problems(found, shape, path=operation), *strange(found, shape, operation)]

    assert problems == []
