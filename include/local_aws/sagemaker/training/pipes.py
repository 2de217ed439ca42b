"""Writes the named pipes of Pipe mode, one per channel and epoch: `input/data/<channel>_<epoch>`.

The pipe of an epoch exists before a program can open it: the first from the start, each other one as soon as the one
before is opened. A program may close a pipe early, and the next epoch starts at the beginning; it may never open a
pipe; if it stops reading without closing, only that channel waits. A pipe that was read is deleted, so that a program
that would read an epoch twice gets an error and does not wait for ever.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import select
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from local_aws.sagemaker.training.streams import Stream

LOOK_S = 0.02


class ChannelPipes:
    """The pipes of one channel of one host, and the thread that writes to them. Use it as a context manager."""

    def __init__(self, folder: Path, name: str, *, stream: Stream) -> None:
        """`folder` is the host's input/data."""
        self._folder = folder
        self._name = name
        self._stream = stream
        self._closing = threading.Event()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"pipe {name}", daemon=True)

    def __enter__(self) -> ChannelPipes:
        """Make the first pipe, and write to it as soon as it is opened."""
        os.mkfifo(self._pipe(0))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop writing, also to a program that still reads."""
        self._closing.set()
        self._thread.join()

    def check(self) -> None:
        """Raise the error that kept the channel from being written, if there is one."""
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        for epoch in itertools.count():
            descriptor = self._opened(self._pipe(epoch))
            if descriptor is None:
                return
            try:
                os.mkfifo(self._pipe(epoch + 1))
                with contextlib.closing(self._stream.epoch(epoch)) as chunks:
                    self._send(descriptor, chunks)
            except Exception as error:  # noqa: BLE001  # check() raises it in the thread of the job
                self._error = error
                self._closing.wait()  # the program would take the end of the pipe for the end of the epoch
                return
            finally:
                self._pipe(epoch).unlink(missing_ok=True)
                os.close(descriptor)

    def _pipe(self, epoch: int) -> Path:
        return self._folder / f"{self._name}_{epoch}"

    def _opened(self, pipe: Path) -> int | None:
        """Return the write end when the program has opened the pipe, or None when there is no program to wait for."""
        while not self._closing.is_set():
            try:
                return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:  # no reader yet
                    raise
            self._closing.wait(LOOK_S)
        return None

    def _send(self, descriptor: int, chunks: Iterable[bytes]) -> None:
        """Write one epoch, or as much as the program reads."""
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                try:
                    rest = rest[os.write(descriptor, rest) :]
                except BlockingIOError:
                    self._wait_until_writable(descriptor)
                except BrokenPipeError:  # the program closed the pipe
                    return
                if self._closing.is_set():
                    return

    def _wait_until_writable(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        poll.poll(LOOK_S * 1000)
