"""Runs one job from its start to its end in a thread; a subclass does the work of its kind."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from local_aws.sagemaker.jobs.failures import SERVICE_ERRORS, UNEXPECTED, JobFailedError, JobStoppedError, reason_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.jobs.kinds import JobKind
    from local_aws.sagemaker.store import Store

log = logging.getLogger(__name__)

POLL_S = 0.1
WRITE_AGAIN_S = 1.0


class JobRun(ABC):
    """A thread that runs one job to its end."""

    def __init__(self, job: Document, *, kind: JobKind, store: Store) -> None:
        """`job` is in the store already."""
        self._job = job
        self._kind = kind
        self._name: str = job[kind.name_key]
        self._store = store
        self._stop_asked = threading.Event()
        self._closing = False
        self._end_state = "Completed"
        self._thread = threading.Thread(target=self._run, name=f"{kind.noun} {self._name}", daemon=True)

    @property
    def alive(self) -> bool:
        """Return whether the job has not ended."""
        return self._thread.ident is None or self._thread.is_alive()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ask the job to end, as StopTrainingJob does."""
        self._stop_asked.set()

    def close(self) -> None:
        """End the job without its grace, because the server ends."""
        self._closing = True
        self._stop_asked.set()
        self._kill()
        self._thread.join(timeout=5)

    @abstractmethod
    def _work(self) -> None:
        """Do the work of the job.

        Raises:
            JobFailedError: the job fails.
            JobStoppedError: the job must stop.

        """

    @abstractmethod
    def _kill(self) -> None:
        """End the job's processes at once."""

    @abstractmethod
    def _clean_up(self) -> None:
        """Remove what the job no longer needs; it has ended, and its document does not say so yet."""

    def _run(self) -> None:
        log.info("The %s %s starts", self._kind.noun, self._name)
        reason = UNEXPECTED
        try:
            reason = self._attempt()
            while self._begins_again(reason):
                reason = self._attempt()
        finally:
            self._finish(reason)

    def _attempt(self) -> str:
        """Do the work once; return the FailureReason, empty if there is none."""
        try:
            self._work()
        except JobStoppedError:
            return ""  # its end state is stored already
        except JobFailedError as error:
            return str(error)
        except (OSError, sqlite3.Error, *SERVICE_ERRORS) as error:
            return reason_of(error)
        finally:
            self._clean_up()
        return ""

    def _begins_again(self, reason: str) -> bool:  # noqa: ARG002  kinds of jobs with a RetryStrategy use it
        """Prepare another attempt; return False if the job gets none."""
        return False

    def _end(self, job: Document, reason: str, *, now: float) -> None:
        """Store the end in the job's document."""
        if self._closing:
            self._kind.lose(job, now=now)
        elif reason:
            self._kind.fail(job, reason, now=now)
        else:
            self._kind.enter(job, self._end_state, now=now)

    def _finish(self, reason: str) -> None:
        job = self._change_at_last(lambda job: self._end(job, reason, now=time.time())) or self._job
        failure = job.get("FailureReason", "")
        log.info("The %s %s is %s %s", self._kind.noun, self._name, job[self._kind.status_key], failure)

    def _change_at_last(self, change: Callable[[Document], None]) -> Document | None:
        """Store the end; wait while the disk is full, because a job without an end would be waited for as well."""
        while not self._closing:
            try:
                return self._store.change(self._kind.kind, self._name, change)
            except sqlite3.OperationalError as error:
                log.warning("The end of %s cannot be stored yet: %s", self._name, error)
                time.sleep(WRITE_AGAIN_S)
        return self._store.change(self._kind.kind, self._name, change)

    def _change(self, change: Callable[[Document], None]) -> None:
        """Change the job's document, here and in the store."""
        self._job = self._store.change(self._kind.kind, self._name, change) or self._job

    def _must_stop(self) -> bool:
        """Return whether the job must end; its end state says so from then on."""
        if self._stop_asked.is_set():
            self._end_state = "Stopped"
        return self._end_state != "Completed"

    def _wait(self, seconds: float) -> None:
        """Wait for a time.

        Raises:
            JobStoppedError: the job must stop.

        """
        deadline = time.monotonic() + seconds
        while not self._must_stop():
            if time.monotonic() >= deadline:
                return
            self._stop_asked.wait(POLL_S)
        raise JobStoppedError
