"""Sets a classifier's trigger in its file's mode: S3 invokes the function directly, through a queue, or not at all."""

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from image_classifier.aws.names import notification_id
from image_classifier.connect.concurrency import concurrency_of, ensure_concurrency
from image_classifier.connect.notification import UploadTrigger, delete_upload_trigger, ensure_upload_trigger
from image_classifier.connect.upload_queue import ensure_mapping, ensure_upload_queue, queue_name

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

Mode = Literal["direct", "queue", "paused"]
Outcome = Literal["created", "updated", "unchanged", "paused"]


class TriggerConfiguration(BaseModel):
    """How a classifier's uploads reach its function; XCom carries it as a dict.

    Attributes:
        classifier: its name.
        bucket: the bucket of the uploads.
        mode: `direct`: S3 invokes the function. `queue`: S3 sends a message, and Lambda polls the queue. `paused`: no
            upload is classified until the mode changes; the watch Dag then classifies the uploads of the meantime.
        failure_queue_arn: the queue for messages that failed five times.
        instance_count: number of the endpoint's instances; the function's concurrency is in proportion to it.
        tags: the tags of the upload queue.

    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    classifier: str
    bucket: str
    mode: Mode = "direct"
    failure_queue_arn: str
    instance_count: int = 1
    tags: dict[str, str] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        """Return the notification's id."""
        return notification_id(self.classifier)


def upload_trigger(mode: Mode, *, classifier: str, alias_arn: str) -> UploadTrigger:
    """Return the notification for a mode."""
    partition, region, account = (alias_arn.split(":")[index] for index in (1, 3, 4))
    queue_arn = f"arn:{partition}:sqs:{region}:{account}:{queue_name(classifier)}" if mode == "queue" else None
    return UploadTrigger.of(classifier, function_arn=alias_arn, queue_arn=queue_arn)


def set_trigger(
    functions: "LambdaClient", s3: "S3Client", sqs: "SQSClient", *, wanted: TriggerConfiguration, alias_arn: str
) -> Outcome:
    """Set notification, permission, queue, mapping and reserved concurrency as `wanted` says.

    Queue and mapping are created before the notification points at the queue. An unused queue keeps its mapping, so
    that its messages are still classified; the teardown deletes both.

    Raises:
        FunctionError: another notification of the bucket overlaps with ours, or S3 refuses ours.
        ResourceBusyError: other writers keep changing the bucket's notifications.

    """
    if wanted.mode == "paused":
        delete_upload_trigger(functions, s3, bucket=wanted.bucket, classifier=wanted.classifier)
        return "paused"
    ensure_concurrency(functions, classifier=wanted.classifier, instance_count=wanted.instance_count)
    trigger = upload_trigger(wanted.mode, classifier=wanted.classifier, alias_arn=alias_arn)
    if trigger.queue_arn is not None:
        _ensure_queue(functions, sqs, wanted=wanted, alias_arn=alias_arn)
    return ensure_upload_trigger(functions, s3, bucket=wanted.bucket, trigger=trigger)


def _ensure_queue(functions: "LambdaClient", sqs: "SQSClient", *, wanted: TriggerConfiguration, alias_arn: str) -> None:
    arn, _ = ensure_upload_queue(
        sqs,
        classifier=wanted.classifier,
        bucket_arn=f"arn:{alias_arn.split(':')[1]}:s3:::{wanted.bucket}",
        account=alias_arn.split(":")[4],
        failure_queue_arn=wanted.failure_queue_arn,
        tags=wanted.tags,
    )
    concurrency = concurrency_of(wanted.instance_count)
    ensure_mapping(functions, queue_arn=arn, alias_arn=alias_arn, concurrency=concurrency)
