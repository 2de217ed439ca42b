"""What others changed is set right, and what they left is deleted, under Airflow's own policy."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.waiting import until

from image_classifier.aws.clients import Clients
from image_classifier.connect.function_versions import ALIAS
from image_classifier.connect.upload_queue import ensure_mapping, ensure_upload_queue, queue_name
from image_classifier.teardown.delete import delete_objects
from image_classifier.teardown.inventory import Teardown
from image_classifier.watch.failure_queue import FailureQueue

if TYPE_CHECKING:
    from tests.local_aws.iam.conftest import Enforcing

NAME = "iam"  # that of the function which the fixture `aws` describes
HANDLER = "def handler(event, context):\n    return {}\n"


@pytest.fixture(scope="module")
def alias_arn(aws: Enforcing) -> str:
    """The live alias of a function that answers every event."""
    functions = aws.airflow("lambda")
    created = functions.create_function(
        **aws.function(Code={"ZipFile": aws.zipped(HANDLER)}, Timeout=30, Tags={"image-classifier": NAME})
    )
    until(lambda: functions.get_function(FunctionName=created["FunctionName"])["Configuration"]["State"] == "Active")
    version = functions.publish_version(FunctionName=created["FunctionName"])["Version"]
    alias = functions.create_alias(FunctionName=created["FunctionName"], Name=ALIAS, FunctionVersion=version)
    return str(alias["AliasArn"])


@pytest.fixture(scope="module")
def failures(aws: Enforcing) -> str:
    """The ARN of the failure queue."""
    return aws.settings["IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN"]


def test_an_upload_queue_and_its_mapping_are_set_right(aws: Enforcing, alias_arn: str, failures: str) -> None:
    sqs, functions = aws.airflow("sqs"), aws.airflow("lambda")

    def ensure() -> tuple[str, str]:
        arn, queue = ensure_upload_queue(
            sqs,
            classifier=NAME,
            bucket_arn=f"arn:aws:s3:::{aws.bucket}",
            account=aws.ready["account"],
            failure_queue_arn=failures,
            tags={"image-classifier": NAME},
        )
        return queue, ensure_mapping(functions, queue_arn=arn, alias_arn=alias_arn, concurrency=2)

    assert ensure() == ("created", "created")
    url = aws.root("sqs").get_queue_url(QueueName=queue_name(NAME))["QueueUrl"]
    aws.root("sqs").set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "60"})
    [mapping] = aws.root("lambda").list_event_source_mappings()["EventSourceMappings"]
    aws.root("lambda").update_event_source_mapping(UUID=mapping["UUID"], BatchSize=1)

    assert ensure() == ("updated", "updated")
    assert ensure() == ("unchanged", "unchanged")


def test_a_failed_event_is_handed_over_again_and_its_message_deleted(
    aws: Enforcing, alias_arn: str, failures: str
) -> None:
    key = f"{NAME}/incoming/a.jpg"
    aws.root("s3").put_object(Bucket=aws.bucket, Key=key, Body=b"picture")
    url = aws.airflow("sqs").get_queue_url(QueueName=failures.rpartition(":")[2])["QueueUrl"]
    record = {"s3": {"bucket": {"name": aws.bucket}, "object": {"key": key}}}
    aws.root("sqs").send_message(QueueUrl=url, MessageBody=json.dumps({"Records": [record]}))

    queue = FailureQueue(aws.airflow("sqs"), aws.airflow("lambda"), aws.airflow("s3"), url=url, bucket=aws.bucket)
    drained = queue.drain(is_over=lambda: False)

    assert drained.replayed == 1
    assert not drained.unreadable


def test_an_upload_that_nobody_completed_is_deleted(aws: Enforcing) -> None:
    aws.root("s3").create_multipart_upload(Bucket=aws.bucket, Key=f"{NAME}/incoming/unfinished.jpg")

    services = {"sagemaker": "sagemaker", "functions": "lambda", "logs": "logs", "s3": "s3", "sqs": "sqs"}
    clients = Clients(**{name: aws.airflow(service) for name, service in services.items()})
    delete_objects(clients, Teardown(NAME, aws.bucket))

    assert "Uploads" not in aws.root("s3").list_multipart_uploads(Bucket=aws.bucket)
