"""Checks which model counts as live."""

import pytest
from tests.unit.image_classifier.deploy.test_endpoint import NOW, absent, described

from image_classifier.deploy.serving import Serving, serving_model

CONFIG = {
    "EndpointConfigName": "old",
    "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/old",
    "ProductionVariants": [{"VariantName": "job-1", "ModelName": "model-1"}],
    "CreationTime": NOW,
}


def has_endpoint(aws, status):
    aws.add_response("describe_endpoint", described(status, "old"), {"EndpointName": "image-classifier-cats"})


@pytest.mark.parametrize("status", ["InService", "Creating", "Updating", "RollingBack", "UpdateRollbackFailed"])
def test_the_model_of_the_endpoint_s_config_is_live(sagemaker, aws, status):
    has_endpoint(aws, status)
    aws.add_response("describe_endpoint_config", CONFIG, {"EndpointConfigName": "old"})

    assert serving_model(sagemaker, classifier="cats") == Serving("job-1", "model-1", "old")


def test_without_an_endpoint_no_model_is_live(sagemaker, aws):
    absent(aws, "describe_endpoint", "endpoint")

    assert serving_model(sagemaker, classifier="cats") is None


def test_a_failed_endpoint_serves_no_model(sagemaker, aws):
    """Its model may never have served: a new one need not be better than it."""
    has_endpoint(aws, "Failed")

    assert serving_model(sagemaker, classifier="cats") is None


def test_an_endpoint_whose_config_was_deleted_names_no_model(sagemaker, aws):
    has_endpoint(aws, "InService")
    absent(aws, "describe_endpoint_config", "endpoint configuration")

    assert serving_model(sagemaker, classifier="cats") is None
