"""Stores a prediction record once: of two uploads of one key the later wins, in whatever order their events come."""

import random
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Prediction
from image_classifier.contracts.record_order import supersedes

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

ATTEMPTS = 6
FIRST_PAUSE_S = 0.05
CONTENT_TYPE = "application/json"
NO_ETAG = f'"{"0" * 32}"'  # of no object
IF_ABSENT: Mapping[str, str] = {"IfNoneMatch": "*"}
# 412: the record is not as the condition says. 409: another conditional write is under way.
# NoSuchKey: the record that If-Match names was deleted.
COLLIDED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404"}


def store(
    s3: "S3Client", prediction: Prediction, *, key: str, pause: Callable[[float], None] = time.sleep
) -> Prediction:
    """Write the record unless the stored one stays; see `record_order`. Returns the record that is current now.

    Raises:
        PredictionError: others wrote the same record each time.

    """
    condition = IF_ABSENT
    for attempt in range(ATTEMPTS):
        if _put(s3, prediction, key=key, condition=condition):
            return prediction
        if attempt:  # the first collision is no contention: it says that there is a record
            pause(random.uniform(0.5, 1) * FIRST_PAUSE_S * 2**attempt)  # noqa: S311 - no secret
        stored, etag = _stored(s3, bucket=prediction.image.bucket, key=key)
        if stored and not supersedes(prediction, stored):
            return stored
        condition = {"IfMatch": etag} if etag else IF_ABSENT
    raise PredictionError(f"The record {key} was changed by others {ATTEMPTS} times while it was written")


def check_writable(s3: "S3Client", *, bucket: str, key: str) -> None:
    """Check that an object may be written: S3 checks permissions before a condition that cannot hold.

    Raises:
        ClientError: they may not.

    """
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}", ContentType=CONTENT_TYPE, IfMatch=NO_ETAG)
    except ClientError as error:
        if error.response["Error"]["Code"] not in COLLIDED:
            raise


def write_thumbnail(s3: "S3Client", jpeg: bytes, *, bucket: str, key: str) -> None:
    """Write an image's thumbnail."""
    s3.put_object(Bucket=bucket, Key=key, Body=jpeg, ContentType="image/jpeg")


def write_log_entry(s3: "S3Client", prediction: Prediction, *, bucket: str, key: str) -> None:
    """Write the record once more under a key that begins with its time, of which the index of the day is made."""
    s3.put_object(Bucket=bucket, Key=key, Body=prediction.as_json(), ContentType=CONTENT_TYPE)


def _put(s3: "S3Client", prediction: Prediction, *, key: str, condition: Mapping[str, Any]) -> bool:
    body, bucket = prediction.as_json(), prediction.image.bucket
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=CONTENT_TYPE, **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] in COLLIDED:
            return False
        raise
    return True


def _stored(s3: "S3Client", *, bucket: str, key: str) -> tuple[Prediction | None, str | None]:
    """The stored record and its ETag. What cannot be read as a record has an ETag alone, and is replaced."""
    try:
        response = s3.get_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return None, None
        raise
    try:
        return Prediction.from_json(response["Body"].read()), response["ETag"]
    except PredictionError:
        return None, response["ETag"]
