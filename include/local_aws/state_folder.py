"""The folder a local AWS keeps everything in: one process at a time, and a file that says when it is ready."""

import contextlib
import fcntl
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_aws.errors import StateInUseError

OTHERS = 0o077  # what the group and everybody else may do


def make_private(folder: Path) -> None:
    """Make `folder`, and take from other users what an older version left open in it. Links are not followed.

    A folder that belongs to another user, as a volume may, keeps its rights.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not folder.stat().st_mode & OTHERS or folder.stat().st_uid != os.geteuid():
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _take_from_others(Path(parent, name))
    _take_from_others(folder)  # last: if this is interrupted, the next start does it again


def _take_from_others(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # deleted meanwhile
        found = path.lstat()
        if found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode) and found.st_mode & OTHERS:
            path.chmod(stat.S_IMODE(found.st_mode) & 0o700)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep `folder` to this process. The kernel gives the lock back however the process ends.

    Raises:
        StateInUseError: another process holds it.

    """
    make_private(folder)
    with (folder / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            message = (
                f"Another local AWS (process {file.read().strip() or 'unknown'}) works in {folder}; "
                "stop it, or give --state another folder."
            )
            raise StateInUseError(message) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


class ReadyFile:
    """``ready.json``: there exactly while the local AWS can be used, and says how."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ready.json"

    def write(self, content: dict[str, Any]) -> None:
        """Write it in one step: a reader never sees half of it."""
        scratch = self.path.with_suffix(".tmp")
        scratch.write_text(json.dumps(content, indent=2) + "\n")
        scratch.replace(self.path)

    def remove(self) -> None:
        """Say that the local AWS cannot be used (any more)."""
        self.path.unlink(missing_ok=True)
