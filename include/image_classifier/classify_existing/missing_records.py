"""Finds uploaded images without a current prediction record, by comparing two listings in constant memory.

S3 lists keys in the order of their UTF-8 bytes and cannot list by time, so every image is compared with the record of
its key. A pass may be interrupted and resumed.
"""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from image_classifier.aws.names import Keys
from image_classifier.contracts.record_keys import CHECK_FOLDER, LONG_FOLDER, record_key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

RECORD_ENDING = b".json"


@dataclass(frozen=True)
class Listed:
    """One object of a listing; `name` is its key below the listed prefix, as UTF-8."""

    name: bytes
    modified: datetime
    size_bytes: int
    etag: str


@dataclass
class Counter:
    """The numbers of compared images and of listings."""

    images: int = 0
    listings: int = 0


@dataclass(frozen=True)
class Position:
    """The position of an interrupted pass: images whose record's name is greater than `after` were not compared yet."""

    after: bytes = b""
    images_from: bytes = b""


def list_names(s3: "S3Client", *, bucket: str, prefix: str, after: bytes = b"", counter: Counter) -> Iterator[Listed]:
    """Yield the objects below `prefix` whose names follow `after`, in S3's order, one page at a time."""
    start = {"StartAfter": prefix + after.decode(errors="ignore")} if after else {}
    paginator = s3.get_paginator("list_objects_v2")
    for page in paginator.paginate(Bucket=bucket, Prefix=prefix, **start):  # type: ignore[arg-type]
        counter.listings += 1
        for found in page.get("Contents", []):
            name = found["Key"].removeprefix(prefix).encode()
            yield Listed(name, found["LastModified"], found["Size"], found["ETag"])


def in_record_order(images: Iterable[Listed]) -> Iterator[tuple[Listed, Position]]:
    """Yield the images in the order of their records' names, each with the position to resume after it.

    ``a`` precedes ``a.b`` among the images, but ``a.b.json`` precedes ``a.json`` among the records. An image is held
    back only while the following names begin with its own name, so at most as many are held as a key has characters.
    """
    waiting: list[tuple[bytes, Listed]] = []
    for image in images:
        while waiting and waiting[0][0] <= image.name:
            yield _next(waiting, default=image.name)
        heapq.heappush(waiting, (image.name + RECORD_ENDING, image))
    while waiting:
        yield _next(waiting, default=waiting[0][1].name)


def _next(waiting: list[tuple[bytes, Listed]], *, default: bytes) -> tuple[Listed, Position]:
    record_name, image = heapq.heappop(waiting)
    return image, Position(after=record_name, images_from=min([default, *(other.name for _, other in waiting)]))


def without_current_record(
    images: Iterable[tuple[Listed, Position]], records: Iterable[Listed], *, recorded_since: datetime | None = None
) -> Iterator[tuple[Listed, Position, bool]]:
    """Yield every image with its position, and whether it lacks a record newer than itself and `recorded_since`."""
    listed = iter(records)
    record = next(listed, None)
    for image, position in images:
        name = image.name + RECORD_ENDING
        while record is not None and record.name < name:
            record = next(listed, None)
        newest = image.modified if recorded_since is None else max(image.modified, recorded_since)
        is_missing = record is None or record.name != name or record.modified < newest
        yield image, position, is_missing


def compare(
    s3: "S3Client",
    *,
    bucket: str,
    classifier: str,
    start: Position,
    counter: Counter,
    recorded_since: datetime | None = None,
) -> Iterator[tuple[Listed, Position, bool]]:
    """Compare every image below incoming/ with the records, beginning at `start`.

    Folder markers and the images of the runs' checks are left out. If an image's key is so long that its record has a
    hashed name, the record is looked up separately. With `recorded_since` older records are ignored.

    Yields:
        The image, the position to resume after it, and whether it lacks a current record.

    """
    keys = Keys(classifier)
    before = start.images_from[:-1]  # StartAfter excludes its key
    images = (
        image
        for image in list_names(s3, bucket=bucket, prefix=keys.incoming, after=before, counter=counter)
        if image.name + RECORD_ENDING > start.after and not _is_left_out(image)
    )
    records = list_names(s3, bucket=bucket, prefix=keys.predictions, after=start.after, counter=counter)
    for image, position, is_missing in without_current_record(
        in_record_order(images), records, recorded_since=recorded_since
    ):
        counter.images += 1
        key = keys.incoming + image.name.decode()
        hashed = record_key(key, incoming_prefix=keys.incoming, predictions_prefix=keys.predictions)
        if hashed.startswith(keys.predictions + LONG_FOLDER):
            counter.listings += 1
            newest = image.modified if recorded_since is None else max(image.modified, recorded_since)
            is_missing = not _has_record(s3, bucket=bucket, key=hashed, since=newest)
        yield image, position, is_missing


def _is_left_out(image: Listed) -> bool:
    is_marker = image.name.endswith(b"/") and image.size_bytes == 0
    return is_marker or image.name.startswith(CHECK_FOLDER.encode())


def _has_record(s3: "S3Client", *, bucket: str, key: str, since: datetime) -> bool:
    found = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    return bool(found) and found[0]["LastModified"] >= since
