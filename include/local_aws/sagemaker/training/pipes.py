"""Pipe mode: one named pipe per channel and epoch, `input/data/<channel>_<epoch>`, written while the program reads.

The pipe of an epoch is there before anybody could want it: the first from the start, each other one as soon as the one
before is opened. A program may close a pipe early, and the next epoch begins at the beginning; it may never open one;
one that stops reading without closing keeps only its own channel waiting. A pipe that was read is taken away, so that a
program that would read an epoch twice gets an error and does not wait for ever.
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
        self._trouble: Exception | None = None
        self._thread = threading.Thread(target=self._run, name=f"pipe {name}", daemon=True)

    def __enter__(self) -> ChannelPipes:
        """Make the first pipe, then write to it as soon as it is opened."""
        os.mkfifo(self._pipe(0))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Write no more, also to a program that is still reading."""
        self._closing.set()
        self._thread.join()

    def check(self) -> None:
        """Raise what kept the channel from being brought, if anything did."""
        if self._trouble is not None:
            raise self._trouble

    def _run(self) -> None:
        for epoch in itertools.count():
            descriptor = self._opened(self._pipe(epoch))
            if descriptor is None:
                return
            try:
                os.mkfifo(self._pipe(epoch + 1))
                with contextlib.closing(self._stream.epoch(epoch)) as chunks:
                    self._send(descriptor, chunks)
            except Exception as error:  # noqa: BLE001  # raised again by check(), in the thread that can end the job
                self._trouble = error
                self._closing.wait()  # the end of the pipe would pass for the end of the epoch
                return
            finally:
                self._pipe(epoch).unlink(missing_ok=True)
                os.close(descriptor)

    def _pipe(self, epoch: int) -> Path:
        return self._folder / f"{self._name}_{epoch}"

    def _opened(self, pipe: Path) -> int | None:
        """The end for writing, when the program has opened the other; None when there is nothing to wait for."""
        while not self._closing.is_set():
            try:
                return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            except OSError as error:
                if error.errno != errno.ENXIO:  # nobody reads yet
                    raise
            self._closing.wait(LOOK_S)
        return None

    def _send(self, descriptor: int, chunks: Iterable[bytes]) -> None:
        """Write one epoch, or as much as the program takes."""
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest:
                try:
                    rest = rest[os.write(descriptor, rest) :]
                except BlockingIOError:
                    self._wait_for_room(descriptor)
                except BrokenPipeError:  # the program has enough of this epoch
                    return
                if self._closing.is_set():
                    return

    def _wait_for_room(self, descriptor: int) -> None:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        poll.poll(LOOK_S * 1000)
