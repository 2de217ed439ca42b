"""A bucket in memory, for what reads and writes objects."""

import boto3
import pytest
from moto import mock_aws

BUCKET = "pictures"
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")  # one: it reads botocore's models once


@pytest.fixture
def s3():
    with mock_aws():
        client = SESSION.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client
