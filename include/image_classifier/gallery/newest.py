"""Reads the newest prediction records of a classifier from the daily indexes and the log of newer records.

S3 cannot list by time, so the inference function writes each record a second time under a key that begins with its time
(``predictions-log/``), and the watch Dag moves these into daily files (``predictions-index/<day>/part-*.jsonl.gz``).
Parts and log entries never change once they are written, so they are cached.
"""

import gzip
import itertools
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import naming, read
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import instant
from image_classifier.contracts.record_keys import CHECK_FOLDER
from image_classifier.gallery.rows import Row, merged, row_of_json

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

MOST_RECORDS = 50_000  # the rows that are filtered or sorted
MOST_LOG_ENTRIES = 2_000  # each one is read separately; the watch Dag moves them into the index every ten minutes
CACHED_ROWS = 60_000  # for all classifiers together
READERS = 16
DAYS_LISTED = 31  # by one call, if they have at most 1,000 parts together


class RowCache:
    """A least-recently-used cache of the rows of parts and log entries, by S3 key and ETag.

    Args:
        most_rows: the largest number of rows in the cache.

    """

    def __init__(self, most_rows: int = CACHED_ROWS) -> None:
        """Create an empty cache."""
        self._most, self._rows, self._lock = most_rows, 0, threading.Lock()
        self._parts: OrderedDict[tuple[str, str, str], tuple[Row, ...]] = OrderedDict()

    def get(self, part: tuple[str, str, str], load: Callable[[], tuple[Row, ...]]) -> tuple[Row, ...]:
        """Return the rows of a part (bucket, key, ETag); they are loaded if they are not in the cache."""
        with self._lock:
            if part in self._parts:
                self._parts.move_to_end(part)
                return self._parts[part]
        rows = load()
        with self._lock:
            if part not in self._parts:
                self._parts[part] = rows
                self._rows += len(rows)
            while self._rows > self._most and len(self._parts) > 1:
                self._rows -= len(self._parts.popitem(last=False)[1])
        return rows


@dataclass(frozen=True)
class Newest:
    """The newest rows, one per image, the newest upload first.

    Attributes:
        rows: at most the requested number.
        is_all: whether there are no other rows.
        unread_log: whether some log entries were not read, because there are too many that are not in the index.

    """

    rows: list[Row]
    is_all: bool
    unread_log: bool


@dataclass(frozen=True)
class Records:
    """The prediction records of one classifier, in S3."""

    s3: "S3Client"
    bucket: str
    keys: Keys
    cache: RowCache

    def newest(self, limit: int = MOST_RECORDS, *, day: str = "") -> Newest:
        """Return the newest rows, optionally of one UTC day of prediction (``YYYY-MM-DD``).

        Raises:
            StorageError: S3 has a transient error.
            DatasetError: S3 refuses to return the objects.

        """
        entries = self._log_entries(day)
        chunks = itertools.chain([self._read_log(entries[:MOST_LOG_ENTRIES])], self._parts(day))
        found: dict[str, Row] = {}
        is_all = True
        for rows in chunks:
            if len(found) >= limit:
                is_all = False
                break
            for row in rows:
                if row.key.startswith(f"{self.keys.incoming}{CHECK_FOLDER}"):
                    continue  # of a check or a canary, not yet left out by the watch Dag
                found[row.key] = merged(found[row.key], row) if row.key in found else row
        newest = sorted(found.values(), key=lambda row: instant(row.uploaded), reverse=True)
        return Newest(newest[:limit], is_all and len(newest) <= limit, len(entries) > MOST_LOG_ENTRIES)

    def days(self) -> list[str]:
        """Return the days with records, the newest first."""
        prefixes = {*self._folders(self.keys.predictions_index), *self._folders(self.keys.predictions_log)}
        return sorted({prefix.rstrip("/").rpartition("/")[2] for prefix in prefixes}, reverse=True)

    def _parts(self, day: str) -> Iterator[tuple[Row, ...]]:
        """Yield the rows of each part, the newest day first."""
        index = self.keys.predictions_index
        days = [f"{index}{day}/"] if day else sorted(self._folders(index), reverse=True)
        at_once = 1  # the first part often has enough rows
        with ThreadPoolExecutor(READERS) as readers:
            for start in range(0, len(days), DAYS_LISTED):
                listed = self._listed(days[start : start + DAYS_LISTED])
                while listed:
                    yield from readers.map(lambda part: self._part(*part), listed[:at_once])
                    listed, at_once = listed[at_once:], READERS

    def _listed(self, days: Sequence[str]) -> list[tuple[str, str]]:
        """Return (key, ETag) of the parts of neighbouring days, the newest first; days are prefixes in that order."""
        if len(days) == 1:
            return sorted(self._objects(days[0]), reverse=True)
        index, end = self.keys.predictions_index, f"{days[0]}~"
        found: list[tuple[str, str]] = []
        with naming(self.bucket, index, doing="list"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=index, StartAfter=days[-1]
            )
            for page in pages:
                listed = page.get("Contents", [])
                found += [(stored["Key"], stored["ETag"]) for stored in listed if stored["Key"] < end]
                if listed and listed[-1]["Key"] > end:
                    break
        return sorted(found, reverse=True)

    def _part(self, key: str, etag: str) -> tuple[Row, ...]:
        def load() -> tuple[Row, ...]:
            found = read(self.s3, bucket=self.bucket, key=key)
            return _rows(gzip.decompress(found[0]), key=key) if found else ()

        return self.cache.get((self.bucket, key, etag), load)

    def _read_log(self, entries: Sequence[tuple[str, str]]) -> tuple[Row, ...]:
        def entry(listed: tuple[str, str]) -> tuple[Row, ...]:
            key, etag = listed
            return self.cache.get((self.bucket, key, etag), lambda: self._log_entry(key))

        with ThreadPoolExecutor(READERS) as readers:
            return tuple(itertools.chain.from_iterable(readers.map(entry, entries)))

    def _log_entry(self, key: str) -> tuple[Row, ...]:
        """Return the row of a log entry; empty if the watch Dag has moved it into the index in the meantime."""
        found = read(self.s3, bucket=self.bucket, key=key)
        return _rows_of([found[0]], key=key) if found else ()

    def _log_entries(self, day: str) -> list[tuple[str, str]]:
        """Return (key, ETag) of the newest log entries, the newest first; at most one more than is read."""
        prefix = self.keys.predictions_log
        found: list[tuple[str, str]] = []
        for folder in [f"{prefix}{day}/"] if day else sorted(self._folders(prefix), reverse=True):
            for hour in sorted(self._folders(folder), reverse=True):
                found += self._newest_of_hour(hour, most=MOST_LOG_ENTRIES + 1 - len(found))
                if len(found) > MOST_LOG_ENTRIES:
                    return found
        return found

    def _newest_of_hour(self, hour: str, *, most: int) -> list[tuple[str, str]]:
        """Return (key, ETag) of an hour's newest entries; S3 lists the oldest first, so it may list each minute."""
        page, more = self._first_page(hour)
        if not more:
            return sorted(page, reverse=True)[:most]
        found: list[tuple[str, str]] = []
        for minute in range(59, -1, -1):
            found += sorted(self._objects(f"{hour}{minute:02d}"), reverse=True)
            if len(found) >= most:
                break
        return found[:most]

    def _first_page(self, prefix: str) -> tuple[list[tuple[str, str]], bool]:
        with naming(self.bucket, prefix, doing="list"):
            page = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [(stored["Key"], stored["ETag"]) for stored in page.get("Contents", [])], page["IsTruncated"]

    def _objects(self, prefix: str) -> list[tuple[str, str]]:
        with naming(self.bucket, prefix, doing="list"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            return [(stored["Key"], stored["ETag"]) for page in pages for stored in page.get("Contents", [])]

    def _folders(self, prefix: str) -> list[str]:
        with naming(self.bucket, prefix, doing="list"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
            return [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", [])]


def _rows(text: bytes, *, key: str) -> tuple[Row, ...]:
    return _rows_of(text.splitlines(), key=key)


def _rows_of(lines: Sequence[bytes], *, key: str) -> tuple[Row, ...]:
    """Return the rows of all lines that are records; any other line is logged and skipped."""
    rows = []
    for line in lines:
        try:
            rows.append(row_of_json(line))
        except PredictionError as error:
            log.warning("%s: %s", key, error)
    return tuple(rows)
