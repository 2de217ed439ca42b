"""The folder a local AWS keeps everything in: one process at a time, and a file that says when it is ready."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from local_aws.errors import StateInUseError


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep `folder` to this process. The kernel gives the lock back however the process ends.

    Raises:
        StateInUseError: another process holds it.

    """
    folder.mkdir(parents=True, exist_ok=True)
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
