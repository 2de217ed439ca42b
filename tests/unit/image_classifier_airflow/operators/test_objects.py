"""Checks that the provider copies and deletes objects, and that a refusal of S3 becomes an error of ours."""

import boto3
import pytest
from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from moto import mock_aws

from image_classifier.contracts.errors import AwsRefusalError
from image_classifier_airflow.operators.objects import CopyObjectOperator, DeleteObjectsOperator

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


def copy(key):
    names = {"source_bucket_name": BUCKET, "dest_bucket_name": BUCKET}
    operator = CopyObjectOperator(
        task_id="copy",
        source_bucket_key=key,
        dest_bucket_key="copy.png",
        acl_policy="no-acl",
        aws_conn_id=None,
        **names,
    )
    operator.execute({})


def test_an_object_is_copied_and_deleted(s3):
    copy("known.png")
    DeleteObjectsOperator(task_id="delete", bucket=BUCKET, keys=["known.png"], aws_conn_id=None).execute({})

    assert [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == ["copy.png"]


def test_a_source_that_is_gone_is_not_tried_again(s3):
    with pytest.raises(AwsRefusalError, match=r"copy: .*NoSuchKey|copy: .*404"):
        copy("gone.png")
