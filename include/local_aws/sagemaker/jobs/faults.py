"""Injects the faults of jobs of any kind: no capacity, a slow download, a failure while the job runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

from local_aws.faults.plan import Capacity, JobFails, JobFault, SlowDownload
from local_aws.sagemaker.jobs.failures import NO_CAPACITY, JobFailedError

if TYPE_CHECKING:
    from local_aws.faults.counting import Faults
    from local_aws.sagemaker.documents import Document

F = TypeVar("F", bound=JobFault)


class JobFaults:
    """The faults of one job, which are chosen when this object is made."""

    def __init__(self, faults: Faults, job: Document, *, operation: str) -> None:
        """`operation` is the one that created the job."""
        self._faults = faults
        self._job = job
        self._operation = operation
        self._no_capacity = self._take(Capacity) is not None
        self._slow_download = self._take(SlowDownload)
        self._failure = self._take(JobFails)
        self._began = 0.0

    @property
    def download_s(self) -> float:
        """The additional time of the download in seconds."""
        return 0.0 if self._slow_download is None else self._slow_download.seconds

    def provision(self) -> None:
        """Ask for an instance.

        Raises:
            JobFailedError: AWS has none.

        """
        if self._no_capacity:
            raise JobFailedError(NO_CAPACITY)

    def programs_begin(self) -> None:
        """Note that the programs start on their instances."""
        self._began = time.monotonic()

    def fail_if_due(self) -> None:
        """Fail the job if its time has come.

        Raises:
            JobFailedError: the plan has a failure for this job, and it has run that long.

        """
        if self._failure is not None and self._ran_s() >= self._failure.after_s:
            raise JobFailedError(self._failure.reason)

    def _ran_s(self) -> float:
        return time.monotonic() - self._began

    def _take(self, kind: type[F]) -> F | None:
        return self._faults.take(kind, self._job, fits=lambda fault: fault.operation == self._operation)
