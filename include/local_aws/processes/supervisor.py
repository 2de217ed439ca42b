"""Supervises child processes: starts them, waits until they are ready, notices when one ends, and stops them."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import time
from typing import TYPE_CHECKING

from local_aws.errors import ChildEndedError, NotReadyError
from local_aws.processes.child import Child, start_child

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

POLL_S = 0.1
MOST_LOG_BYTES = 10_000_000


class StopRequested(Exception):  # noqa: N818  not an error: a person asked for it
    """A stop was requested while a child was starting."""


class Supervisor:
    """Named child processes, each with a log file ``<logs>/<name>.log`` and the lines before it in ``<name>.log.1``.

    Setting `stop_requested` ends every wait. A child that still runs ``stop_grace_s`` seconds after SIGTERM is killed.
    """

    def __init__(self, logs: Path, *, stop_requested: threading.Event, stop_grace_s: float) -> None:
        self.logs = logs
        self.stop_requested = stop_requested
        self.stop_grace_s = stop_grace_s
        self.children: dict[str, Child] = {}

    def start(self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None) -> Child:
        """Start a child that is expected to run until it is stopped.

        Raises:
            FileNotFoundError: there is no such program.

        """
        child = start_child(command, env=env, log_file=self._log_file(name), cwd=cwd)
        self.children[name] = child
        log.info("%s started (process %d)", name, child.pid)
        return child

    def run_to_end(
        self, name: str, command: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None, limit_s: float
    ) -> None:
        """Run a program to its end, and wait for it up to ``limit_s`` seconds.

        Raises:
            ChildEndedError: it ended with another exit status than 0, or one of the children ended.
            NotReadyError: it has not ended in time.
            StopRequested: a stop was requested.

        """
        program = start_child(command, env=env, log_file=self._log_file(name), cwd=cwd)
        try:
            self.wait_until(lambda: not program.running, what=name, limit_s=limit_s)
        finally:
            status = program.stop(self.stop_grace_s)
        if status:
            raise self._ended(name, status)

    def wait_until(self, is_ready: Callable[[], bool], *, what: str, limit_s: float) -> None:
        """Wait up to ``limit_s`` seconds until ``is_ready`` returns True, while every child runs.

        Raises:
            ChildEndedError: a child ended in the meantime.
            NotReadyError: it is not ready in time.
            StopRequested: a stop was requested.

        """
        deadline = time.monotonic() + limit_s
        while not is_ready():
            self.check()
            if self.stop_requested.wait(POLL_S):
                raise StopRequested
            if time.monotonic() > deadline:
                raise NotReadyError(f"{what} was not ready within {limit_s:.0f} s; see the logs in {self.logs}.")

    def watch(self) -> None:
        """Wait until a stop is requested.

        Raises:
            ChildEndedError: a child ended before that.

        """
        while not self.stop_requested.wait(POLL_S):
            self.check()
            self.limit_logs()

    def limit_logs(self) -> None:
        """Move a log that has grown beyond `MOST_LOG_BYTES` to ``<name>.log.1``, and begin it again."""
        for name in self.children:
            with contextlib.suppress(FileNotFoundError):  # somebody has deleted it
                _limit(self._log_file(name))

    def check(self) -> None:
        """Check that every child runs.

        Raises:
            ChildEndedError: one has ended; the message has its exit status and the end of its log.

        """
        for name, child in self.children.items():
            if not child.running:
                raise self._ended(name, child.wait())

    def stop(self, names: Iterable[str]) -> None:
        """Stop those of these children that were started: send SIGTERM to all of them first, then wait for each."""
        children = [self.children.pop(name) for name in names if name in self.children]
        for child in children:
            child.terminate()
        for child in children:
            child.stop(self.stop_grace_s)

    def _log_file(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def _ended(self, name: str, status: int | None) -> ChildEndedError:
        how = f"was killed by signal {-status}" if status and status < 0 else f"ended with exit code {status}"
        file = self._log_file(name)
        return ChildEndedError(f"{name} {how}, so everything else is stopped too. The end of {file}:\n{log_end(file)}")


def _limit(file: Path) -> None:
    if file.stat().st_size > MOST_LOG_BYTES:
        with contextlib.suppress(OSError):  # on a full disk the older lines are lost
            shutil.copyfile(file, f"{file}.1")
        os.truncate(file, 0)  # the child appends, so it continues at the beginning


def log_end(file: Path, *, lines: int = 15) -> str:
    """Return the last lines of a log, or, if it is empty or absent, how many MB its disk has free."""
    found = file.read_text(errors="replace").strip().splitlines()[-lines:] if file.exists() else []
    folder = next(folder for folder in file.parents if folder.exists())
    free_mb = shutil.disk_usage(folder).free / 1e6
    return "\n".join(f"  {line}" for line in found or [f"({file} is empty; its disk has {free_mb:,.0f} MB free)"])
