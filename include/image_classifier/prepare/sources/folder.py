"""Reads a folder of labelled images."""

import os
import stat
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from image_classifier.classifier.file_kinds import no_source
from image_classifier.contracts.errors import DatasetError, ImageRejectedError
from image_classifier.prepare.layout.ignored import is_hidden, is_ignored
from image_classifier.prepare.layout.split_folders import is_image_name
from image_classifier.prepare.sources.source import RACY, File, Files

MOST_PATHS: Final = 100  # to one folder; ten folders with links to each other have ten million paths
RACY_NS: Final = 2_000_000_000  # the coarsest time of change that a file system keeps (FAT); Git calls it racy, too


@dataclass(frozen=True)
class FolderSource:
    """A folder; links to files and to folders are followed."""

    folder: Path

    @property
    def where(self) -> str:
        return f"folder {self.folder}"

    def files(self) -> Files:
        if not self.folder.is_dir():
            found = no_source(self.folder.name) if self.folder.exists() else "it does not exist."
            message = (
                f"Source {self.folder} is no folder: {found} Correct `source` in the classifier file; a relative one "
                "starts at IMAGE_CLASSIFIER_DATA_FOLDER."
            )
            raise DatasetError(message)
        return Files(_walk(self.folder, "", above=(), paths=Counter()))

    def read(self, name: str, *, limit_bytes: int, stamp: str = "") -> bytes:  # noqa: ARG002 - a file may change
        try:
            with open(self.folder / name, "rb", opener=_opened) as file:
                return file.read(min(limit_bytes, os.fstat(file.fileno()).st_size + 1))
        except OSError as error:
            raise ImageRejectedError("unreadable", f"The file cannot be read: {error.strerror}.") from error


def _opened(path: str, flags: int) -> int:
    """Open a file and nothing else: a list may name a pipe, which would be waited for."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ImageRejectedError("unreadable", "It is no file, but a folder, a pipe or a device.")
    return descriptor


def _walk(
    folder: Path, prefix: str, *, above: tuple[tuple[int, int], ...], paths: Counter[tuple[int, int]]
) -> Iterator[File]:
    """Yield files before folders, both by name.

    Args:
        folder: to list.
        prefix: of the names.
        above: the parent folders, to which a link may lead back.
        paths: how many lead to each folder, so far.

    """
    status, shown, ignored = _listed(folder)
    here = (status.st_dev, status.st_ino)
    if here in above:
        return
    paths[here] += 1
    _check_paths(folder, paths[here])
    folders = list[os.DirEntry[str]]()
    # A broken link is listed, so that it is reported as rejected; pipes and devices are not files.
    for entry in shown:
        if _leads_to(entry.is_file):
            yield File(prefix + entry.name, stamp_of(entry))
        elif _leads_to(entry.is_dir):
            folders.append(entry)
        elif _is_broken_link(entry):
            yield File(prefix + entry.name)
    for entry in folders:
        yield File(f"{prefix}{entry.name}/")
        yield from _walk(folder / entry.name, f"{prefix}{entry.name}/", above=(*above, here), paths=paths)
    yield from (File(f"{prefix}{entry.name}/") for entry in ignored if _is_hidden_with_images(entry))


def _listed(folder: Path) -> tuple[os.stat_result, list[os.DirEntry[str]], list[os.DirEntry[str]]]:
    """Return a folder's status, its entries by name, and those that are ignored (see `read_layout`)."""
    try:
        status = folder.stat()
        with os.scandir(folder) as listing:
            found = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        raise DatasetError(
            f"Folder {folder} cannot be listed: {error.strerror}. Give the worker's user access."
        ) from error
    shown, ignored = list[os.DirEntry[str]](), list[os.DirEntry[str]]()
    for entry in found:
        (ignored if is_ignored(entry.name) else shown).append(entry)
    return status, shown, ignored


def _check_paths(folder: Path, paths: int) -> None:
    if paths > MOST_PATHS:
        message = (
            f"More than {MOST_PATHS} paths lead to {folder.resolve()}, such as {folder}: folders have links to each "
            "other. Remove these links."
        )
        raise DatasetError(message)


def stamp_of(file: os.DirEntry[str] | Path) -> str:
    """Return size and time of change as text, which ends in RACY if the file may change again within that time.

    It is empty if the file does not exist.
    """
    try:
        status = file.stat()
    except OSError:
        return ""
    changed = status.st_mtime_ns
    return f"{status.st_size}@{changed}{RACY if abs(time.time_ns() - changed) < RACY_NS else ''}"


def _leads_to(kind: Callable[[], bool]) -> bool:
    """Return whether the entry or its link's target is of this kind; False for a circular or inaccessible link."""
    try:
        return kind()
    except OSError:
        return False


def _is_hidden_with_images(entry: os.DirEntry[str]) -> bool:
    """Return whether an ignored folder, of which `hidden_classes` warns, holds images."""
    if not is_hidden(entry.name):
        return False
    try:
        with os.scandir(entry) as listing:
            return any(is_image_name(entry.name) for entry in listing if not is_ignored(entry.name))
    except OSError:
        return False


def _is_broken_link(entry: os.DirEntry[str]) -> bool:
    return entry.is_symlink() and not _leads_to(lambda: bool(entry.stat()))
