"""Stores prepared images in a bucket, or nowhere if a data set is only planned or inspected."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Final

from image_classifier.aws import s3 as storage
from image_classifier.aws.object_store import object_store
from image_classifier.contracts.pixels import Prepared

if TYPE_CHECKING:
    from obstore import ObjectMeta
    from obstore.store import S3Store
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

THREADS: Final = 32  # S3 answers a small PUT in about 30 ms: together they upload a thousand images a second
BURST: Final = THREADS  # images whose uploads start together: waking a thread for each of them takes twice the CPU time
MOST_KEPT: Final = 3 * THREADS  # images in memory that are on their way, or wait for a thread
LISTED_AT_ONCE: Final = 8  # more only wait for Python's interpreter lock
FEW_FOLDERS: Final = 16  # are listed at once; of more, a page may hold all keys, which saves many requests
PAGE: Final = 1000  # keys that S3 lists in one request, at most
MOST_FAILURES: Final = 10  # of obstore, after which boto3 uploads the rest


def open_store(s3: "S3Client", bucket: str) -> "ConcurrentStore | BucketStore":
    """Open a bucket for prepared images, to which obstore uploads them, or boto3 where obstore cannot.

    Raises:
        DatasetError: the client has no credentials.

    """
    from obstore.exceptions import BaseError

    by_boto3 = BucketStore(s3, bucket)
    try:
        with storage.naming(bucket, "", doing="write to"):
            objects = object_store(s3, bucket=bucket)
    except (BaseError, OSError, ValueError) as error:
        log.warning("boto3 uploads to s3://%s, because obstore cannot be set up: %s", bucket, error)
        return by_boto3
    return ConcurrentStore(by_boto3, objects) if objects else by_boto3


def stored_keys(s3: "S3Client", *, bucket: str, prefixes: Sequence[str]) -> frozenset[str]:
    """Return the keys of the non-empty objects below these prefixes, listed by obstore, or by boto3 where it cannot.

    Raises:
        StorageError: S3 does not answer as it should at present.
        DatasetError: S3 refuses.

    """
    return open_store(s3, bucket).keys(*prefixes)


def content_type_of(key: str) -> str:
    """Return the content type of a prepared image."""
    return "image/png" if key.endswith(".png") else "image/jpeg"


@dataclass(frozen=True)
class BucketStore:
    """A bucket; each image is uploaded before `put` returns."""

    s3: "S3Client"
    bucket: str

    def put(self, key: str, prepared: Prepared) -> None:
        storage.write(self.s3, bucket=self.bucket, key=key, body=prepared.jpeg, content_type=content_type_of(key))

    def keys(self, *prefixes: str) -> frozenset[str]:
        listed = (storage.list_objects(self.s3, bucket=self.bucket, prefix=prefix) for prefix in prefixes)
        return frozenset(key for found in listed for key, stored in found.items() if stored.size_bytes)

    def read(self, key: str) -> bytes:
        return storage.read_written(self.s3, bucket=self.bucket, key=key)

    def copy(self, key: str, *, to: str) -> None:
        with storage.naming(self.bucket, to, doing="write"):
            self.s3.copy_object(Bucket=self.bucket, Key=to, CopySource={"Bucket": self.bucket, "Key": key})

    def finish(self) -> None:
        pass


class ConcurrentStore:
    """A bucket to which obstore uploads many images at once; they are certain to be there once `finish` has returned.

    What obstore fails to upload, boto3 uploads: it has other retries, and its errors say what to do.
    """

    def __init__(self, by_boto3: BucketStore, objects: "S3Store") -> None:
        """Start with no image on its way.

        Args:
            by_boto3: the bucket.
            objects: the same bucket, as `object_store` opens it.

        """
        self._by_boto3, self._objects = by_boto3, objects
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="upload")
        self._free, self._lock = BoundedSemaphore(MOST_KEPT), Lock()
        self._collected = list[tuple[str, Prepared]]()  # for the next burst
        self._on_their_way = set[Future[None]]()
        self._failed: Future[None] | None = None
        self._failures = 0

    def put(self, key: str, prepared: Prepared) -> None:
        """Upload an image with the next `BURST`; wait while too many images are in memory.

        Raises:
            StorageError: S3 does not answer as it should at present, to this image or to an earlier one.
            DatasetError: S3 refuses.

        """
        self._free.acquire()
        try:
            self._raise_failure()
        except BaseException:
            self._free.release()
            raise
        with self._lock:
            self._collected.append((key, prepared))
        self._start(at_least=BURST)

    def keys(self, *prefixes: str) -> frozenset[str]:
        """Return the keys of the non-empty objects below these prefixes.

        S3 says with each page of a listing how to ask for the next one. So all prefixes are listed at once, and then
        the folders below them; those below one with many folders are not listed apart if one page holds all its keys.

        Raises:
            StorageError: S3 does not answer as it should at present.
            DatasetError: S3 refuses.

        """
        from obstore.exceptions import BaseError

        try:
            with ThreadPoolExecutor(LISTED_AT_ONCE, thread_name_prefix="list") as threads:
                first = list(threads.map(self._keys_and_folders, prefixes))
                folders = [folder for _, more in first for folder in more]
                found = (*(keys for keys, _ in first), *threads.map(self._all, folders))
        except (BaseError, OSError, ValueError) as error:
            bucket = self._by_boto3.bucket
            log.warning("boto3 lists s3://%s/%s, because obstore failed: %s", bucket, ", ".join(prefixes), error)
            return self._by_boto3.keys(*prefixes)
        return frozenset().union(*found)

    def _keys_and_folders(self, prefix: str) -> tuple[frozenset[str], Sequence[str]]:
        """Return keys below a prefix, and the folders below it that have more: none if one page holds all its keys."""
        found = self._objects.list_with_delimiter(prefix)
        folders = found["common_prefixes"]
        if len(folders) > FEW_FOLDERS:
            page = next(iter(self._objects.list(prefix, chunk_size=PAGE)), [])
            if len(page) < PAGE:
                return _not_empty(page), ()
        return _not_empty(found["objects"]), [f"{folder}/" for folder in folders]

    def _all(self, prefix: str) -> frozenset[str]:
        return frozenset().union(*map(_not_empty, self._objects.list(prefix, chunk_size=PAGE)))

    def read(self, key: str) -> bytes:
        """Return the bytes of an image; may be called from many threads.

        Raises:
            ObjectGoneError: it was deleted.
            StorageError: S3 does not answer as it should at present.
            DatasetError: S3 refuses.

        """
        from obstore.exceptions import BaseError

        try:
            return self._objects.get(key).bytes().to_bytes()
        except (BaseError, OSError, ValueError):
            return self._by_boto3.read(key)

    def copy(self, key: str, *, to: str) -> None:
        """Store a stored image, or one that was just put, under another key too."""
        self.finish()
        self._by_boto3.copy(key, to=to)

    def finish(self) -> None:
        """Wait until all images are stored.

        Raises:
            StorageError: S3 does not answer as it should at present; an image is missing.
            DatasetError: S3 refuses.

        """
        self._start(at_least=1)
        while waiting := self._waiting():
            for upload in waiting:
                upload.exception()
        self._raise_failure()

    def _start(self, *, at_least: int) -> None:
        """Start the uploads of the collected images, if they are that many."""
        with self._lock:
            if len(self._collected) < at_least:
                return
            started = [self._pool.submit(self._upload, key, prepared) for key, prepared in self._collected]
            self._collected.clear()
            self._on_their_way.update(started)
        for upload in started:
            upload.add_done_callback(self._done)

    def _waiting(self) -> set[Future[None]]:
        with self._lock:
            return set(self._on_their_way)

    def _done(self, upload: Future[None]) -> None:
        with self._lock:
            if upload.exception() and self._failed is None:
                self._failed = upload
            self._on_their_way.discard(upload)
        self._free.release()

    def _raise_failure(self) -> None:
        if self._failed is not None:
            self._failed.result()

    def _upload(self, key: str, prepared: Prepared) -> None:
        from obstore.exceptions import BaseError

        if self._failures >= MOST_FAILURES:
            self._by_boto3.put(key, prepared)
            return
        try:
            attributes = {"Content-Type": content_type_of(key)}
            self._objects.put(key, prepared.jpeg, attributes=attributes, use_multipart=False)
        except (BaseError, OSError, ValueError) as error:
            self._failures += 1
            bucket, reason = self._by_boto3.bucket, str(error).partition("\n")[0]
            log.warning("boto3 tries to upload s3://%s/%s, because obstore failed: %s", bucket, key, reason)
            self._by_boto3.put(key, prepared)


class StoredKeys:
    """The keys in a bucket, which are listed folder by folder when needed, each folder once.

    Args:
        s3: the client.
        bucket: the bucket.

    """

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        """Store the arguments; nothing is listed yet."""
        self._open = cache(partial(open_store, s3, bucket))
        self._lock = Lock()
        self._names: dict[str, frozenset[str]] = {}  # folder: names of the objects in it

    def __contains__(self, key: object) -> bool:
        """Return whether the bucket had the object, and it was not empty, when its folder was listed."""
        folder, _, name = str(key).rpartition("/")
        with self._lock:
            if folder not in self._names:
                self._names[folder] = self._listed(f"{folder}/")
        return name in self._names[folder]

    def _listed(self, prefix: str) -> frozenset[str]:
        return frozenset(key.removeprefix(prefix) for key in self._open().keys(prefix))


def _not_empty(listed: "Sequence[ObjectMeta]") -> frozenset[str]:
    return frozenset(entry["path"] for entry in listed if entry["size"])


class NoStore:
    """A store that stores nothing."""

    def put(self, key: str, prepared: Prepared) -> None:
        pass

    def copy(self, key: str, *, to: str) -> None:
        pass

    def finish(self) -> None:
        pass
