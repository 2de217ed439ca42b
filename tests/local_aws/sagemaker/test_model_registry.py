"""Checks the model registry through boto3: versions, approval, and an endpoint of an approved version."""

import json
import signal

import pytest

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/tiny:1"


@pytest.fixture
def register(s3, put_model):
    """Put an artifact into S3 and register it as the next version of the group."""

    def put(server, group, *, name, **members):
        put_model(server, name)
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://images/artifacts/{name}/model.tar.gz"}
        specification = {"Containers": [container], "SupportedContentTypes": ["application/x-image"]}
        answer = server.sagemaker.create_model_package(
            ModelPackageGroupName=group, InferenceSpecification=specification, **members
        )
        return answer["ModelPackageArn"]

    return put


def test_an_approved_version_serves_after_its_package_is_deleted(server, name, register, refusal, role):
    server.sagemaker.create_model_package_group(
        ModelPackageGroupName=name, Tags=[{"Key": "image-classifier", "Value": name}]
    )
    arn = register(server, name, name=f"{name}-1", CustomerMetadataProperties={"accuracy": "0.97"})
    model = {"ModelName": name, "PrimaryContainer": {"ModelPackageName": arn}, "ExecutionRoleArn": role}
    variant = {"VariantName": "all", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}

    before = refusal(server.sagemaker.create_model, **model)
    server.sagemaker.update_model_package(
        ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="not worse"
    )
    server.sagemaker.create_model(**model)
    server.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    server.sagemaker.delete_model_package(ModelPackageName=arn)
    server.sagemaker.delete_model_package_group(ModelPackageGroupName=name)
    server.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)

    assert before[0] == "ValidationException"
    assert "PendingManualApproval" in before[1]
    assert server.finished_endpoint(name)["EndpointStatus"] == "InService"
    answer = server.runtime.invoke_endpoint(EndpointName=name, Body=b"model?")
    assert json.loads(answer["Body"].read()) == {"model": f"{name}-1"}
    server.sagemaker.delete_endpoint(EndpointName=name)


def test_versions_and_tokens_survive_a_kill(own_server, name, register):
    server = own_server
    server.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    first = register(server, name, name=f"{name}-1", ClientToken="run-1")
    register(server, name, name=f"{name}-2", ModelApprovalStatus="Approved")

    server.end(signal.SIGKILL)
    server.start()

    container = {"Image": IMAGE, "ModelDataUrl": f"s3://images/artifacts/{name}-1/model.tar.gz"}
    again = server.sagemaker.create_model_package(
        ModelPackageGroupName=name,
        InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["application/x-image"]},
        ClientToken="run-1",
    )
    assert again["ModelPackageArn"] == first
    pages = server.sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=name, PaginationConfig={"PageSize": 1}
    )
    found = [item for page in pages for item in page["ModelPackageSummaryList"]]
    assert [item["ModelPackageVersion"] for item in found] == [1, 2]
    assert [item["ModelApprovalStatus"] for item in found] == ["PendingManualApproval", "Approved"]


def test_a_version_has_a_page(server, name, register, page):
    server.sagemaker.create_model_package_group(ModelPackageGroupName=name)
    register(server, name, name=f"{name}-1", CustomerMetadataProperties={"accuracy": "0.97"})

    status, group = page(server, f"model-package-groups/{name}")
    _, version = page(server, f"model-packages/{name}/1")

    assert status == 200
    assert f'<a href="../model-packages/{name}/1">' in group
    assert "<th>accuracy</th><td>0.97</td>" in version
