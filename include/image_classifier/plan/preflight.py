"""Checks the requirements of a run before anything is paid."""

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.connect.notification import UploadTrigger, upload_trigger_change
from image_classifier.contracts.errors import SettingsError
from image_classifier.train.image_uris import algorithm_image

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def check_deployment(s3: "S3Client", *, classifier: Classifier, settings: Settings, region: str) -> None:
    """Check the algorithm's region, the bucket, and that no other notification covers the classifier's uploads.

    Raises:
        SettingsError: the bucket cannot be reached, or the algorithm is not available in the region.
        NotificationOverlapError: another notification overlaps.

    """
    algorithm_image(classifier, settings=settings, region=region)
    try:
        s3.head_bucket(Bucket=settings.bucket)
    except ClientError as error:
        message = (
            f"Bucket {settings.bucket} of IMAGE_CLASSIFIER_BUCKET cannot be reached: {error}. Check that it exists "
            "in the account and region of the Airflow connection, and that the connection's role may list it."
        )
        raise SettingsError(message) from error
    trigger = UploadTrigger.of(classifier.name, function_arn="")  # only its prefix matters here
    upload_trigger_change(s3, bucket=settings.bucket, trigger=trigger)
