"""Sends the lines of a process to CloudWatch Logs while they are written.

The process writes to a file; this reads behind it. So the process never waits for the log service, lines written while
the service is away arrive when it is back, and the file stays on disk.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from botocore.client import BaseClient

    from local_aws.sagemaker.documents import Document

log = logging.getLogger(__name__)

INTERVAL_S = 0.25
MAX_BATCH_BYTES = 512 * 1024  # CloudWatch takes 1 MiB and 10,000 events, 26 bytes being counted for each
MAX_BATCH_LINES = 5_000
MAX_LINE_CHARACTERS = 200_000
MAX_FILE_BYTES = 32 * 1024 * 1024  # an endpoint may run for months
FLUSH_S = 5.0


class LogShipper:
    """Sends one file to one log stream. Use it as a context manager: the end sends the rest."""

    def __init__(
        self,
        file: Path,
        *,
        logs: BaseClient,
        group: str,
        stream: str,
        on_lines: Callable[[list[str]], None] | None = None,
    ) -> None:
        """`on_lines` gets every line once, in order, whether or not CloudWatch Logs answers."""
        self.file = file
        self._logs = logs
        self._target = {"logGroupName": group, "logStreamName": stream}
        self._on_lines = on_lines or (lambda _lines: None)
        self._offset = file.stat().st_size if file.exists() else 0
        self._pending: list[str] = []
        self._retry_at = 0.0
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._follow, name=f"log {stream}", daemon=True)

    def __enter__(self) -> LogShipper:
        """Start to read the file."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Send the rest; give up after a few seconds if CloudWatch Logs does not answer."""
        self._closing.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._closing.wait(INTERVAL_S):
            self._step(at_end=False)
        deadline = time.monotonic() + FLUSH_S
        while self._step(at_end=True) or self._pending:
            if time.monotonic() > deadline:
                log.warning("Log stream %s misses %d lines", self._target["logStreamName"], len(self._pending))
                return
            if self._pending:
                time.sleep(INTERVAL_S)

    def _step(self, *, at_end: bool) -> bool:
        """Read one batch and try to send it; return whether anything was read."""
        lines: list[str] = []
        if len(self._pending) < MAX_BATCH_LINES:
            lines = self._read(at_end=at_end)
        if lines:
            self._on_lines(lines)
            self._pending += [line for line in lines if line]
        self._send()
        return bool(lines)

    def _read(self, *, at_end: bool) -> list[str]:
        try:
            with self.file.open("rb") as file:
                file.seek(self._offset)
                data = file.read(MAX_BATCH_BYTES)
        except FileNotFoundError:
            return []
        complete = data.rfind(b"\n") + 1
        if (at_end and len(data) < MAX_BATCH_BYTES) or (not complete and len(data) == MAX_BATCH_BYTES):
            complete = len(data)  # the last line without an end, or a line longer than a batch
        self._offset += complete
        if self._offset > MAX_FILE_BYTES and not data:
            os.truncate(self.file, 0)  # its writer appends, so it continues at the beginning
            self._offset = 0
        # A bare carriage return is a progress bar's; CloudWatch shows each state as a line.
        return [line[:MAX_LINE_CHARACTERS] for line in data[:complete].decode(errors="replace").splitlines()]

    def _send(self) -> None:
        if not self._pending or (time.monotonic() < self._retry_at and not self._closing.is_set()):
            return
        batch = self._batch()
        try:
            self._put(batch)
        except (BotoCoreError, ClientError) as error:
            log.debug("Log stream %s: %s", self._target["logStreamName"], error)
            self._retry_at = time.monotonic() + 2.0
        else:
            del self._pending[: len(batch)]

    def _batch(self) -> list[str]:
        size_bytes = 0
        for count, line in enumerate(self._pending):
            size_bytes += len(line.encode()) + 26
            if count and size_bytes > MAX_BATCH_BYTES:
                return self._pending[:count]
        return list(self._pending)

    def _put(self, batch: list[str]) -> None:
        # All have the time of their sending: CloudWatch refuses the times of a clock that was put back in between.
        now_ms = int(time.time() * 1000)
        events: list[Document] = [{"timestamp": now_ms, "message": line} for line in batch]
        try:
            self._logs.put_log_events(**self._target, logEvents=events)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            self._create()
            self._logs.put_log_events(**self._target, logEvents=events)

    def _create(self) -> None:
        group = {"logGroupName": self._target["logGroupName"]}
        for create, arguments in ((self._logs.create_log_group, group), (self._logs.create_log_stream, self._target)):
            try:
                create(**arguments)
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceAlreadyExistsException":
                    raise
