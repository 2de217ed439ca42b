"""Makes the folders of a function's process: its code, which it can only read, and its temporary folder."""

import contextlib
import io
import os
import shutil
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path

_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


def unpack(code: bytes, folder: Path) -> None:
    """Unpack a function's zip into a new folder, and remove write permission from everything in it."""
    folder.mkdir()
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        archive.extractall(folder)
    for path in _everything(folder):
        path.chmod((path.stat().st_mode | stat.S_IRUSR) & ~_WRITE)


def remove(folder: Path) -> None:
    """Remove a folder and its content, also read-only files; do nothing if it does not exist."""
    for path in _everything(folder):
        if path.is_dir():
            with contextlib.suppress(OSError):  # removed in the meantime
                path.chmod(stat.S_IRWXU)
    shutil.rmtree(folder, ignore_errors=True)


def size_bytes(folder: Path) -> int:
    """Return the size of all files in a folder."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(Path(parent) / name).st_size
            except FileNotFoundError:
                continue
    return total


def _everything(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield folder
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent) / name
            if not path.is_symlink():
                yield path
