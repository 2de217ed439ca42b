"""What the fault plan does to one training job: no machine for it, a slow download, a lost machine, a failure."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from local_aws.faults.plan import Capacity, InterruptSpot, JobFails, NoSpotCapacity, SlowDownload
from local_aws.sagemaker.jobs.failures import NO_CAPACITY, JobFailedError

if TYPE_CHECKING:
    from local_aws.faults.counting import Faults


class MachineLostError(Exception):
    """A managed spot training job loses its machine; another one comes after `wait_s`."""

    def __init__(self, wait_s: float) -> None:
        """Keep how long it takes."""
        super().__init__(f"the machine is lost, another one comes in {wait_s} s")
        self.wait_s = wait_s


class Mishaps:
    """What is in store for one job."""

    def __init__(self, faults: Faults, job: dict[str, Any]) -> None:
        """What meets the job is decided now; whether it loses its machine, with each machine that it gets."""
        self._faults = faults
        self._job = job
        self._is_spot = bool(job.get("EnableManagedSpotTraining"))
        self._no_capacity = faults.take(Capacity, job) is not None
        self._no_spot_capacity = self._is_spot and faults.take(NoSpotCapacity, job) is not None
        self._slow_download = faults.take(SlowDownload, job)
        self._failure = faults.take(JobFails, job)
        self._interruption: InterruptSpot | None = None
        self._began = 0.0
        self._epochs_before = 0

    @property
    def wait_s(self) -> float:
        """How long the job waits for its first machine."""
        return math.inf if self._no_spot_capacity else 0.0

    @property
    def download_s(self) -> float:
        """How much longer the job downloads than it must."""
        return 0.0 if self._slow_download is None else self._slow_download.seconds

    def provision(self) -> None:
        """A machine is asked for.

        Raises:
            JobFailedError: AWS has none.

        """
        if self._no_capacity:
            raise JobFailedError(NO_CAPACITY)

    def training_begins(self, *, epochs: int) -> None:
        """The program starts on a machine, after `epochs` on those before."""
        self._began, self._epochs_before = time.monotonic(), epochs
        self._interruption = self._faults.take(InterruptSpot, self._job) if self._is_spot else None

    def happen(self, *, epochs: int) -> None:
        """Let happen what is due, while the program runs and has ended `epochs`.

        Raises:
            JobFailedError: the job fails.
            MachineLostError: its machine is taken away.

        """
        trained_s = time.monotonic() - self._began
        if self._failure is not None and trained_s >= self._failure.after_s:
            raise JobFailedError(self._failure.reason)
        if self._interruption is not None and self._is_due(self._interruption, trained_s, epochs):
            raise MachineLostError(self._interruption.wait_s)

    def _is_due(self, interruption: InterruptSpot, trained_s: float, epochs: int) -> bool:
        if interruption.after_epochs is not None:
            return epochs - self._epochs_before >= interruption.after_epochs
        return interruption.after_s is not None and trained_s >= interruption.after_s
