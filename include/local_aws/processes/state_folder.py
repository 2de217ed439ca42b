"""Keeps a state folder to its owner and to one process, and replaces files in it atomically and durably."""

import contextlib
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from local_aws.errors import StateInUseError

OTHERS = 0o077  # the permission bits of the group and of everybody else
_POLL_S = 0.1


def make_private(folder: Path) -> None:
    """Create `folder` for its owner alone; if it exists, remove the permissions of other users from all it contains.

    Links are not followed. A folder that belongs to another user, as a volume may, keeps its permissions.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not folder.stat().st_mode & OTHERS or folder.stat().st_uid != os.geteuid():
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _make_path_private(Path(parent, name))
    _make_path_private(folder)  # last: if this is interrupted, the next start does it again


def _make_path_private(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):  # deleted in the meantime
        found = path.lstat()
        if found.st_uid == os.geteuid() and not stat.S_ISLNK(found.st_mode) and found.st_mode & OTHERS:
            path.chmod(stat.S_IMODE(found.st_mode) & 0o700)


def write_atomically(file: Path, text: str) -> None:
    """Replace a file in one step, for its owner alone; it is on the disk when this returns.

    A reader, and a start after a power cut, sees the old text or the new one, never a part of it.

    Raises:
        OSError: the file cannot be written; it is as it was.

    """
    part = file.with_suffix(".part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(file.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class StateLock:
    """A lock on a state folder that one process at a time holds; the kernel releases it however that process ends.

    ``<name>.lock`` is the locked file, ``<name>.pid`` has the id of the process that holds the lock.
    """

    def __init__(self, folder: Path, *, name: str) -> None:
        self._folder = folder
        self._lock_file = folder / f"{name}.lock"
        self._pid_file = folder / f"{name}.pid"

    @contextlib.contextmanager
    def held(self, *, wait_s: float = 0) -> Iterator[None]:
        """Hold the lock; wait up to ``wait_s`` seconds for it.

        Raises:
            StateInUseError: another process holds it; the message has its id.

        """
        make_private(self._folder)
        deadline = time.monotonic() + wait_s
        with self._lock_file.open("a") as file:
            while not _is_locked(file.fileno(), kind=fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise StateInUseError(
                        f"Another process ({self.holder() or 'its id is unknown'}) works in {self._folder}; "
                        "stop it, or choose another folder."
                    )
                time.sleep(_POLL_S)
            self._pid_file.unlink(missing_ok=True)  # that of a process that was killed
            write_atomically(self._pid_file, str(os.getpid()))
            try:
                yield
            finally:
                self._pid_file.unlink(missing_ok=True)

    def holder(self) -> int | None:
        """Return the id of the process that holds the lock, or None if no process holds it.

        The lock is tested with a shared lock, so that two processes that test it do not see each other.
        """
        try:
            with self._lock_file.open() as file:
                if _is_locked(file.fileno(), kind=fcntl.LOCK_SH):
                    return None
            return int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):  # never locked; or locked at this moment, and its id is not written yet
            return None


def _is_locked(descriptor: int, *, kind: int) -> bool:
    """Try to lock an open file; return whether this process holds the lock now."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
