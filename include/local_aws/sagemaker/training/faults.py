"""Injects the faults of training jobs: those of all jobs, and the interruption of a managed spot job."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from local_aws.faults.plan import InterruptSpot, NoSpotCapacity
from local_aws.sagemaker.jobs.faults import JobFaults

if TYPE_CHECKING:
    from local_aws.faults.counting import Faults
    from local_aws.sagemaker.documents import Document


class MachineLostError(Exception):
    """A managed spot training job is interrupted; it gets another instance after `wait_s` seconds."""

    def __init__(self, wait_s: float) -> None:
        """Store the waiting time."""
        super().__init__(f"the machine is lost, another one comes in {wait_s} s")
        self.wait_s = wait_s


class TrainingFaults(JobFaults):
    """The faults of one training job; each instance that it gets may be interrupted."""

    def __init__(self, faults: Faults, job: Document) -> None:
        """Read the faults of a job; only a managed spot job is interrupted."""
        super().__init__(faults, job, operation="CreateTrainingJob")
        self._is_spot = bool(job.get("EnableManagedSpotTraining"))
        self._no_spot_capacity = self._is_spot and faults.take(NoSpotCapacity, job) is not None
        self._interruption: InterruptSpot | None = None
        self._epochs_before = 0

    def again(self) -> TrainingFaults:
        """Return the faults of the same job when it is started again."""
        return TrainingFaults(self._faults, self._job)

    @property
    def wait_s(self) -> float:
        """How many seconds the job waits for its first instance."""
        return math.inf if self._no_spot_capacity else 0.0

    def training_begins(self, *, epochs: int) -> None:
        """Note that the program starts on an instance, after `epochs` epochs on those before."""
        self.programs_begin()
        self._epochs_before = epochs
        self._interruption = self._faults.take(InterruptSpot, self._job) if self._is_spot else None

    def happen(self, *, epochs: int) -> None:
        """Let the faults act that are due after `epochs` epochs of the program.

        Raises:
            JobFailedError: the job fails.
            MachineLostError: its machine is taken away.

        """
        self.fail_if_due()
        if self._interruption is not None and self._is_due(self._interruption, epochs):
            raise MachineLostError(self._interruption.wait_s)

    def _is_due(self, interruption: InterruptSpot, epochs: int) -> bool:
        if interruption.after_epochs is not None:
            return epochs - self._epochs_before >= interruption.after_epochs
        return interruption.after_s is not None and self._ran_s() >= interruption.after_s
