"""Stores a prediction record once: of two uploads to one key the later one wins, in any order of their events."""

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
NO_ETAG = f'"{"0" * 32}"'  # an ETag that no object has
IF_ABSENT: Mapping[str, str] = {"IfNoneMatch": "*"}
# 412: the condition does not hold. 409: another conditional write is in progress.
# NoSuchKey: the record that If-Match names was deleted.
COLLIDED = {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "412", "409", "404"}


def store(
    s3: "S3Client", prediction: Prediction, *, key: str, pause: Callable[[float], None] = time.sleep
) -> Prediction:
    """Write the record unless the stored one is current (see `record_order`); return the record that is stored now.

    Raises:
        PredictionError: another writer changed the record in each attempt.

    """
    condition = IF_ABSENT
    for attempt in range(ATTEMPTS):
        if _put(s3, prediction, key=key, condition=condition):
            return prediction
        if attempt:  # the first collision only shows that a record exists
            pause(random.uniform(0.5, 1) * FIRST_PAUSE_S * 2**attempt)  # noqa: S311 - no secret
        stored, etag = _stored(s3, bucket=prediction.image.bucket, key=key)
        if stored and not supersedes(prediction, stored):
            return stored
        condition = {"IfMatch": etag} if etag else IF_ABSENT
    raise PredictionError(f"The record {key} was changed by others {ATTEMPTS} times while it was written")


def check_writable(s3: "S3Client", *, bucket: str, key: str) -> None:
    """Check that the object may be written, by a write whose condition cannot hold; S3 checks permissions first.

    Raises:
        ClientError: the permission is missing.

    """
    try:
        s3.put_object(Bucket=bucket, Key=key, Body=b"{}", ContentType=CONTENT_TYPE, IfMatch=NO_ETAG)
    except ClientError as error:
        if error.response["Error"]["Code"] not in COLLIDED:
            raise


def write_thumbnail(s3: "S3Client", jpeg: bytes, *, bucket: str, key: str) -> None:
    """Write the thumbnail of an image."""
    s3.put_object(Bucket=bucket, Key=key, Body=jpeg, ContentType="image/jpeg")


def write_log_entry(s3: "S3Client", prediction: Prediction, *, bucket: str, key: str) -> None:
    """Write the record under a key that begins with its time; the watch Dag builds the daily index from these."""
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
    """Return the stored record and its ETag; for an invalid record, which is to be replaced, the ETag alone."""
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
