"""Checks that the provider deletes objects, and that a refusal of S3 becomes an error of ours."""

import boto3
import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from moto import mock_aws

from image_classifier.contracts.errors import AwsRefusalError
from image_classifier_airflow.operators.objects import DeleteObjectsOperator

BUCKET = "a-bucket"


@pytest.fixture
def s3(monkeypatch):
    """A bucket with one image, for the operators too."""
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        session = boto3.Session("testing", "testing", region_name="us-east-1")
        monkeypatch.setattr(AwsGenericHook, "get_session", lambda *_, **__: session)
        client = session.client("s3")
        client.create_bucket(Bucket=BUCKET)
        client.put_object(Bucket=BUCKET, Key="known.png", Body=b"image")
        yield client


def test_an_object_is_deleted(s3):
    DeleteObjectsOperator(task_id="delete", bucket=BUCKET, keys=["known.png"], aws_conn_id=None).execute({})

    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET)


def test_a_refused_deletion_is_not_tried_again(s3):
    operator = DeleteObjectsOperator(task_id="delete", bucket="absent", keys=["known.png"], aws_conn_id=None)

    with pytest.raises(AwsRefusalError, match="NoSuchBucket"):
        operator.execute({})
