"""Deletes S3 objects with the provider's operator, but with our errors, which decide about retries."""

from airflow.providers.amazon.aws.operators.s3 import S3DeleteObjectsOperator
from airflow.sdk import Context

from image_classifier_airflow.aws_errors import with_our_errors


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
