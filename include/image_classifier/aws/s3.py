"""Provides functions for this package's S3 calls, whose errors name the bucket and the key."""

import hashlib
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from image_classifier.aws.client_errors import code_of, is_expired, is_transient, is_transient_code
from image_classifier.contracts.errors import DatasetError, ObjectGoneError, ResourceBusyError, StorageError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ErrorTypeDef

log = logging.getLogger(__name__)

HTTP_NOT_FOUND = 404
ABSENT = ("NoSuchKey", "404")
DELETED_AT_ONCE = 1000  # of one DeleteObjects request
CHANGED_MEANWHILE = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


@dataclass(frozen=True, slots=True)
class Stored:
    """One object of a listing; sizes are in bytes."""

    size_bytes: int
    etag: str
    last_modified: str = ""  # ISO 8601


def list_objects(
    s3: "S3Client", *, bucket: str, prefix: str, extra: Mapping[str, Any] = MappingProxyType({})
) -> dict[str, Stored]:
    """Return every object below a prefix, by key; ``extra`` is added to the requests."""
    return dict(each_object(s3, bucket=bucket, prefix=prefix, extra=extra))


def each_object(
    s3: "S3Client", *, bucket: str, prefix: str, extra: Mapping[str, Any] = MappingProxyType({})
) -> Iterator[tuple[str, Stored]]:
    """Yield the key of every object below a prefix and the object; one page of the listing is in memory."""
    with naming(bucket, prefix, doing="list"):
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, **extra):
            for stored in page.get("Contents", []):
                time = stored["LastModified"].isoformat()
                yield stored["Key"], Stored(stored["Size"], stored.get("ETag", ""), time)


def object_exists(s3: "S3Client", *, bucket: str, key: str) -> bool:
    """Return whether HeadObject finds the object; without s3:ListBucket an absent object gives the status 403."""
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTP_NOT_FOUND:
            return False
        raise
    return True


def modified(s3: "S3Client", *, bucket: str, key: str) -> datetime | None:
    """Return the time of an object's last write, or None if it is absent."""
    with naming(bucket, key, doing="look at"):
        try:
            return s3.head_object(Bucket=bucket, Key=key)["LastModified"]
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise


def read(s3: "S3Client", *, bucket: str, key: str) -> tuple[bytes, str] | None:
    """Return an object's bytes and ETag, or None if it is absent."""
    with naming(bucket, key, doing="read"):
        try:
            answer = s3.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if code_of(error) in ABSENT:
                return None
            raise
        return answer["Body"].read(), answer["ETag"]


def read_written(s3: "S3Client", *, bucket: str, key: str) -> bytes:
    """Return the bytes of an object that an earlier task wrote.

    Raises:
        ObjectGoneError: somebody deleted it; a retry would fail again.

    """
    found = read(s3, bucket=bucket, key=key)
    if found is None:
        message = (
            f"s3://{bucket}/{key} is gone: an earlier task of this run wrote it, and somebody deleted it, perhaps with "
            "a teardown. Start a new run."
        )
        raise ObjectGoneError(message)
    return found[0]


def write(s3: "S3Client", *, bucket: str, key: str, body: bytes, content_type: str) -> None:
    """Store an object; an existing one is replaced."""
    with naming(bucket, key, doing="write"):
        s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type)


def write_if_unchanged(
    s3: "S3Client", *, bucket: str, key: str, body: bytes, content_type: str, etag: str | None
) -> str:
    """Store an object if the present one has the ETag `etag`, or, with None, if there is none; return the new ETag.

    Raises:
        ResourceBusyError: another writer has changed it in the meantime.

    """
    condition: Mapping[str, Any] = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
    with naming(bucket, key, doing="write"):
        try:
            stored = s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=content_type, **condition)
        except ClientError as error:
            if code_of(error) not in (*CHANGED_MEANWHILE, *ABSENT):
                raise
            message = (
                f"s3://{bucket}/{key} was changed by another run in the meantime; run this task again after that run."
            )
            raise ResourceBusyError(message) from error
    log.info("Wrote s3://%s/%s", bucket, key)
    return stored["ETag"]


def delete(s3: "S3Client", *, bucket: str, keys: Iterable[str]) -> None:
    """Delete objects; absent ones are no error.

    Raises:
        StorageError: S3 has a transient error, also if it has one for some of the keys.
        DatasetError: S3 refuses to delete one of them.

    """
    waiting = iter(keys)
    while batch := list(islice(waiting, DELETED_AT_ONCE)):
        with naming(bucket, batch[0], doing="delete"):
            answer = s3.delete_objects(
                Bucket=bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True}
            )
        if errors := answer.get("Errors"):
            raise _not_deleted(errors, bucket=bucket)


def _not_deleted(errors: "Sequence[ErrorTypeDef]", *, bucket: str) -> StorageError | DatasetError:
    refused = [error for error in errors if not is_transient_code(error.get("Code", ""))]
    first = (refused or errors)[0]
    message = (
        f"S3 did not delete {len(errors)} objects, such as s3://{bucket}/{first.get('Key')}: {first.get('Code')}: "
        f"{first.get('Message')}."
    )
    return DatasetError(message) if refused else StorageError(message)


def same_content(stored: Stored | None, body: bytes) -> bool:
    """Return whether a listed object holds these bytes; False if unknown: with a KMS key an ETag is not an MD5."""
    return stored is not None and stored.etag.strip('"') == hashlib.md5(body, usedforsecurity=False).hexdigest()


@contextmanager
def naming(bucket: str, key: str, *, doing: str) -> Iterator[None]:
    """Convert botocore's errors to ours, which name the bucket and the key.

    Raises:
        StorageError: the error is transient: S3 is throttling, the connection broke, or the credentials expired.
        DatasetError: the error is permanent: a person must change something.

    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if is_transient(error) or is_expired(error):
            message = f"Cannot {doing} s3://{bucket}/{key} at present: {error}. Nothing is wrong with the images."
            raise StorageError(message) from error
        message = (
            f"Cannot {doing} s3://{bucket}/{key}: {error}. Check that the bucket exists in the connection's account "
            "and region, and that the connection's role may do this."
        )
        raise DatasetError(message) from error
