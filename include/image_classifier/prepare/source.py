"""Where labelled images come from: a folder, or a prefix of S3. Both give names relative to it, and bytes."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError, IncompleteReadError

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError, ImageRejectedError, StorageError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Of one object; anything else S3 may answer concerns them all, and must not thin out the set unseen.
_ONE_OBJECT = ("NoSuchKey", "404", "AccessDenied", "403", "InvalidObjectState")
TRIES = 3


class Source(Protocol):
    """Labelled images in folders."""

    @property
    def where(self) -> str:
        """What a person calls the source."""

    def names(self) -> list[str]:
        """Every file and, with a slash at its end, every folder below the source; '/' separates."""

    def read(self, name: str, *, limit_bytes: int) -> bytes:
        """A file's bytes, of a longer one the first ``limit_bytes``. Raises ImageRejectedError if it cannot be read."""


def open_source(source: str, *, s3: "S3Client", data_folder: Path) -> "BucketSource | FolderSource":
    """The source that a classifier file names; a relative folder starts at the deployment's data folder."""
    if source.startswith("s3://"):
        bucket, _, prefix = source.removeprefix("s3://").partition("/")
        return BucketSource(s3, bucket, prefix if prefix.endswith("/") or not prefix else f"{prefix}/")
    return FolderSource((data_folder / Path(source).expanduser()).absolute())


@dataclass(frozen=True)
class FolderSource:
    """A folder; links to files and to folders are followed."""

    folder: Path

    @property
    def where(self) -> str:
        return f"folder {self.folder}"

    def names(self) -> list[str]:
        if not self.folder.is_dir():
            found = "it is a file" if self.folder.exists() else "it does not exist"
            message = (
                f"Source {self.folder} is no folder: {found}. Correct `source` in the classifier file; a relative one "
                "starts at IMAGE_CLASSIFIER_DATA_FOLDER."
            )
            raise DatasetError(message)
        return list(_walk(self.folder, "", above=()))

    def read(self, name: str, *, limit_bytes: int) -> bytes:
        try:
            with (self.folder / name).open("rb") as file:
                return file.read(min(limit_bytes, os.fstat(file.fileno()).st_size + 1))
        except OSError as error:
            raise ImageRejectedError("unreadable", f"The file cannot be read: {error.strerror}.") from error


@dataclass(frozen=True)
class BucketSource:
    """The objects below a prefix."""

    s3: "S3Client"
    bucket: str
    prefix: str

    @property
    def where(self) -> str:
        return f"prefix s3://{self.bucket}/{self.prefix}"

    def check_apart_from(self, bucket: str, keys: Keys) -> None:
        """Make sure that a run does not train on what an earlier one has written.

        Raises:
            DatasetError: the source holds a prefix that the package writes to, or lies in one.

        """
        if bucket != self.bucket:
            return
        for written in keys.written:
            if written.startswith(self.prefix) or self.prefix.startswith(written):
                message = (
                    f"Source s3://{self.bucket}/{self.prefix} and s3://{bucket}/{written}, which the package writes "
                    "to, hold the same objects: the next run would train on them. Move the images to a prefix of "
                    "their own, and correct `source` in the classifier file."
                )
                raise DatasetError(message)

    def names(self) -> list[str]:
        keys = storage.list_objects(self.s3, bucket=self.bucket, prefix=self.prefix)
        if not keys:
            message = (
                f"Source s3://{self.bucket}/{self.prefix} holds no object. Correct `source` in the classifier file."
            )
            raise DatasetError(message)
        return [key.removeprefix(self.prefix) for key in keys if key != self.prefix]

    def read(self, name: str, *, limit_bytes: int) -> bytes:
        for _ in range(TRIES - 1):
            with contextlib.suppress(StorageError):  # botocore tries a request again, and not an answer that breaks off
                return self._read(self.prefix + name, limit_bytes)
        return self._read(self.prefix + name, limit_bytes)

    def _read(self, key: str, limit_bytes: int) -> bytes:
        with storage.naming(self.bucket, key, doing="read"):
            try:
                answer = self.s3.get_object(Bucket=self.bucket, Key=key)
                data = answer["Body"].read(limit_bytes)
            except ClientError as error:
                if (code := storage.code_of(error)) not in _ONE_OBJECT:
                    raise
                raise ImageRejectedError("unreadable", f"S3 does not hand the object out: {code}.") from error
            # botocore compares the two itself, but only where all of the object was asked for.
            if len(data) < (expected := min(limit_bytes, answer["ContentLength"])):
                raise IncompleteReadError(actual_bytes=len(data), expected_bytes=expected)
            return data


def _walk(folder: Path, prefix: str, *, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Files before folders, both by name; ``above`` are the folders on the way here, to which a link may lead back."""
    try:
        status = folder.stat()
        with os.scandir(folder) as listing:
            visible = (entry for entry in listing if not entry.name.startswith("."))  # as `read_layout` says
            entries = sorted(visible, key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(
            f"Folder {folder} cannot be listed: {error.strerror}. Give the worker's user access."
        ) from error
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    # A link that leads nowhere is listed, to be rejected by name; pipes and devices are not files.
    yield from (prefix + entry.name for entry in entries if _leads_to(entry.is_file) or _is_broken_link(entry))
    for entry in entries:
        if _leads_to(entry.is_dir):
            yield f"{prefix}{entry.name}/"
            yield from _walk(folder / entry.name, f"{prefix}{entry.name}/", above=(*above, here))


def _leads_to(kind: Callable[[], bool]) -> bool:
    """What the entry is, or what its link leads to; no link in a circle, or to where one may not go, leads to it."""
    try:
        return kind()
    except OSError:
        return False


def _is_broken_link(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not _leads_to(lambda: bool(entry.stat()))
