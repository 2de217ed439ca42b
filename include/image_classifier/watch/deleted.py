"""Keeps lines of deleted images out of the index, also if the watch Dag writes a part while a person deletes an image.

Whoever deletes an image marks it first, and then looks through the parts that exist. Whoever writes a part looks for
marks after it has written. So one of the two finds each line. A mark names the image by a hash alone. A line that the
writer finds was written during the deletion or after it, and so was the record: it is deleted as well.
"""

import gzip
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.aws.versions import Version, delete_versions, versions_of
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Prediction, instant
from image_classifier.contracts.record_keys import log_key, record_key, thumbnail_key
from image_classifier.contracts.record_order import is_same_upload

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

KEPT = timedelta(days=1)  # how long a mark is kept; no run of the watch Dag takes as long
Marks = Mapping[str, datetime]  # the time of each mark, by its S3 key


def mark(s3: "S3Client", *, bucket: str, keys: Keys, key: str) -> None:
    """Mark an image as deleted."""
    storage.write(s3, bucket=bucket, key=_mark_of(key, keys=keys), body=b"", content_type="text/plain")


def marks(s3: "S3Client", *, bucket: str, keys: Keys) -> dict[str, datetime]:
    """Return the present marks; there is one for each image that was deleted within `KEPT`."""
    found = storage.list_objects(s3, bucket=bucket, prefix=keys.deleted_marks)
    return {key: datetime.fromisoformat(stored.last_modified) for key, stored in found.items()}


def remove_old_marks(s3: "S3Client", *, bucket: str, keys: Keys, now: datetime) -> None:
    """Remove the marks that no run of the watch Dag needs any longer."""
    old = [key for key, time in marks(s3, bucket=bucket, keys=keys).items() if now - time > KEPT]
    storage.delete(s3, bucket=bucket, keys=old)


def deleted_lines(lines: Sequence[bytes], marked: Marks, *, keys: Keys) -> list[bytes]:
    """Return the lines of images that were deleted after the upload that the line is about."""
    return [line for line in lines if _is_deleted(line, marked, keys=keys)] if marked else []


def delete_late(s3: "S3Client", line: bytes, *, bucket: str, keys: Keys) -> None:
    """Delete the record, thumbnail and log entry that a line of a deleted image is about, in all versions.

    The function, or a run that classifies images again, may have written them while the image was deleted: none of them
    looks for the image once more after it has written. If the image is there, it is being deleted just now, which takes
    them along, or was uploaded again: then what belongs to the later upload stays.
    """
    try:
        record = Prediction.from_json(line)
        image = record.image.key
        stored_in = record_key(image, incoming_prefix=keys.incoming, predictions_prefix=keys.predictions)
    except PredictionError as error:
        log.warning("An entry of a deleted image is no record: %s", error)
        return
    uploaded = storage.modified(s3, bucket=bucket, key=image)
    if uploaded is not None and uploaded <= instant(record.times.uploaded):
        return
    read = partial(versions_of, s3, bucket=bucket)
    records = read(key=stored_in)
    pictures = read(key=thumbnail_key(image, incoming_prefix=keys.incoming, thumbnails_prefix=keys.thumbnails))
    if uploaded is not None:
        records = [version for version in records if _is_of(version, record, s3=s3, bucket=bucket)]
        pictures = [version for version in pictures if not version.is_latest]
    entries = read(key=log_key(record, log_prefix=keys.predictions_log))
    doomed = [version.identifier for version in (*pictures, *entries, *records)]
    deleted = delete_versions(s3, doomed, bucket=bucket)
    log.info("Deleted %d object versions about the deleted image s3://%s/%s", deleted, bucket, image)


def _is_of(version: Version, record: Prediction, *, s3: "S3Client", bucket: str) -> bool:
    """Return whether a version of a record is about the same upload as this record."""
    if version.is_marker:
        return False
    try:
        body = s3.get_object(Bucket=bucket, Key=version.key, VersionId=version.version_id)["Body"].read()
        return is_same_upload(Prediction.from_json(body), record)
    except PredictionError:
        return False  # not a record; readers ignore it


def lines_without(content: bytes, key: str) -> list[bytes] | None:
    """Return the lines of a part without those about one image; None if it has none about it."""
    text, wanted = gzip.decompress(content), json.dumps(key, ensure_ascii=False).encode()  # as the watch Dag writes it
    if wanted not in text:  # most parts; without this search each of millions of lines would be looked at
        return None
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if wanted not in line or not _is_about(line, key)]
    return kept if len(kept) < len(lines) else None


def _is_deleted(line: bytes, marked: Marks, *, keys: Keys) -> bool:
    try:
        record = json.loads(line)
        time = marked.get(_mark_of(record["image"]["key"], keys=keys))
        return time is not None and instant(record["times"]["uploaded"]) <= time
    except (ValueError, KeyError, TypeError, AttributeError, PredictionError):
        return False  # not a record; readers ignore it


def _is_about(line: bytes, key: str) -> bool:
    try:
        found: bool = json.loads(line)["image"]["key"] == key
    except (ValueError, KeyError, TypeError):
        return False  # not a record; readers ignore it
    return found


def _mark_of(key: str, *, keys: Keys) -> str:
    return keys.deleted_marks + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
