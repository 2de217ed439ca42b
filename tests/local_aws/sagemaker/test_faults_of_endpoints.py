"""Checks the faults of endpoints through boto3."""

import json

import pytest


def no_ping(variant):
    return (
        f"The primary container for production variant {variant} did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )


def test_an_update_whose_fleet_never_answers_is_rolled_back(server, plan, in_service):
    plan({"fault": "failed_update", "where": {"EndpointName": in_service}})
    server.sagemaker.update_endpoint(EndpointName=in_service, EndpointConfigName=f"{in_service}-2")

    endpoint = server.finished_endpoint(in_service)

    assert (endpoint["EndpointStatus"], endpoint["EndpointConfigName"]) == ("InService", in_service)
    assert endpoint["FailureReason"] == no_ping(f"{in_service}-2")
    answer = server.runtime.invoke_endpoint(EndpointName=in_service, Body=b"model?")
    assert json.loads(answer["Body"].read()) == {"model": in_service}
    server.sagemaker.update_endpoint(EndpointName=in_service, EndpointConfigName=f"{in_service}-2")
    assert server.finished_endpoint(in_service)["EndpointConfigName"] == f"{in_service}-2"


def test_an_endpoint_whose_fleet_never_answers_fails(server, plan, name, put_model):
    put_model(server, name)
    plan({"fault": "failed_create", "after_s": 0})
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    endpoint = server.finished_endpoint(name)

    assert (endpoint["EndpointStatus"], endpoint["FailureReason"]) == ("Failed", no_ping(name))


def test_an_endpoint_takes_longer_and_then_serves(server, plan, name, put_model):
    put_model(server, name)
    plan({"fault": "slow_endpoint", "seconds": 1})
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    endpoint = server.finished_endpoint(name)

    assert endpoint["EndpointStatus"] == "InService"
    assert (endpoint["LastModifiedTime"] - endpoint["CreationTime"]).total_seconds() >= 1


@pytest.mark.parametrize(
    ("status", "code"),
    [(424, "ModelError"), (429, "ThrottlingException"), (500, "InternalFailure"), (503, "ServiceUnavailable")],
)
def test_an_invocation_is_refused_as_often_as_the_plan_says(server, plan, in_service, status, code):
    plan({"fault": "invoke", "status": status, "where": {"EndpointName": in_service}})

    with pytest.raises(server.runtime.exceptions.ClientError) as caught:
        server.runtime.invoke_endpoint(EndpointName=in_service, Body=b"x")

    answer = caught.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (status, code)
    assert server.runtime.invoke_endpoint(EndpointName=in_service, Body=b"x")["Body"].read() == b"x"


def test_a_quota_holds_for_endpoints_too(server, plan, name, put_model, refusal):
    put_model(server, name)
    plan({"fault": "quota", "instance_type": "ml.m5.large", "operation": "CreateEndpoint", "limit": 0})

    code, message = refusal(server.sagemaker.create_endpoint, EndpointName=name, EndpointConfigName=name)

    assert code == "ResourceLimitExceeded"
    assert message.startswith("The account-level service limit 'ml.m5.large for endpoint usage' is 0 Instances, with ")
