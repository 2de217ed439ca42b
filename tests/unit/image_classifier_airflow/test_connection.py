"""Checks that every client and trigger of an operator uses the operator's connection arguments."""

import pytest

from image_classifier_airflow.connection import client, connection_arguments
from image_classifier_airflow.operators.training import TrainingJobOperator

WHERE = {"aws_conn_id": None, "region_name": "eu-west-3", "verify": False, "botocore_config": {"read_timeout": 7}}


@pytest.fixture
def operator(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    return TrainingJobOperator(task_id="t", config={"TrainingJobName": "job"}, **WHERE)


@pytest.mark.parametrize("service", ["s3", "sagemaker-runtime"])
def test_a_client_has_the_operators_region_and_settings(operator, service):
    made = client(operator, service)

    assert made.meta.service_model.service_name in (service, "runtime.sagemaker")
    assert (made.meta.region_name, made.meta.config.read_timeout) == ("eu-west-3", 7)


def test_a_trigger_gets_the_operators_arguments(operator):
    assert connection_arguments(operator) == WHERE
