"""Runs jobs that are a program on each of their hosts: starts and watches the programs, and ends them in time."""

from __future__ import annotations

import contextlib
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from local_aws.processes.child import start_child
from local_aws.sagemaker.jobs.run import POLL_S, JobRun

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from local_aws.processes.child import Child
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.images import Image
    from local_aws.sagemaker.jobs.downloads import ObjectCache
    from local_aws.sagemaker.jobs.kinds import JobKind
    from local_aws.sagemaker.logs import LogShipper
    from local_aws.sagemaker.platform import Platform

LAST_WORDS_S = 2.0


class HostProgram:
    """The program of one host, which would be an instance on AWS."""

    def __init__(self, name: str, *, job: Document, folder: Path, image: Image, aws: Aws, cache: ObjectCache) -> None:
        """Create the host; nothing runs yet. `folder` is the job's own; it holds /opt/ml and the log of each host."""
        self.name = name
        self.base = folder / "ml" / name
        self._log_file = folder / f"{name}.log"
        self._hosts_folder = folder / "ml" / "hosts"
        self._job = job
        self._image = image
        self._aws = aws
        self._cache = cache
        self._child: Child | None = None

    @property
    def exit_status(self) -> int | None:
        """The exit status, or None while the program runs."""
        return self.wait(timeout_s=0)

    @property
    def reported_failure_at(self) -> float:
        """The time at which the program wrote why it fails; 0 if it has not."""
        return 0.0

    @contextlib.contextmanager
    def program(self, command: Sequence[str], *, env: dict[str, str], cwd: Path, shipper: LogShipper) -> Iterator[None]:
        """Run the program and ship its log; both end with the context."""
        with shipper:
            self._child = start_child(command, env=env, log_file=shipper.file, cwd=cwd)
            try:
                yield
            finally:
                self.kill()

    def wait(self, *, timeout_s: float) -> int | None:
        """Return the exit status, or None if the program still runs after `timeout_s` seconds."""
        return None if self._child is None else self._child.wait(timeout_s=timeout_s)

    def terminate(self) -> None:
        """Ask the program to end."""
        if self._child is not None:
            self._child.terminate()

    def kill(self) -> None:
        """End the program if it runs."""
        if self._child is not None and self._child.running:
            self._child.stop(0)


H = TypeVar("H", bound=HostProgram)


class ProgramsRun(JobRun, Generic[H]):
    """A thread that runs one job of programs to its end."""

    def __init__(self, job: Document, *, kind: JobKind, platform: Platform) -> None:
        """Create a job without hosts; its kind adds them."""
        super().__init__(job, kind=kind, store=platform.store)
        self._hosts: list[H] = []
        self._stop_grace_s = platform.limits.stop_grace_s
        self._kill_at: float | None = None

    @abstractmethod
    def _look(self) -> None:
        """Do the regular work while the programs run.

        Raises:
            JobFailedError: the job fails.

        """

    def _kill(self) -> None:
        for host in self._hosts:
            host.kill()

    def _watch(self) -> H | None:
        """Wait until every program has ended; return the host that failed first, or None."""
        while running := [host for host in self._hosts if host.exit_status is None]:
            if self._kill_at is None and first_failed(self._hosts) is not None:
                return end_others(self._hosts)
            self._stop_in_time(running)
            self._look()
            running[0].wait(timeout_s=POLL_S)
        return first_failed(self._hosts)

    def _stop_in_time(self, running: list[H]) -> None:
        """Send SIGTERM when the job must stop, and SIGKILL after the grace."""
        now = time.monotonic()
        if self._kill_at is None and self._must_stop():
            self._kill_at = now + (0 if self._closing else self._stop_grace_s)
            for host in running:
                host.terminate()
        if self._kill_at is not None and now >= self._kill_at:
            for host in running:
                host.kill()


def end_others(hosts: list[H]) -> H | None:
    """End the other hosts after one host has written why it fails; return the first that failed."""
    for host in hosts:
        if host.reported_failure_at:
            host.wait(timeout_s=LAST_WORDS_S)
    failed = first_failed(hosts)
    for host in hosts:
        host.kill()
    return failed


def first_failed(hosts: list[H]) -> H | None:
    """Return the host that failed first, because the others may have failed for the loss of their peer only.

    A host that wrote no reason counts as the first: hosts that lost a peer write so.
    """
    failed = [host for host in hosts if host.exit_status]
    return min(failed, key=lambda host: host.reported_failure_at, default=None)
