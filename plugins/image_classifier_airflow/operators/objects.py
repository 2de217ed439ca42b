"""Copies and deletes S3 objects with the provider's operators, but with our errors, which decide about retries."""

from airflow.providers.amazon.aws.operators.s3 import S3CopyObjectOperator, S3DeleteObjectsOperator
from airflow.sdk import Context

from image_classifier_airflow.aws_errors import with_our_errors


class CopyObjectOperator(S3CopyObjectOperator):
    """The provider's operator; it is not retried if the source was deleted, or if S3 refuses the copy."""

    @with_our_errors
    def execute(self, context: Context) -> None:
        """Copy the object.

        Raises:
            AwsRefusalError: the source was deleted, or S3 refuses the copy.
            ResourceBusyError: S3 has a transient error.

        """
        super().execute(context)


class DeleteObjectsOperator(S3DeleteObjectsOperator):
    """The provider's operator; it is not retried if S3 refuses the deletion."""

    @with_our_errors
    def execute(self, context: Context) -> None:
        """Delete the objects.

        Raises:
            AwsRefusalError: S3 refuses the deletion.
            ResourceBusyError: S3 has a transient error.

        """
        super().execute(context)
