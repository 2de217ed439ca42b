"""Moves the function's log entries into the index of their day, which pages read instead of a million records.

The function writes one small object per record below predictions-log/, named by time. Each run of the watch Dag writes
those that are old enough as gzipped JSON lines to predictions-index/<day>/, then deletes them. An index part is named
by the entries in it: a run that was interrupted between writing and deleting writes the same part again. Readers keep
the current one of several records of an image.
"""

import gzip
import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from image_classifier.aws.names import Keys
from image_classifier.classify_existing.missing_records import CHECK_FOLDER

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

SETTLED_AFTER = timedelta(minutes=1)  # an entry may be written again while its event is tried again
MOST_ENTRIES = 5_000  # in one part
MOST_PARTS = 24  # of one day; then they become one
DELETED_AT_ONCE = 1_000  # S3's limit
THREADS = 8
JSON_LINES = "application/x-ndjson"


@dataclass
class Compacted:
    """How many log entries were moved, how many parts were written, and how many entries could not be read."""

    entries: int = 0
    parts: int = 0
    unreadable: int = 0


def compact(s3: "S3Client", *, bucket: str, classifier: str, now: datetime, is_over: Callable[[], bool]) -> Compacted:
    """Move every log entry that is old enough into the index of its day; entries of a run's own check are deleted."""
    keys, done = Keys(classifier), Compacted()
    entries = _settled_entries(s3, bucket=bucket, prefix=keys.predictions_log, now=now)
    for day, of_day in groupby(entries, key=lambda key: key.removeprefix(keys.predictions_log).partition("/")[0]):
        while batch := list(islice(of_day, MOST_ENTRIES)):
            if is_over():
                return done
            _move(s3, batch, bucket=bucket, keys=keys, day=day, done=done)
        _merge_parts(s3, bucket=bucket, prefix=f"{keys.predictions_index}{day}/")
    return done


def _settled_entries(s3: "S3Client", *, bucket: str, prefix: str, now: datetime) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            if now - entry["LastModified"] >= SETTLED_AFTER:
                yield entry["Key"]


def _move(s3: "S3Client", batch: Sequence[str], *, bucket: str, keys: Keys, day: str, done: Compacted) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        lines = list(pool.map(lambda key: _line(s3, bucket=bucket, key=key, check=keys.incoming + CHECK_FOLDER), batch))
    done.unreadable += lines.count(None)
    if kept := [line for line in lines if line]:
        name = hashlib.sha256("\n".join(batch).encode()).hexdigest()[:16]
        _write_part(s3, kept, bucket=bucket, key=f"{keys.predictions_index}{day}/part-{name}.jsonl.gz")
        done.parts += 1
    _delete(s3, batch, bucket=bucket)
    done.entries += len(batch)


def _line(s3: "S3Client", *, bucket: str, key: str, check: str) -> bytes | None:
    """A log entry as one line; empty if it is of a run's own check or gone, None if it is no record."""
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchKey":
            return b""
        raise
    try:
        record = json.loads(body)
        if record["image"]["key"].startswith(check):
            return b""
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("s3://%s/%s is no log entry of a record, and is deleted: %r", bucket, key, error)
        return None
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def _merge_parts(s3: "S3Client", *, bucket: str, prefix: str) -> None:
    """Make one part of a day's many; the new one is written before the old ones are deleted."""
    listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    if len(listed) <= MOST_PARTS:
        return
    names = [part["Key"] for part in listed]
    lines = [line for name in names for line in _lines_of(s3, bucket=bucket, key=name)]
    digest = hashlib.sha256("\n".join(names).encode()).hexdigest()[:16]
    merged = f"{prefix}part-{digest}.jsonl.gz"
    _write_part(s3, lines, bucket=bucket, key=merged)
    _delete(s3, [name for name in names if name != merged], bucket=bucket)


def _lines_of(s3: "S3Client", *, bucket: str, key: str) -> list[bytes]:
    return gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).splitlines()


def _write_part(s3: "S3Client", lines: Sequence[bytes], *, bucket: str, key: str) -> None:
    body = gzip.compress(b"\n".join(lines) + b"\n", mtime=0)  # mtime: the same lines give the same bytes
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=JSON_LINES)
    log.info("Wrote %d records to s3://%s/%s", len(lines), bucket, key)


def _delete(s3: "S3Client", keys: Sequence[str], *, bucket: str) -> None:
    waiting = iter(keys)
    while batch := list(islice(waiting, DELETED_AT_ONCE)):
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in batch], "Quiet": True})
