"""Runs one serving process of a model: starts it, pings it until it answers, and starts it again when it dies."""

from __future__ import annotations

import hashlib
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING

import httpx

from local_aws.processes.child import start_child

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from local_aws.processes.child import Child
    from local_aws.sagemaker.logs import LogShipper

log = logging.getLogger(__name__)

LOG_GROUP = "/aws/sagemaker/Endpoints/"
STARTS_BEFORE_FAILURE = 3  # a program that ends at once three times will not pass its health check
FIRST_BACKOFF_S = 0.25
MAX_BACKOFF_S = 30.0
STOP_GRACE_S = 5.0
POLL_S = 0.05


class Instance:
    """A process that serves at a port of this machine. Only the event loop changes `in_flight`."""

    def __init__(
        self,
        *,
        owner: str,
        variant: str,
        command: Sequence[str],
        environment: Callable[[int], dict[str, str]],
        folder: Path,
        shipper: LogShipper,
        ping_timeout_s: float,
    ) -> None:
        """`environment` returns the variables of each start, for the port of that start; `shipper` has the log file."""
        self.variant = variant
        self.in_flight = 0
        self.healthy = threading.Event()
        self.failed = threading.Event()
        self._owner = owner
        self._command = [*command, "serve"]
        self._environment = environment
        self._folder = folder
        self._shipper = shipper
        self._ping_timeout_s = ping_timeout_s
        self._stopping = threading.Event()
        self._port = 0
        self._thread = threading.Thread(target=self._supervise, name=f"{owner} {variant}", daemon=True)

    @property
    def port(self) -> int:
        """The port of the process; each start has another one."""
        return self._port

    def start(self) -> None:
        """Start the process in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End the process, and wait until it has ended."""
        self._stopping.set()
        self.healthy.clear()
        if self._thread.ident is not None:
            self._thread.join()

    def suspend(self) -> None:
        """Take no invocations until `/ping` answers again, because one had no answer."""
        self.healthy.clear()

    def _supervise(self) -> None:
        backoff_s, starts = FIRST_BACKOFF_S, 0
        with self._shipper:
            while not self._stopping.is_set():
                if self._serve_once():
                    backoff_s, starts = FIRST_BACKOFF_S, 0
                else:
                    starts += 1
                if starts >= STARTS_BEFORE_FAILURE:
                    self.failed.set()
                self._stopping.wait(backoff_s)
                backoff_s = min(backoff_s * 2, MAX_BACKOFF_S)

    def _serve_once(self) -> bool:
        """Run the process until it ends or is stopped; return whether it has ever passed its health check."""
        self._port = free_port()
        try:
            env = self._environment(self._port)
            child = start_child(self._command, env=env, log_file=self._shipper.file, cwd=self._folder)
        except OSError as error:
            log.warning("%s cannot start its process: %s", self._owner, error)
            return False
        passed = self._wait_for_ping(child)
        serving = passed
        while serving and not self._stopping.is_set():
            self.healthy.set()
            serving = self._wait_until_suspended(child) and self._wait_for_ping(child)
        self.healthy.clear()
        status = child.stop(STOP_GRACE_S)
        if not self._stopping.is_set():
            log.warning("%s: the process of variant %s ended (%s)", self._owner, self.variant, status)
        return passed

    def _wait_until_suspended(self, child: Child) -> bool:
        """Wait until the instance is suspended or must stop; return False if the process has ended."""
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


def instance_id(name: str) -> str:
    """Return an id in the form of EC2, always the same for the same name."""
    return f"i-{hashlib.sha256(name.encode()).hexdigest()[:17]}"


def free_port() -> int:
    """Return a port that was free a moment ago; a process that loses it ends, and is started with another."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
