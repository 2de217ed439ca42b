"""Checks the function's task: its configuration is another task's result, and it can run twice."""

import json
from pathlib import Path

import boto3
import pytest
from airflow.sdk import DAG, task
from moto import mock_aws

from image_classifier.connect import function_package
from image_classifier.connect.function_configuration import FunctionConfiguration
from image_classifier.connect.function_package import FunctionPackage
from image_classifier_airflow.operators.function import LambdaFunctionOperator

CONFIG = {
    "classifier": "pets",
    "bucket": "pictures",
    "role_arn": "arn:aws:iam::123456789012:role/function",
    "runtime": "python3.12",
    "architecture": "arm64",
    "failure_queue_arn": "arn:aws:sqs:us-east-1:123456789012:failures",
    "environment": {"CLASSIFIER": "pets"},
    "tags": {"image-classifier": "pets"},
}
TRUST = {
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]
}


@pytest.fixture
def packed(monkeypatch):
    """A package that needs no package index; remembers for what it was asked."""
    requests = []

    def package_function(**request):
        requests.append(request)
        return FunctionPackage.of(b"PK\x05\x06" + bytes(18))  # an empty zip

    monkeypatch.setattr(function_package, "package_function", package_function)
    return requests


@pytest.fixture
def aws(monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AIRFLOW_CONN_AWS_DEFAULT": "aws://",
    }.items():
        monkeypatch.setenv(name, value)
    with mock_aws(config={"lambda": {"use_docker": False}}):
        boto3.client("s3").create_bucket(Bucket="pictures")
        boto3.client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=json.dumps(TRUST))
        boto3.client("sqs").create_queue(QueueName="failures")
        yield


def deploy(**arguments):
    operator = LambdaFunctionOperator(task_id="deploy_function", config=CONFIG, **arguments)
    return operator.execute({})


def test_the_task_returns_names_and_what_happened(aws, packed):
    arn = "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-pets"

    assert deploy() == {
        "function_arn": arn,
        "alias_arn": f"{arn}:live",
        "version": "1",
        "outcome": "created",
    }


def test_a_second_run_changes_nothing(aws, packed):
    deploy()

    assert deploy()["outcome"] == "unchanged"


def test_the_function_is_packed_for_its_platform_from_our_folders(aws, packed, tmp_path):
    deploy(cache_folder=tmp_path)

    root = Path(__file__).parents[4]
    assert packed == [
        {
            "lambda_folder": root / "lambda",
            "include_folder": root / "include",
            "runtime": "python3.12",
            "architecture": "arm64",
            "cache_folder": tmp_path,
        }
    ]


def test_the_configuration_may_be_another_tasks_result():
    with DAG("any", schedule=None):

        @task
        def plan():
            return CONFIG

        operator = LambdaFunctionOperator(task_id="deploy_function", config=plan())

    assert operator.upstream_task_ids == {"plan"}
    assert "config" in operator.template_fields


def test_the_configuration_is_checked_before_anything_is_packed(aws, packed):
    operator = LambdaFunctionOperator(task_id="deploy_function", config={**CONFIG, "memory": 1})

    with pytest.raises(ValueError, match="memory"):
        operator.execute({})

    assert packed == []


def test_the_configuration_of_the_tests_is_complete():
    assert FunctionConfiguration.model_validate(CONFIG).model_dump(mode="json") == CONFIG
