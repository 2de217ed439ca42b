"""Copies and deletes objects of S3 by the provider's operators, and raises our errors, by which retries are decided."""

from airflow.providers.amazon.aws.operators.s3 import S3CopyObjectOperator, S3DeleteObjectsOperator
from airflow.sdk import Context

from image_classifier_airflow.aws_errors import with_our_errors


class CopyObjectOperator(S3CopyObjectOperator):
    """The provider's operator; a source that is gone, or a copy that S3 refuses, is not tried again."""

    @with_our_errors
    def execute(self, context: Context) -> None:
        """Copy the object.

        Raises:
            AwsRefusalError: the source is gone, or S3 refuses the copy.
            ResourceBusyError: S3 does not answer at present.

        """
        super().execute(context)


class DeleteObjectsOperator(S3DeleteObjectsOperator):
    """The provider's operator; a deletion that S3 refuses is not tried again."""

    @with_our_errors
    def execute(self, context: Context) -> None:
        """Delete the objects.

        Raises:
            AwsRefusalError: S3 refuses the deletion.
            ResourceBusyError: S3 does not answer at present.

        """
        super().execute(context)
