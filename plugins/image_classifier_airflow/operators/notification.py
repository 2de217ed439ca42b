"""Sets how a classifier's uploads reach its function; the task can be repeated, and changes only what differs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.amazon.aws.hooks.lambda_function import LambdaHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk import Context

from image_classifier_airflow.aws_errors import with_our_errors
from image_classifier_airflow.connection import client
from image_classifier_airflow.links import UPLOAD_TRIGGER_LINKS

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient


class UploadTriggerOperator(AwsBaseOperator[LambdaHook]):
    """Lets S3 invoke a function for every object created below a prefix, directly or through a queue, or pauses that.

    The provider has no such operator. A bucket has one notification configuration, which a write replaces as a whole.
    So this operator grants the permission first, adds its entry to the existing ones, reads the configuration back, and
    after a random pause repeats this if another writer has overwritten it.

    Returns a dict of ``outcome`` (created, updated, unchanged, paused) and ``others``, the bucket's other
    notifications.

    Args:
        config: `image_classifier.connect.trigger.TriggerConfiguration` as a dict; may be another task's result.
        function_arn: ARN of the function's alias; may be another task's result.
        kwargs: AwsBaseOperator's and BaseOperator's arguments.

    """

    aws_hook_class = LambdaHook
    operator_extra_links = UPLOAD_TRIGGER_LINKS
    template_fields: Sequence[str] = aws_template_fields("config", "function_arn")

    def __init__(self, *, config: dict[str, Any], function_arn: str, **kwargs: Any) -> None:
        """Store the arguments."""
        super().__init__(**kwargs)
        self.config = config
        self.function_arn = function_arn

    @with_our_errors
    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Set the trigger.

        Returns:
            A dict of ``outcome`` (created, updated, unchanged or paused) and ``others``, the bucket's other
            notifications.

        Raises:
            FunctionError: another notification overlaps with this one, or S3 refuses this one.
            ResourceBusyError: other writers keep changing the bucket's notifications.

        """
        from image_classifier.connect.notification import other_notifications
        from image_classifier.connect.trigger import TriggerConfiguration, set_trigger

        wanted = TriggerConfiguration.model_validate(self.config)
        outcome = set_trigger(self.hook.conn, self.s3, self.sqs, wanted=wanted, alias_arn=self.function_arn)
        others = other_notifications(self.s3, bucket=wanted.bucket, trigger_id=wanted.id)
        self.log.info("Notification %s of bucket %s (%s): %s", wanted.id, wanted.bucket, wanted.mode, outcome)
        self.log.info("Others' notifications of the bucket: %s", "; ".join(others) or "none")
        return {"outcome": outcome, "others": others}

    @property
    def s3(self) -> "S3Client":
        """Create an S3 client with the connection, region and settings of the operator's hook."""
        return cast("S3Client", client(self, "s3"))

    @property
    def sqs(self) -> "SQSClient":
        """Create an SQS client in the same way."""
        return cast("SQSClient", client(self, "sqs"))
