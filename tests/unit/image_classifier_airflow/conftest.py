"""Provides a deployment in memory: settings, the AWS that tasks call, and test images with two models' answers."""

import json
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

from image_classifier.contracts.labels import labels_document
from image_classifier_airflow.steps import clients

ROLE = "arn:aws:iam::123456789012:role"
SETTINGS = {
    "BUCKET": "a-bucket",
    "SAGEMAKER_ROLE_ARN": f"{ROLE}/sagemaker",
    "FUNCTION_ROLE_ARN": f"{ROLE}/function",
    "FAILURE_QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:failures",
}
SERVICES = ("s3", "sagemaker", "logs", "lambda", "sqs")
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")  # one: it reads botocore's models once


@pytest.fixture
def bucket(monkeypatch):
    """The settings are those of a deployment; the name of its bucket."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(f"IMAGE_CLASSIFIER_{name}", value)
    return SETTINGS["BUCKET"]


@pytest.fixture
def aws(monkeypatch, bucket):
    """The clients of every task, by service, and a bucket; a machine costs 0.60 US dollars an hour."""
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with mock_aws():
        made = {service: SESSION.client(service) for service in SERVICES}
        monkeypatch.setattr(clients, "aws_client", lambda _, service, **arguments: made[service])
        price = SimpleNamespace(price=lambda *_, **__: SimpleNamespace(usd_per_hour=0.6))
        monkeypatch.setattr(clients, "prices", lambda _: price)
        made["s3"].create_bucket(Bucket=bucket)
        yield SimpleNamespace(**made)


@pytest.fixture
def tested(aws, bucket):
    """Writes 120 test images of a data set of cats and dogs, and what models answered.

    ``right`` says by training job for which numbers of images its model is right.
    """

    def write(dataset, right):
        lines = []
        for number in range(120):
            label, key = ("cat", "dog")[number % 2], f"pets/dataset/test/x/{number:016x}.jpg"
            facts = {"class": label, "sha256": f"{number:064x}", "split": "test", "key": key}
            lines.append({"name": f"{label}/{number}.png", **facts})
            for job, is_right in right.items():
                values = [0.9, 0.1] if (label == "cat") == is_right(number) else [0.1, 0.9]
                evaluation = f"pets/evaluations/{job}/{dataset['test_manifest_sha256'][:8]}"
                answer = json.dumps({"prediction": values})
                aws.s3.put_object(Bucket=bucket, Key=f"{evaluation}/output/x/{number:016x}.jpg.out", Body=answer)
        manifest = f"pets/dataset/versions/{dataset['fingerprint']}/manifest.jsonl"
        aws.s3.put_object(Bucket=bucket, Key=manifest, Body="\n".join(map(json.dumps, lines)))
        aws.s3.put_object(Bucket=bucket, Key=dataset["labels_key"], Body=labels_document(["cat", "dog"]))

    return write
