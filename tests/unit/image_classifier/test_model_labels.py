import boto3
import pytest
from moto import mock_aws

from image_classifier.image_list import labels_document
from image_classifier.resources.model_labels import publish_labels, read_labels


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        client = boto3.Session("testing", "testing", region_name="us-east-1").client("s3")
        client.create_bucket(Bucket="a-bucket")
        client.put_object(Bucket="a-bucket", Key="digits/versions/labels.json", Body=labels_document(["7", "8"]))
        yield client


def test_a_models_labels_are_the_data_sets_byte_for_byte(s3):
    key = publish_labels(
        s3, bucket="a-bucket", classifier="digits", labels_key="digits/versions/labels.json", training_job="job-1"
    )

    assert key == "digits/models/job-1/labels.json"
    assert s3.get_object(Bucket="a-bucket", Key=key)["Body"].read() == labels_document(["7", "8"])
    assert read_labels(s3, bucket="a-bucket", key=key) == ("7", "8")
