"""Keeps lines of deleted images out of the index, also if the watch Dag writes a part while a person deletes an image.

Whoever deletes an image marks it first, and then looks through the parts that exist. Whoever writes a part looks for
marks after it has written. So one of the two finds each line. A mark names the image by a hash alone.
"""

import gzip
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import instant

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


def without_deleted(lines: Sequence[bytes], marked: Marks, *, keys: Keys) -> list[bytes]:
    """Return the lines except those of images that were deleted after the upload that the line is about."""
    return [line for line in lines if not _is_deleted(line, marked, keys=keys)] if marked else list(lines)


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
