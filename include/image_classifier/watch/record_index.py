"""Moves the function's log entries into daily index files, which the pages read instead of a million records.

The function writes one small object per record below predictions-log/, named by time. Each run of the watch Dag writes
entries that are old enough as gzipped JSON lines to predictions-index/<day>/, then deletes them. The name of an index
part contains the time of its first entry, so that pages find the newest part; the number of entries; and a hash of
them, so that a run that was interrupted between writing and deleting writes the same part again. Readers use the
current one of several records of an image.
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

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.contracts.record_keys import CHECK_FOLDER
from image_classifier.watch.deleted import delete_late, deleted_lines, marks, remove_old_marks

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

FINAL_AFTER = timedelta(minutes=1)  # younger entries may be written again while their event is retried
MOST_ENTRIES = 5_000  # largest number of entries in one part
MOST_PARTS = 24  # number of small parts of a day that are then merged
THREADS = 8
JSON_LINES = "application/x-ndjson"


@dataclass
class Compacted:
    """The numbers of moved log entries, written parts, and unreadable entries."""

    entries: int = 0
    parts: int = 0
    unreadable: int = 0


def compact(
    s3: "S3Client",
    *,
    bucket: str,
    classifier: str,
    now: datetime,
    is_over: Callable[[], bool],
    look_at: Callable[[Sequence[bytes]], object] = len,
) -> Compacted:
    """Move every log entry that is old enough into its day's index; entries of the runs' checks are deleted.

    Args:
        s3: the S3 client.
        bucket: the deployment's bucket.
        classifier: the classifier's name.
        now: the present time, for the age of the entries.
        is_over: whether to stop; the next call continues.
        look_at: called with the records of each part, as JSON, before their log entries are deleted.

    Raises:
        StorageError: S3 does not delete some of the entries at present; the next call continues.
        DatasetError: S3 refuses to delete them: without this error the index would get them again in every run.

    """
    keys, done = Keys(classifier), Compacted()
    entries = _final_entries(s3, bucket=bucket, prefix=keys.predictions_log, now=now)
    for day, of_day in groupby(entries, key=lambda key: key.removeprefix(keys.predictions_log).partition("/")[0]):
        while batch := list(islice(of_day, MOST_ENTRIES)):
            if is_over():
                return done
            look_at(_move(s3, batch, bucket=bucket, keys=keys, day=day, done=done))
            storage.delete(s3, bucket=bucket, keys=batch)
        _merge_parts(s3, bucket=bucket, keys=keys, day=day)
    remove_old_marks(s3, bucket=bucket, keys=keys, now=now)
    return done


def _final_entries(s3: "S3Client", *, bucket: str, prefix: str, now: datetime) -> Iterator[str]:
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for entry in page.get("Contents", []):
            if now - entry["LastModified"] >= FINAL_AFTER:
                yield entry["Key"]


def _move(s3: "S3Client", batch: Sequence[str], *, bucket: str, keys: Keys, day: str, done: Compacted) -> list[bytes]:
    """Write the entries of a batch to the index; return their records."""
    with ThreadPoolExecutor(THREADS) as pool:
        lines = list(pool.map(lambda key: _line(s3, bucket=bucket, key=key, check=keys.incoming + CHECK_FOLDER), batch))
    done.unreadable += lines.count(None)
    if kept := [line for line in lines if line]:
        folder, time = f"{keys.predictions_index}{day}/", _time(batch[0])
        key = folder + _part_name(time, lines=len(kept), of=batch)
        _write_part(s3, kept, bucket=bucket, keys=keys, key=key)
        done.parts += 1
    done.entries += len(batch)
    return kept


def _line(s3: "S3Client", *, bucket: str, key: str, check: str) -> bytes | None:
    """Return a log entry as one line; empty for a run's check or a deleted entry, None if it is not a record."""
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


def _time(entry: str) -> str:
    """Return the time of day in a log entry's key, ``<HH>/<MMSS.mmm>-...``, as digits."""
    hour, _, name = entry.rpartition("/")
    return f"{hour[-2:]}{name.partition('-')[0].replace('.', '')}"


def _part_name(time: str, *, lines: int, of: Sequence[str]) -> str:
    digest = hashlib.sha256("\n".join(of).encode()).hexdigest()[:16]
    return f"part-{time}-{lines}-{digest}.jsonl.gz"


def _merge_parts(s3: "S3Client", *, bucket: str, keys: Keys, day: str) -> None:
    """Merge the small parts of a day in the order of time; a new part is written before the old ones are deleted."""
    prefix = f"{keys.predictions_index}{day}/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    names = [part["Key"] for page in pages for part in page.get("Contents", [])]
    small = [name for name in names if 0 < _count(name) <= MOST_ENTRIES // 2]
    if len(small) <= MOST_PARTS:
        return
    for group in _groups(small):
        lines = [line for name in group for line in _lines_of(s3, bucket=bucket, key=name)]
        time = group[0].removeprefix(f"{prefix}part-").partition("-")[0]
        merged = prefix + _part_name(time, lines=len(lines), of=group)
        _write_part(s3, lines, bucket=bucket, keys=keys, key=merged)
        storage.delete(s3, bucket=bucket, keys=group)


def _groups(names: Sequence[str]) -> Iterator[list[str]]:
    """Yield groups of neighbouring parts with at most `MOST_ENTRIES` entries together."""
    group: list[str] = []
    for name in names:
        if group and sum(map(_count, group)) + _count(name) > MOST_ENTRIES:
            if len(group) > 1:
                yield group
            group = []
        group.append(name)
    if len(group) > 1:
        yield group


def _count(name: str) -> int:
    """Return the number of records in a part, from its name; 0 for a part of an earlier release."""
    _, *parts = name.rpartition("/")[2].split("-")
    return int(parts[1]) if len(parts) == len(("time", "lines", "digest")) else 0


def _lines_of(s3: "S3Client", *, bucket: str, key: str) -> list[bytes]:
    return gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).splitlines()


def _write_part(s3: "S3Client", lines: Sequence[bytes], *, bucket: str, keys: Keys, key: str) -> None:
    """Write a part; again without the lines of an image that was deleted in the meantime, and in no earlier version."""
    version = _put_part(s3, lines, bucket=bucket, key=key)
    gone = set(deleted_lines(lines, marks(s3, bucket=bucket, keys=keys), keys=keys))
    if gone:
        _put_part(s3, [line for line in lines if line not in gone], bucket=bucket, key=key)
        if version:
            s3.delete_object(Bucket=bucket, Key=key, VersionId=version)
    for line in gone:
        delete_late(s3, line, bucket=bucket, keys=keys)
    log.info("Wrote %d records to s3://%s/%s", len(lines) - len(gone), bucket, key)


def _put_part(s3: "S3Client", lines: Sequence[bytes], *, bucket: str, key: str) -> str | None:
    body = gzip.compress(
        b"\n".join(lines) + b"\n", mtime=0
    )  # a fixed mtime, so that the same lines give the same bytes
    return s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType=JSON_LINES).get("VersionId")
