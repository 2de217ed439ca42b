"""Reads a list of paths and labels, whose images are beside it, in S3, or anywhere in the file system."""

import posixpath
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from image_classifier.aws.names import Keys
from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError, ImageRejectedError
from image_classifier.prepare.layout.folders import Layout, layout_of
from image_classifier.prepare.layout.images import Listed, ListedImages
from image_classifier.prepare.layout.renaming import Renaming
from image_classifier.prepare.layout.split_folders import few
from image_classifier.prepare.sources.bucket import BucketSource
from image_classifier.prepare.sources.folder import FolderSource, stamp_of
from image_classifier.prepare.sources.lists.beside import about_lists_beside
from image_classifier.prepare.sources.lists.found_paths import Images
from image_classifier.prepare.sources.lists.not_found import nothing_found
from image_classifier.prepare.sources.lists.row import Row
from image_classifier.prepare.sources.lists.rows import MAX_LIST_BYTES, ReadList, read_list
from image_classifier.prepare.sources.lists.single_labels import check_one_class
from image_classifier.prepare.sources.lists.splits import common_folder, split_of_list, splits_of_folders
from image_classifier.prepare.sources.source import File, Files

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ROWS_TRIED = 16  # paths of a list that are tried before its files are searched for
MOST_MISSING = 0.1  # of the paths that are not searched for by name: the default of max_left_out
_S3 = "s3://"


@dataclass(frozen=True)
class ListSource:
    """A list, and the place of its images.

    Attributes:
        beside: the folder or prefix of the list.
        file: name of the list.
        s3: for images that the list names by ``s3://`` addresses.

    """

    beside: FolderSource | BucketSource
    file: str
    columns: Columns
    s3: "S3Client | None" = None
    requester_pays: bool = False

    @property
    def where(self) -> str:
        place = self.beside.folder / self.file if isinstance(self.beside, FolderSource) else self._address(self.file)
        return f"list {place}"

    @cached_property
    def rows(self) -> list[Row]:
        """Return the rows, with every path in the form for `read`; if none has a split, with those of the folders.

        Raises:
            DatasetError: the list does not exist or cannot be read, or a path may mean several files.

        """
        meant = self._meant
        rows = [replace(row, path=self._name(meant.get(row.path, row.path))) for row in self._read.rows]
        if any(row.split for row in rows):
            return rows
        splits = splits_of_folders([row.path for row in rows])
        return [replace(row, split=split) for row, split in zip(rows, splits, strict=True)]

    @cached_property
    def _read(self) -> ReadList:
        try:
            data = self.beside.read(self.file, limit_bytes=MAX_LIST_BYTES)
        except ImageRejectedError as error:
            raise DatasetError(f"The {self.where} cannot be read: {error} Correct `source`.") from error
        return read_list(data, name=self.file, columns=self.columns)

    @cached_property
    def _meant(self) -> dict[str, str]:
        """The files of the paths that are not those of files, if there are more than MOST_MISSING; see `found_paths`.

        Raises:
            DatasetError: a path may mean several files, or no path leads to one.

        """
        written = [row.path for row in self._read.rows if not row.path.startswith(_S3)]
        if not written or all(map(self._exists, written[:: -(-len(written) // ROWS_TRIED)])):
            return {}
        files = self._files_of_paths()
        missing = self._missing(written, set(files))
        if len(missing) <= MOST_MISSING * len(written):
            return {}
        named = set(written)
        meant = self._found(missing, [name for name in files if name not in named])
        if not meant and len(missing) == len(written):
            folder = self.columns.folder
            raise DatasetError(nothing_found(written[0], files=files, where=self.where, folder=folder))
        return meant

    def _missing(self, paths: Sequence[str], files: Container[str]) -> list[str]:
        """Return the paths that lead to no file; S3 is asked only for those that lead out of the listed prefix."""
        others = [path for path in paths if path not in files]
        is_folder = isinstance(self.beside, FolderSource)
        return [path for path in others if not ((is_folder or ".." in path.split("/")) and self._exists(path))]

    def _found(self, paths: Sequence[str], files: Sequence[str]) -> dict[str, str]:
        """Return the file by path, of the paths whose names are those of files."""
        images, split, meant = Images(files), split_of_list(self.file), dict[str, str]()
        for path in paths:
            found = images.meant_in_split(path, split)
            if len(found) > 1:
                message = (
                    f"The path {path!r} of the {self.where} may be {few(sorted(found))}. Name the folder of the list's "
                    f"images with columns.folder in the classifier's file, such as {found[0].rpartition('/')[0]!r}."
                )
                raise DatasetError(message)
            if found:
                meant[path] = found[0]
        return meant

    def _exists(self, path: str) -> bool:
        try:
            self.read(self._name(path), limit_bytes=1)
        except ImageRejectedError:
            return False
        return True

    def _files_of_paths(self) -> list[str]:
        """Return the files below the folder at which the list's paths start, relative to it."""
        if isinstance(self.beside, BucketSource):
            prefix = self._address(self._name("")).removeprefix(f"s3://{self.beside.bucket}/")
            return replace(self.beside, prefix=prefix).listing().names
        folder = self.beside.folder / self.columns.folder
        if not folder.is_dir():
            message = (
                f"columns.folder is {self.columns.folder!r}, and {folder} is no folder. It starts at the list's own."
            )
            raise DatasetError(message)
        return FolderSource(folder).files().names

    def files(self) -> Files:
        """Return the images of the list, each once."""
        names = list(dict.fromkeys(row.path for row in self.rows))
        stamps = self._stamps(names)
        return Files(File(name, stamps.get(name, "")) for name in names)

    def layout(self, files: Iterable[File], *, is_chosen: Callable[[str], bool], renaming: Renaming) -> Layout:
        """Return the layout with the rows' classes and splits; rows whose path is not selected are ignored.

        Args:
            files: the result of `files`.
            is_chosen: whether a path is selected.
            renaming: the new names of classes.

        Raises:
            DatasetError: as for folders.

        """
        stamps = {file.name: file.stamp for file in files}
        images = [
            Listed(row.path, unicodedata.normalize("NFC", row.label), row.split, stamps[row.path])
            for row in self.rows
            if is_chosen(row.path)
        ]
        labels = sorted({image.class_name for image in images})
        renaming.check(labels, where=self.where)
        images = [Listed(one.name, renaming.of(one.class_name), one.split, one.stamp) for one in images]
        if any(image.split for image in images):  # a row without a split belongs to train
            images = [Listed(one.name, one.class_name, one.split or "train", one.stamp) for one in images]
        level = f"The classes are the labels of {self.where}: {few(labels)}."
        for path, file in list(self._meant.items())[:1]:
            level += f" Its paths were found by their names, as {path!r} at {self._name(file)!r}."
        listed = ListedImages(images)
        check_one_class(listed, where=self.where)
        layout = layout_of(listed, where=self.where, level=level + renaming.level)
        unread = "" if layout.splits else self._read.unread_split
        beside = about_lists_beside(
            self.where,
            columns=self._read.columns,
            image=self.rows[0].path,
            used=layout.splits,
            read=partial(self.read, limit_bytes=MAX_LIST_BYTES),
        )
        return replace(layout, warnings=tuple(filter(None, (unread, beside))))

    def read(self, name: str, *, limit_bytes: int, stamp: str = "") -> bytes:
        if name.startswith(_S3):
            bucket, key = _bucket_and_key(name)
            return self._bucket(bucket).read(key, limit_bytes=limit_bytes, stamp=stamp)
        if ".." in name.split("/") and (address := self._address(name)):
            return self.read(address, limit_bytes=limit_bytes, stamp=stamp)
        return self.beside.read(name, limit_bytes=limit_bytes, stamp=stamp)

    def check_apart_from(self, bucket: str, keys: Keys) -> None:
        """Check that no image of the list is one that the package has written.

        Raises:
            DatasetError: the list names such an image.

        """
        for row in self.rows:
            address = row.path if row.path.startswith(_S3) else self._address(row.path)
            if any(address.startswith(f"s3://{bucket}/{written}") for written in keys.written):
                message = (
                    f"The {self.where} names {address}, which the package has written: the next run would train on its "
                    "own copies. List the original images."
                )
                raise DatasetError(message)

    def _name(self, path: str) -> str:
        if path.startswith(_S3) or not self.columns.folder:
            return path
        return f"{self.columns.folder.rstrip('/')}/{path}"

    def _address(self, name: str) -> str:
        if not isinstance(self.beside, BucketSource):
            return ""
        key = self.beside.prefix + name
        if ".." in name.split("/"):  # in S3 a name, and no way up
            key = posixpath.normpath(key) + ("/" if key.endswith("/") else "")
        return f"s3://{self.beside.bucket}/{key}"

    def _bucket(self, bucket: str, prefix: str = "") -> BucketSource:
        if self.s3 is None:
            message = f"The {self.where} names images in S3, which cannot be read here. Give it paths of files."
            raise DatasetError(message)
        return BucketSource(self.s3, bucket, prefix, self.requester_pays)

    def _stamps(self, names: Sequence[str]) -> dict[str, str]:
        """Return the stamps by name, from one listing per bucket below the common prefix, or from the files."""
        in_s3 = [name for name in names if name.startswith(_S3)]
        beside = [name for name in names if not name.startswith(_S3)]
        stamps = self._stamps_in_s3(in_s3)
        if isinstance(self.beside, FolderSource):
            return stamps | {name: stamp_of(self.beside.folder / name) for name in beside}
        addresses = {self._address(name): name for name in beside}
        return stamps | {addresses[found]: stamp for found, stamp in self._stamps_in_s3(addresses).items()}

    def _stamps_in_s3(self, addresses: Iterable[str]) -> dict[str, str]:
        keys: dict[str, list[str]] = defaultdict(list)
        for address in addresses:
            bucket, key = _bucket_and_key(address)
            keys[bucket].append(key)
        stamps = dict[str, str]()
        for bucket, wanted in keys.items():
            source, names = self._bucket(bucket, common_folder(wanted)), set(wanted)
            found = ((source.prefix + file.name, file.stamp) for file in source.listing())
            stamps |= {f"s3://{bucket}/{key}": stamp for key, stamp in found if key in names}
        return stamps


def list_in_folder(path: Path, *, columns: Columns, s3: "S3Client | None", requester_pays: bool) -> ListSource:
    """Open a list in the file system.

    Raises:
        DatasetError: the file does not exist.

    """
    if not path.is_file():
        message = f"Source {path} is no file. Correct `source` in the classifier file."
        raise DatasetError(f"{message} A relative one starts at IMAGE_CLASSIFIER_DATA_FOLDER.")
    return ListSource(FolderSource(path.parent), path.name, columns, s3, requester_pays)


def list_in_bucket(address: str, *, columns: Columns, s3: "S3Client", requester_pays: bool) -> ListSource:
    """Open a list in S3."""
    bucket, key = _bucket_and_key(address)
    prefix, slash, name = key.rpartition("/")
    return ListSource(BucketSource(s3, bucket, prefix + slash, requester_pays), name, columns, s3, requester_pays)


def _bucket_and_key(address: str) -> tuple[str, str]:
    bucket, _, key = address.removeprefix(_S3).partition("/")
    return bucket, key
