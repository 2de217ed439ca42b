"""Describes the kinds of jobs: their names in the API, and their states as changes to the stored document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.sagemaker.jobs.failures import INTERRUPTED, MAX_REASON_CHARACTERS
from local_aws.sagemaker.protocol.errors import ServiceError, validation_error

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document

IN_PROGRESS = ("InProgress", "Stopping")


@dataclass(frozen=True)
class JobKind:
    """A kind of job whose only states are InProgress, Completed, Failed, Stopping and Stopped.

    Attributes:
        kind: as ARNs and the store have it, such as ``transform-job``.
        member: what the members of its documents begin with: ``TransformJob`` of ``TransformJobName``.
        times: what the members that hold its times begin with: ``Transform`` of ``TransformEndTime``.
        listed: the order of a listing that names none, as the API reference gives it for each kind.

    """

    kind: str
    member: str
    times: str
    listed: str = "Descending"

    @property
    def noun(self) -> str:
        """The name of the kind in messages."""
        return self.kind.replace("-", " ")

    @property
    def name_key(self) -> str:
        """The member that holds the name."""
        return f"{self.member}Name"

    @property
    def arn_key(self) -> str:
        """The member that holds the ARN."""
        return f"{self.member}Arn"

    @property
    def status_key(self) -> str:
        """The member that holds the status."""
        return f"{self.member}Status"

    def in_progress(self, job: Document) -> bool:
        """Return whether the job has not ended."""
        return job[self.status_key] in IN_PROGRESS

    def enter(self, job: Document, status: str, *, now: float) -> None:
        """Move the job to a status."""
        job.update({self.status_key: status, "LastModifiedTime": now})
        if status not in IN_PROGRESS:
            job[f"{self.times}EndTime"] = now

    def start_clock(self, job: Document, *, now: float) -> None:
        """Store the start time: the first instances are running, and from now on the time is billed."""
        job.update({f"{self.times}StartTime": now, "LastModifiedTime": now})

    def fail(self, job: Document, reason: str, *, now: float) -> None:
        """End the job as Failed."""
        job["FailureReason"] = reason[:MAX_REASON_CHARACTERS]
        self.enter(job, "Failed", now=now)

    def lose(self, job: Document, *, now: float) -> None:
        """End a job whose processes ended with the server: a job that was being stopped is Stopped."""
        if job[self.status_key] == "Stopping":
            self.enter(job, "Stopped", now=now)
        else:
            self.fail(job, INTERRUPTED, now=now)

    def not_found(self, name: str) -> ServiceError:
        """Return the error for a name that no job has."""
        return validation_error(f"Could not find requested job with name: {name}")

    def name_in_use(self, arn: str) -> ServiceError:
        """Return the error for a name that another job has."""
        message = "Job name must be unique within an AWS account and region, and a job with this name already exists"
        return ServiceError("ResourceInUse", f"{message} ({arn})")
