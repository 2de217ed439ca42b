"""Checks the whole chain: uploads a known image, and reads its prediction record."""

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_classifier.aws import names
from image_classifier.aws.s3 import object_exists, read_written
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Prediction
from image_classifier.contracts.record_keys import CHECK_FOLDER, record_key, thumbnail_key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class CheckUpload:
    """The S3 keys of one run's check: the uploaded image, and its record."""

    image_key: str
    record_key: str

    @property
    def thumbnail_key(self) -> str:
        """Return the S3 key of the image's thumbnail, which the function writes."""
        keys = names.Keys(self.image_key.partition("/")[0])
        return thumbnail_key(self.image_key, incoming_prefix=keys.incoming, thumbnails_prefix=keys.thumbnails)


def check_upload(classifier: str, *, run_id: str) -> CheckUpload:
    """Return the keys of a run's check; ``:`` and ``+`` of a run id, which URLs and events encode, are replaced."""
    keys = names.Keys(classifier)
    image_key = f"{keys.incoming}{CHECK_FOLDER}{re.sub(r'[^A-Za-z0-9._-]', '-', run_id)}.jpg"
    return CheckUpload(
        image_key=image_key,
        record_key=record_key(image_key, incoming_prefix=keys.incoming, predictions_prefix=keys.predictions),
    )


def forget_record(s3: "S3Client", *, bucket: str, upload: CheckUpload) -> None:
    """Delete an earlier record of the same check, so that a record can only be that of this upload."""
    s3.delete_object(Bucket=bucket, Key=upload.record_key)


def upload_known_image(s3: "S3Client", *, bucket: str, known_image: str, upload: CheckUpload) -> None:
    """Copy an image of the data set to the check's key below incoming/; each copy causes an event.

    A changed notification configuration may take five minutes until it takes effect (source: the S3 User Guide).
    """
    s3.copy_object(Bucket=bucket, Key=upload.image_key, CopySource={"Bucket": bucket, "Key": known_image})
    log.info("Uploaded s3://%s/%s, a copy of %s", bucket, upload.image_key, known_image)


def has_record(s3: "S3Client", *, bucket: str, upload: CheckUpload) -> bool:
    """Return whether the record of the check's image exists."""
    return object_exists(s3, bucket=bucket, key=upload.record_key)


def confirm_prediction(s3: "S3Client", *, bucket: str, upload: CheckUpload, training_job: str) -> Prediction:
    """Return the record of the check's image, and check that the model of ``training_job`` made it.

    Raises:
        PredictionError: the function rejected the image, or another model answered.

    """
    record = Prediction.from_json(read_written(s3, bucket=bucket, key=upload.record_key))
    where = f"s3://{bucket}/{upload.record_key}"
    if record.reason:
        sentence = (
            f"{where} rejects an image that the endpoint accepted: {record.reason.code}, {record.reason.sentence}"
        )
        raise PredictionError(sentence)
    if record.model is None or record.model.training_job != training_job:
        found = record.model.training_job if record.model else "no model"
        raise PredictionError(f"{where} was answered by {found}, expected {training_job}; deploy again")
    return record


def missing_record(*, bucket: str, upload: CheckUpload, classifier: str) -> PredictionError:
    """Return the error for a check without a record; it names the places to look at."""
    function = names.function_name(classifier)
    return PredictionError(
        f"No prediction record s3://{bucket}/{upload.record_key} came for s3://{bucket}/{upload.image_key}. "
        f"Look at the log group /aws/lambda/{function}, at the failure queue, and whether the bucket has the event "
        f"notification {names.notification_id(classifier)}; a new one may take five minutes to work"
    )
