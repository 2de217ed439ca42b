"""Where labelled images come from: a folder, or a prefix of S3. Both give names relative to it, and bytes."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from botocore.exceptions import ClientError

from image_classifier.dataset import storage
from image_classifier.errors import DatasetError, ImageRejectedError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Of one object; anything else S3 may answer concerns them all, and must not thin out the set unseen.
_ONE_OBJECT = ("NoSuchKey", "404", "AccessDenied", "403", "InvalidObjectState")


class Source(Protocol):
    """Labelled images in folders."""

    @property
    def where(self) -> str:
        """What a person calls the source."""

    def names(self) -> list[str]:
        """Every file and, with a slash at its end, every folder below the source; '/' separates."""

    def read(self, name: str, *, limit_bytes: int) -> bytes:
        """A file's bytes, of a longer one the first ``limit_bytes``. Raises ImageRejectedError if it cannot be read."""


def open_source(source: str, *, s3: "S3Client", data_folder: Path) -> Source:
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

    def names(self) -> list[str]:
        keys = storage.list_objects(self.s3, bucket=self.bucket, prefix=self.prefix)
        if not keys:
            message = (
                f"Source s3://{self.bucket}/{self.prefix} holds no object. Correct `source` in the classifier file."
            )
            raise DatasetError(message)
        return [key.removeprefix(self.prefix) for key in keys if key != self.prefix]

    def read(self, name: str, *, limit_bytes: int) -> bytes:
        key = self.prefix + name
        with storage.naming(self.bucket, key, doing="read"):
            try:
                return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read(limit_bytes)
            except ClientError as error:
                if (code := storage.code_of(error)) not in _ONE_OBJECT:
                    raise
                raise ImageRejectedError("unreadable", f"S3 does not hand the object out: {code}.") from error


def _walk(folder: Path, prefix: str, *, above: tuple[tuple[int, int], ...]) -> Iterator[str]:
    """Files before folders, both by name; ``above`` are the folders on the way here, to which a link may lead back."""
    try:
        status = folder.stat()
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(
            f"Folder {folder} cannot be listed: {error.strerror}. Give the worker's user access."
        ) from error
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    # A link that leads nowhere is listed, to be rejected by name; pipes and devices are not files.
    yield from (prefix + entry.name for entry in entries if entry.is_file() or _is_broken_link(entry))
    for entry in entries:
        if entry.is_dir():
            yield f"{prefix}{entry.name}/"
            yield from _walk(folder / entry.name, f"{prefix}{entry.name}/", above=(*above, here))


def _is_broken_link(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not Path(entry.path).exists()
