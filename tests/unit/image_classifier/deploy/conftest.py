"""A SageMaker client that answers only what a test expects."""

import boto3
import pytest
from botocore.stub import Stubber


@pytest.fixture
def sagemaker():
    return boto3.client("sagemaker", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture
def aws(sagemaker):
    """Allows the expected calls and no other, each checked against AWS's own model."""
    with Stubber(sagemaker) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
