"""Stores prediction records from outside the function, by the same rule of which of two records is current."""

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import code_of
from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import PredictionError, ResourceBusyError
from image_classifier.contracts.predictions import Prediction
from image_classifier.contracts.record_keys import log_key, record_key
from image_classifier.contracts.record_order import supersedes

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

ABSENT = {"NoSuchKey", "404", "NoSuchVersion"}
COLLIDED = (404, 409, 412)  # HTTP statuses of a conditional write whose condition does not hold
ATTEMPTS = 5
CONTENT_TYPE = "application/json"


@dataclass(frozen=True)
class Target:
    """The classifier, and the bucket of its images and records."""

    classifier: str
    bucket: str

    @property
    def keys(self) -> Keys:
        return Keys(self.classifier)

    def record_key(self, image_key: str) -> str:
        """Return the S3 key of an image's record."""
        return record_key(image_key, incoming_prefix=self.keys.incoming, predictions_prefix=self.keys.predictions)


def store_record(s3: "S3Client", target: Target, record: Prediction) -> Prediction:
    """Write the record unless the stored one stays (see `record_order`); returns the one that is stored now.

    Raises:
        ResourceBusyError: others changed the record in each attempt.

    """
    key = target.record_key(record.image.key)
    for _ in range(ATTEMPTS):
        stored, etag = _stored(s3, bucket=target.bucket, key=key)
        if stored is not None and not supersedes(record, stored):
            return stored
        if _put(s3, record, bucket=target.bucket, key=key, etag=etag):
            return record
    message = f"The record s3://{target.bucket}/{key} was changed by others {ATTEMPTS} times; run the task again."
    raise ResourceBusyError(message)


def record_that_stays(s3: "S3Client", target: Target, record: Prediction) -> Prediction | None:
    """Return the stored record that `store_record` would not replace by this one, or None."""
    stored, _ = _stored(s3, bucket=target.bucket, key=target.record_key(record.image.key))
    return stored if stored is not None and not supersedes(record, stored) else None


def write_log_entry(s3: "S3Client", target: Target, record: Prediction) -> None:
    """Write the record under a key that begins with its time; the watch Dag makes the day's index of these."""
    entry = log_key(record, log_prefix=target.keys.predictions_log)
    s3.put_object(Bucket=target.bucket, Key=entry, Body=record.as_json(), ContentType=CONTENT_TYPE)


def _stored(s3: "S3Client", *, bucket: str, key: str) -> tuple[Prediction | None, str | None]:
    """Return the stored record and its ETag; for an invalid record, which will be replaced, only the ETag."""
    try:
        found = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if code_of(error) in ABSENT:
            return None, None
        raise
    try:
        return Prediction.from_json(found["Body"].read()), found["ETag"]
    except PredictionError as error:
        log.warning("s3://%s/%s is replaced: %s", bucket, key, error)
        return None, found["ETag"]


def _put(s3: "S3Client", record: Prediction, *, bucket: str, key: str, etag: str | None) -> bool:
    """Write the record; False if somebody wrote one at the same moment."""
    condition: Any = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=record.as_json(), ContentType=CONTENT_TYPE, **condition)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] in COLLIDED:
            return False
        raise
    return True
