"""One serving process of an endpoint: started, pinged until it answers, started again when it dies."""

from __future__ import annotations

import hashlib
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import httpx

from local_aws.children import start_child
from local_aws.sagemaker.logs import LogShipper

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from typing import Any

    from local_aws.children import Child

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/Endpoints/"
STARTS_BEFORE_FAILURE = 3  # a program that ends at once three times will not pass its health check
FIRST_BACKOFF_S = 0.25
MAX_BACKOFF_S = 30.0
STOP_GRACE_S = 5.0
POLL_S = 0.05


class Instance:
    """A process behind a port of this machine. Only the event loop changes `in_flight`."""

    def __init__(
        self,
        *,
        endpoint: str,
        variant: str,
        label: str,
        command: Sequence[str],
        environment: Callable[[int], dict[str, str]],
        folder: Path,
        log_folder: Path,
        logs: Any,
        ping_timeout_s: float,
    ) -> None:
        """`environment` is asked anew for every start, with the port of that start; `label` tells instances apart."""
        self.variant = variant
        self.in_flight = 0
        self.healthy = threading.Event()
        self.failed = threading.Event()
        digest = hashlib.sha256(f"{endpoint}/{variant}/{label}".encode()).hexdigest()
        self._id = f"i-{digest[:17]}"
        self._endpoint = endpoint
        self._command = [*command, "serve"]
        self._environment = environment
        self._folder = folder
        self._log_folder = log_folder
        self._logs = logs
        self._ping_timeout_s = ping_timeout_s
        self._stopping = threading.Event()
        self._port = 0
        self._thread = threading.Thread(target=self._supervise, name=f"serve {endpoint}/{variant}", daemon=True)

    @property
    def port(self) -> int:
        """Where the process answers; another one after each start."""
        return self._port

    def start(self) -> None:
        """Begin; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """End the process; returns when it is gone."""
        self._stopping.set()
        self.healthy.clear()
        if self._thread.ident is not None:
            self._thread.join()

    def doubt(self) -> None:
        """An invocation had no answer: take no more until `/ping` answers again."""
        self.healthy.clear()

    def _supervise(self) -> None:
        log_file = self._log_folder / f"{self.variant}-{self._id}.log"
        group, stream = f"{LOG_GROUP}{self._endpoint}", f"{self.variant}/{self._id}"
        backoff_s, starts = FIRST_BACKOFF_S, 0
        with LogShipper(log_file, logs=self._logs, group=group, stream=stream):
            while not self._stopping.is_set():
                if self._serve_once(log_file):
                    backoff_s, starts = FIRST_BACKOFF_S, 0
                else:
                    starts += 1
                if starts >= STARTS_BEFORE_FAILURE:
                    self.failed.set()
                self._stopping.wait(backoff_s)
                backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)

    def _serve_once(self, log_file: Path) -> bool:
        """Run the process until it ends or is to end; whether it ever passed its health check."""
        self._port = free_port()
        try:
            child = start_child(self._command, env=self._environment(self._port), log_file=log_file, cwd=self._folder)
        except OSError as error:
            log.warning("Endpoint %s cannot start its process: %s", self._endpoint, error)
            return False
        passed = self._wait_for_ping(child)
        serving = passed
        while serving and not self._stopping.is_set():
            self.healthy.set()
            serving = self._wait_for_doubt(child) and self._wait_for_ping(child)
        self.healthy.clear()
        status = child.stop(STOP_GRACE_S)
        if not self._stopping.is_set():
            log.warning("Endpoint %s: the process of variant %s ended (%s)", self._endpoint, self.variant, status)
        return passed

    def _wait_for_doubt(self, child: Child) -> bool:
        """Return when an invocation had no answer, or this instance is to stop; False when the process has ended."""
        while self.healthy.is_set() and not self._stopping.is_set():
            if child.wait(timeout_s=POLL_S) is not None:
                return False
        return True

    def _wait_for_ping(self, child: Child) -> bool:
        deadline = time.monotonic() + self._ping_timeout_s
        with httpx.Client(timeout=2.0, trust_env=False) as client:
            while time.monotonic() < deadline and not self._stopping.is_set():
                if child.wait(timeout_s=POLL_S) is not None:
                    return False
                try:
                    if client.get(f"http://127.0.0.1:{self._port}/ping").status_code == httpx.codes.OK:
                        return True
                except httpx.HTTPError:
                    continue
        self.failed.set()
        return False


def free_port() -> int:
    """A port that was free a moment ago; a process that loses it ends, and is started with another."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
