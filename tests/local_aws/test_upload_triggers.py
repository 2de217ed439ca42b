"""Checks that classifiers keep each other's upload triggers in a shared bucket."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from image_classifier.connect.notification import UploadTrigger, delete_upload_trigger, ensure_upload_trigger
from local_aws import clients

if TYPE_CHECKING:
    from conftest import MiniStack

WRITERS = ("first", "second", "third")


def queue_for_s3(server: MiniStack) -> str:
    """A queue that S3 may send messages to; its ARN."""
    arn = f"arn:aws:sqs:{clients.REGION}:{clients.ACCOUNT}:theirs"
    principal = {"Service": "s3.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    server.client("sqs").create_queue(QueueName="theirs", Attributes={"Policy": policy})
    return arn


def test_triggers_that_are_set_at_once_keep_each_other(new_ministack: MiniStack) -> None:
    s3, functions = new_ministack.client("s3"), new_ministack.client("lambda")
    queue = {
        "Id": "somebody-elses",
        "QueueArn": queue_for_s3(new_ministack),
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "theirs/"}]}},
    }
    s3.put_bucket_notification_configuration(
        Bucket=new_ministack.bucket, NotificationConfiguration={"QueueConfigurations": [queue]}
    )
    triggers = [
        UploadTrigger(
            id=f"image-classifier-{name}",
            prefix=f"{name}/incoming/",
            function_arn=new_ministack.create_function(f"image-classifier-{name}", new_ministack.copy_event),
        )
        for name in WRITERS
    ]

    def set_up(trigger: UploadTrigger) -> str:
        return ensure_upload_trigger(functions, s3, bucket=new_ministack.bucket, trigger=trigger)

    with ThreadPoolExecutor(len(triggers)) as threads:
        assert set(threads.map(set_up, triggers)) == {"created"}

    found = s3.get_bucket_notification_configuration(Bucket=new_ministack.bucket)
    assert {entry["Id"] for entry in found["LambdaFunctionConfigurations"]} == {trigger.id for trigger in triggers}
    assert [entry["Id"] for entry in found["QueueConfigurations"]] == ["somebody-elses"]


def test_a_trigger_is_deleted_beside_one_whose_function_is_gone(new_ministack: MiniStack) -> None:
    s3, functions, bucket = new_ministack.client("s3"), new_ministack.client("lambda"), new_ministack.bucket
    for name in ("gone", "staying"):
        function = f"image-classifier-{name}"
        arn = new_ministack.create_function(function, new_ministack.copy_event)
        trigger = UploadTrigger(id=function, prefix=f"{name}/incoming/", function_arn=arn)
        ensure_upload_trigger(functions, s3, bucket=bucket, trigger=trigger)
    functions.delete_function(FunctionName="image-classifier-gone")

    delete_upload_trigger(functions, s3, bucket=bucket, classifier="staying")

    found = s3.get_bucket_notification_configuration(Bucket=bucket)
    assert [entry["Id"] for entry in found["LambdaFunctionConfigurations"]] == ["image-classifier-gone"]
