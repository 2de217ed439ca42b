"""Deletes all versions of one uploaded image and of everything derived from it, for privacy requests."""

import gzip
import logging
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import list_objects, naming, read, write_if_unchanged
from image_classifier.aws.versions import delete_versions, versions_of
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Prediction
from image_classifier.contracts.record_keys import correction_key, log_key, record_key, thumbnail_key
from image_classifier.gallery.picture import read_up_to
from image_classifier.watch.deleted import lines_without, mark

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

READERS = 16
MOST_RECORD_BYTES = 1_000_000  # a record with a thousand classes has a few kilobytes
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class Deletion:
    """Deletes images of one classifier."""

    s3: "S3Client"
    bucket: str
    keys: Keys

    def delete(self, key: str, *, prepared: Iterable[str] = ()) -> int:
        """Delete an image, its record, thumbnail, correction, prepared copies, log entries and lines of the index.

        The record is deleted last, because it names the other objects; so an interrupted call can be repeated.

        Args:
            key: the image's S3 key, below incoming/.
            prepared: possible file names of its prepared copies.

        Returns:
            The number of deleted object versions.

        Raises:
            ResourceBusyError: the watch Dag is writing the index, or S3 did not delete a version; call it again.

        """
        record = record_key(key, incoming_prefix=self.keys.incoming, predictions_prefix=self.keys.predictions)
        records = list(self._records(record))
        entries = {log_key(one, log_prefix=self.keys.predictions_log) for one in records}
        deleted = self._delete_all(entries)  # before the index, to which the watch Dag moves them
        mark(self.s3, bucket=self.bucket, keys=self.keys, key=key)  # for what the watch Dag is moving just now
        deleted += self._leave_index(key)
        others = [
            *self._prepared(prepared),
            thumbnail_key(key, incoming_prefix=self.keys.incoming, thumbnails_prefix=self.keys.thumbnails),
            key,
            correction_key(key, incoming_prefix=self.keys.incoming, corrections_prefix=self.keys.corrections),
        ]
        deleted += self._delete_all(others)
        deleted += self._delete_all([record])
        log.info("%d object versions of s3://%s/%s were deleted", deleted, self.bucket, key)
        return deleted

    def versions_of(self, key: str, *, most_bytes: int) -> Iterator[bytes]:
        """Yield the bytes of every version of an object but the larger ones, which are not read into memory."""
        for version in versions_of(self.s3, bucket=self.bucket, key=key):
            content = read_up_to(
                self.s3, bucket=self.bucket, key=key, most_bytes=most_bytes, version_id=version.version_id
            )
            if content is not None:
                yield content

    def _records(self, key: str) -> Iterator[Prediction]:
        for body in self.versions_of(key, most_bytes=MOST_RECORD_BYTES):
            try:
                yield Prediction.from_json(body)
            except PredictionError as error:
                log.warning("A version of s3://%s/%s is no record: %s", self.bucket, key, error)

    def _prepared(self, names: Iterable[str]) -> list[str]:
        """Return the possible keys of the prepared copies: one in each class of each split."""
        wanted = list(names)
        folders = [folder for split in SPLITS for folder in self._folders(self.keys.split(split))] if wanted else []
        return [folder + name for folder in folders for name in wanted]

    def _folders(self, prefix: str) -> list[str]:
        with naming(self.bucket, prefix, doing="list"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
            return [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", [])]

    def _leave_index(self, key: str) -> int:
        """Remove the image's lines from every part; return the number of deleted versions of parts.

        The records do not tell the days: S3 keeps an image's earlier records for a month, and its lines for ever.
        """
        prefix = self.keys.predictions_index
        found = list_objects(self.s3, bucket=self.bucket, prefix=prefix)
        parts = [part for part in found if not part.startswith(self.keys.deleted_marks)]
        with ThreadPoolExecutor(READERS) as readers:
            list(readers.map(lambda part: self._leave_part(part, key), parts))
        return delete_versions(self.s3, self._superseded(prefix), bucket=self.bucket)

    def _superseded(self, prefix: str) -> list[tuple[str, str]]:
        """Return the earlier versions of parts, also of those that the watch Dag has merged since."""
        with naming(self.bucket, prefix, doing="list the versions of"):
            pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=prefix)
            return [
                (found["Key"], found["VersionId"])
                for page in pages
                for found in page.get("Versions", [])
                if not found["IsLatest"] and not found["Key"].startswith(self.keys.deleted_marks)
            ]

    def _leave_part(self, part: str, key: str) -> None:
        """Write a part without the image's lines."""
        found = read(self.s3, bucket=self.bucket, key=part)
        kept = lines_without(found[0], key) if found else None
        if found is None or kept is None:
            return
        body = gzip.compress(b"".join(kept))
        write_if_unchanged(
            self.s3, bucket=self.bucket, key=part, body=body, content_type="application/x-ndjson", etag=found[1]
        )

    def _delete_all(self, keys: Iterable[str]) -> int:
        with ThreadPoolExecutor(READERS) as readers:  # 150 classes have 900 possible prepared copies
            listed = readers.map(lambda key: versions_of(self.s3, bucket=self.bucket, key=key), keys)
            found = [version.identifier for versions in listed for version in versions]
        return delete_versions(self.s3, found, bucket=self.bucket)
