"""Starts child processes that end with this process, also when it is killed with SIGKILL.

This needs two mechanisms. On Linux the kernel kills a child when its parent ends (PR_SET_PDEATHSIG), but not the
processes that the child started. On every system a guard process reads from a pipe that only this process holds open;
when the pipe ends, it kills the process groups whose ids were written to the pipe.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

# Runs between fork and the command: a preexec_fn may deadlock in a process that has threads.
_LAUNCHER = """
import os, signal, sys
if sys.platform == "linux":
    import ctypes
    ctypes.CDLL(None).prctl(1, int(signal.SIGKILL))
if os.getppid() != int(sys.argv[1]):
    os._exit(1)
os.execvp(sys.argv[2], sys.argv[2:])
"""

_GUARD = """
import os, signal, sys
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    signal.signal(getattr(signal, name), signal.SIG_IGN)
groups = set()
for line in sys.stdin:
    (groups.add if line[0] == "+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, signal.SIGKILL)
    except OSError:
        pass
"""


def start_child(command: Sequence[str], *, env: Mapping[str, str], log_file: Path, cwd: Path | None = None) -> Child:
    """Start `command` in a process group of its own, its output appended to `log_file`.

    Raises:
        FileNotFoundError: there is no such program.

    """
    program = shutil.which(command[0], path=env.get("PATH"))
    if program is None:
        raise FileNotFoundError(
            f"There is no program {command[0]!r} on the PATH of the child; install it or correct it"
        )
    log_file.parent.mkdir(parents=True, exist_ok=True)
    return _SPAWNER.call(lambda: _start([program, *command[1:]], env=env, log_file=log_file, cwd=cwd))


class Child:
    """A process and its group. Its methods may be called from any thread."""

    def __init__(self, process: subprocess.Popen[bytes], *, guard: _Guard) -> None:
        """Register the process group with the guard."""
        self._process = process
        self._guard = guard
        self._cleared = False
        guard.watch(process.pid)

    @property
    def pid(self) -> int:
        """The process id, which is also the id of the process group."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Return whether the command still runs."""
        return self.wait(timeout_s=0) is None

    @property
    def returncode(self) -> int | None:
        """The exit status, negative for a signal; None while it runs."""
        return self._process.returncode

    def wait(self, *, timeout_s: float | None = None) -> int | None:
        """Wait up to ``timeout_s`` seconds; return the exit status, or None if the command still runs."""
        try:
            status = self._process.poll() if timeout_s == 0 else self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None
        if status is not None:
            self._clear_group()
        return status

    def terminate(self) -> None:
        """Send SIGTERM to the command alone, as a container runtime sends it to the first process."""
        if self.running:
            self._process.terminate()

    def stop(self, grace_s: float) -> int:
        """Send SIGTERM, and kill the group if the command still runs after ``grace_s`` seconds; return the status."""
        self.terminate()
        status = self.wait(timeout_s=grace_s) if grace_s > 0 else None
        if status is not None:
            return status
        self._kill_group()
        self._process.wait()
        self._clear_group()
        return self._process.returncode

    def _clear_group(self) -> None:
        if not self._cleared:
            self._cleared = True
            self._kill_group()
            self._guard.forget(self.pid)

    def _kill_group(self) -> None:
        # As in a container, all processes that the command started end with it.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def _start(command: Sequence[str], *, env: Mapping[str, str], log_file: Path, cwd: Path | None) -> Child:
    """Start the command through the launcher.

    Raises:
        OSError: the program is absent, or its arguments or environment have a character that no process can have.

    """
    launcher = [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(os.getpid())]
    with log_file.open("ab") as log:
        try:
            process = subprocess.Popen(
                [*launcher, *command],
                env=dict(env),
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except ValueError as error:  # a null character, or half of a surrogate pair
            raise OSError(errno.EINVAL, f"The arguments or the environment cannot be passed on: {error}") from error
    return Child(process, guard=_SPAWNER.guard)


class _Guard:
    """A process that outlives this one by a moment and kills the process groups that are left."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _GUARD],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._lock = threading.Lock()

    def watch(self, group: int) -> None:
        self._send(f"+{group}\n")

    def forget(self, group: int) -> None:
        self._send(f"-{group}\n")

    def _send(self, line: str) -> None:
        pipe = self._process.stdin
        with self._lock, contextlib.suppress(BrokenPipeError):
            if pipe is not None:
                pipe.write(line.encode())
                pipe.flush()


class _Spawner:
    """One thread that starts every child: Linux kills a child when the *thread* that started it ends."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[tuple[Callable[[], Child], Future[Child]]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._guard: _Guard | None = None
        self._thread: threading.Thread | None = None

    @property
    def guard(self) -> _Guard:
        """The guard process, started at the first use; only the spawner's thread uses it."""
        if self._guard is None:
            self._guard = _Guard()
        return self._guard

    def call(self, start: Callable[[], Child]) -> Child:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="children", daemon=True)
                self._thread.start()
        future: Future[Child] = Future()
        self._work.put((start, future))
        return future.result()

    def _run(self) -> None:
        while True:
            start, future = self._work.get()
            try:
                future.set_result(start())
            except BaseException as error:  # noqa: BLE001  # with this thread every child would end
                future.set_exception(error)


_SPAWNER = _Spawner()
