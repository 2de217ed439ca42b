"""Downloads a job's input from S3, and keeps the objects for the next job.

Objects are kept by ETag, and an input file is a hard link, so a second job on the same images downloads nothing.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import threading
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, TypeVar

from local_aws.sagemaker.aws import DOWNLOAD_THREADS, split_s3_uri
from local_aws.sagemaker.jobs.failures import JobFailedError, JobStoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from local_aws.sagemaker.aws import Aws, S3Object

MAX_CACHE_BYTES = 5 * 1024**3
Part = tuple[int, int]  # a host's place among the hosts of a job, and how many there are
WHOLE: Part = (0, 1)
Unit = TypeVar("Unit")


class DataError(JobFailedError):
    """The input cannot be downloaded; the message is the job's FailureReason."""


class ObjectCache:
    """Objects of S3 on disk, by content."""

    def __init__(self, folder: Path, *, aws: Aws, cancelled: Callable[[], bool] = lambda: False) -> None:
        """Keep the objects in `folder`; a download ends when `cancelled` says so."""
        self._folder = folder
        self._aws = aws
        self._cancelled = cancelled
        folder.mkdir(parents=True, exist_ok=True)

    def of_job(self, aws: Aws, *, cancelled: Callable[[], bool]) -> ObjectCache:
        """Return the same cache, which lists and fetches with a job's credentials until the job must stop."""
        return ObjectCache(self._folder, aws=aws, cancelled=cancelled)

    def download(self, uri: str, *, to: Path, part: Part = WHOLE) -> int:
        """Write every object below the prefix `uri`, or one host's part of them, below `to`; return their number.

        Raises:
            DataError: there is no object, or a key cannot be a path.
            JobStoppedError: the download was cancelled.

        """
        _, prefix = split_s3_uri(uri)
        items = list(self._aws.objects(uri))
        if not items:
            raise DataError(f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}"')
        targets = {item: to / relative_path(item.key, prefix=prefix) for item in share(items, part=part)}
        self.place(targets)
        return len(targets)

    def place(self, targets: Mapping[S3Object, Path]) -> None:
        """Write each object to its path.

        Raises:
            JobStoppedError: the download was cancelled.

        """
        for folder in {target.parent for target in targets.values()}:
            folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(DOWNLOAD_THREADS) as pool:
            work = [pool.submit(self._place, item, target) for item, target in targets.items()]
            done, _ = wait(work, return_when=FIRST_EXCEPTION)
            pool.shutdown(cancel_futures=True)
            for future in done:
                future.result()

    def kept(self, item: S3Object) -> Path:
        """Return the path of the object on disk, fetched if it is absent. The file must not be changed."""
        kept = self._folder / hashlib.sha256(f"{item.etag} {item.size_bytes}".encode()).hexdigest()
        if not _is_whole(kept, item):
            self._fetch(item, kept)
        return kept

    def trim(self, *, max_bytes: int = MAX_CACHE_BYTES) -> None:
        """Delete the objects that were used longest ago, until the rest fits."""
        entries = sorted(((file.stat(), file) for file in self._folder.iterdir()), key=lambda entry: entry[0].st_mtime)
        total = sum(stat.st_size for stat, _ in entries)
        for stat, file in entries:
            if total <= max_bytes:
                return
            file.unlink(missing_ok=True)
            total -= stat.st_size

    def _place(self, item: S3Object, target: Path) -> None:
        if self._cancelled():
            raise JobStoppedError
        if item.key.endswith("/"):
            return  # the console's marker for an empty folder
        kept = self.kept(item)
        try:
            os.link(kept, target)
            os.utime(kept)
        except OSError:  # too many links, a file system without links, or deleted by trim() in the meantime
            self._copy(item, kept, target)

    def _copy(self, item: S3Object, kept: Path, target: Path) -> None:
        if not kept.exists():
            self._fetch(item, kept)
        target.unlink(missing_ok=True)  # a/b and a//b are one path: copied over, the first's kept object would change
        shutil.copyfile(kept, target)

    def _fetch(self, item: S3Object, kept: Path) -> None:
        part = kept.with_name(f"{kept.name}.{threading.get_ident()}.part")
        try:
            with part.open("wb") as file:
                self._aws.fetch(item, to=file)
            part.chmod(0o400)  # a program that writes to its input must not change the next job's
            part.replace(kept)
        finally:
            part.unlink(missing_ok=True)


def _is_whole(kept: Path, item: S3Object) -> bool:
    """Return whether the file is there as it was fetched; after a power cut it may be empty."""
    try:
        return kept.stat().st_size == item.size_bytes
    except FileNotFoundError:
        return False


def relative_path(key: str, *, prefix: str) -> str:
    """Return an object's path below its channel: the key without the prefix, or without the prefix's folder."""
    relative = key_below(key, prefix=prefix).rstrip("/") or "."
    if relative.startswith("/") or ".." in PurePosixPath(relative).parts or "\0" in relative:
        raise DataError(f"ClientError: Data download failed:The key {key!r} cannot be a path of a file")
    return relative


def key_below(key: str, *, prefix: str) -> str:
    """Return the key without the prefix, or without the prefix's folder if the prefix ends inside a name."""
    folder = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    if not key.startswith(folder):  # the prefix ends inside a name, or is the whole key
        folder = prefix[: prefix.rfind("/") + 1]
    return key.removeprefix(folder)


def share(units: list[Unit], *, part: Part) -> list[Unit]:
    """Return the part of a sharded channel that one host gets; each unit goes to one host."""
    place, hosts = part
    return units[place::hosts]
