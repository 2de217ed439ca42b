"""The task that lets S3 call a function for every upload below a prefix; it may run twice and changes only its own."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.amazon.aws.hooks.lambda_function import LambdaHook
from airflow.providers.amazon.aws.hooks.s3 import S3Hook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator
from airflow.providers.amazon.aws.utils.mixins import aws_template_fields
from airflow.sdk import Context

from image_classifier.connect.notification import UploadTrigger, ensure_upload_trigger, other_notifications
from image_classifier_airflow.links import UPLOAD_TRIGGER_LINKS

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class UploadTriggerOperator(AwsBaseOperator[LambdaHook]):
    """Set one event notification of a bucket: S3 calls a function for every object created below a prefix.

    The provider has no operator for it, and a bucket has one notification configuration, which a write replaces as a
    whole. So this one gives the permission first, puts its own entry among everybody else's, reads back what it wrote,
    and tries again, after a pause that no two writers share, when another writer was in between.

    Returns a dict of outcome (created, updated, unchanged) and others: the bucket's other notifications, by name.

    Args:
        config: a dict of bucket, id (names the notification, and the statement in the function's policy) and prefix (of
            the keys that count); may be another task's result.
        function_arn: of the function, its alias or a version; may be another task's result.
        kwargs: AwsBaseOperator's and BaseOperator's arguments.

    """

    aws_hook_class = LambdaHook
    operator_extra_links = UPLOAD_TRIGGER_LINKS
    template_fields: Sequence[str] = aws_template_fields("config", "function_arn")

    def __init__(self, *, config: dict[str, str], function_arn: str, **kwargs: Any) -> None:
        """Keep what the task needs."""
        super().__init__(**kwargs)
        self.config = config
        self.function_arn = function_arn

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002
        """Set the notification.

        Raises:
            FunctionError: another notification overlaps with this one, or S3 refuses it; says which.
            ResourceBusyError: others keep changing the bucket's notifications.

        """
        bucket, name = self.config["bucket"], self.config["id"]
        trigger = UploadTrigger(id=name, prefix=self.config["prefix"], function_arn=self.function_arn)
        outcome = ensure_upload_trigger(self.hook.conn, self.s3, bucket=bucket, trigger=trigger)
        others = other_notifications(self.s3, bucket=bucket, trigger_id=name)
        self.log.info("Notification %s of bucket %s: %s", name, bucket, outcome)
        self.log.info("Others' notifications of the bucket: %s", "; ".join(others) or "none")
        return {"outcome": outcome, "others": others}

    @property
    def s3(self) -> "S3Client":
        """A client of the connection, the region and the settings that the operator's own hook uses."""
        hook = S3Hook(
            aws_conn_id=self.aws_conn_id,
            region_name=self.region_name,
            verify=self.verify,
            config=self.botocore_config,
        )
        return cast("S3Client", hook.conn)
