"""Classifiers that set their upload triggers at one moment, in a bucket that others use too, leave each other alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from image_classifier.connect.notification import UploadTrigger, ensure_upload_trigger

if TYPE_CHECKING:
    from conftest import MiniStack

WRITERS = ("first", "second", "third")


def test_triggers_set_at_one_moment_are_all_there_and_so_is_somebody_elses_queue(new_ministack: MiniStack) -> None:
    s3, functions = new_ministack.client("s3"), new_ministack.client("lambda")
    queue = {
        "Id": "somebody-elses",
        "QueueArn": new_ministack.settings["IMAGE_CLASSIFIER_FAILURE_QUEUE_ARN"],
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
