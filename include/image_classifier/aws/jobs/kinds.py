"""Describes, lists and stops SageMaker jobs of any kind."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from image_classifier.aws.client_errors import described, stop
from image_classifier.aws.jobs.owners import note_stop
from image_classifier.aws.names import PREFIX

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class JobKind:
    """A kind of SageMaker job.

    Attributes:
        words: its name in messages, such as "transform job".
        method: its name in boto3's methods, such as "transform_job".
        member: its name in requests, such as "TransformJob".
        finished: the final states of a job.

    """

    words: str
    method: str
    member: str
    finished: tuple[str, ...] = ("Completed", "Failed", "Stopped")

    @property
    def name_key(self) -> str:
        return f"{self.member}Name"

    def status_of(self, job: Mapping[str, Any]) -> str:
        return str(job[f"{self.member}Status"])

    def arn_of(self, job: Mapping[str, Any]) -> str:
        return str(job[f"{self.member}Arn"])

    def is_finished(self, job: Mapping[str, Any]) -> bool:
        return self.status_of(job) in self.finished

    def describe(self, sagemaker: "SageMakerClient", name: str) -> Mapping[str, Any] | None:
        """Return the job's description, or None if the job does not exist."""
        call = getattr(sagemaker, f"describe_{self.method}")
        found: Mapping[str, Any] | None = described(lambda: call(**{self.name_key: name}))
        return found

    def stop(self, sagemaker: "SageMakerClient", name: str) -> bool:
        """Stop the job; return False if it has ended or does not exist."""
        call = getattr(sagemaker, f"stop_{self.method}")
        return stop(lambda: call(**{self.name_key: name}), what=f"{self.words.capitalize()} {name}")

    def stop_orphaned(self, sagemaker: "SageMakerClient", name: str, *, why: str) -> bool:
        """Stop the job and tag it as orphaned, because no task waits for it; return False if it does not run.

        A task that adopted the job in the meantime sees the tag, and starts the next attempt instead of failing.
        """
        job = self.describe(sagemaker, name)
        if job is None or self.status_of(job) != "InProgress":
            return False
        note_stop(sagemaker, self.arn_of(job), why=why)
        return self.stop(sagemaker, name)

    def running(self, sagemaker: "SageMakerClient") -> Iterator[Mapping[str, Any]]:
        """Yield the descriptions of running jobs of all classifiers whose names have our form."""
        for name in self._names(sagemaker, NameContains=PREFIX, StatusEquals="InProgress"):
            job = self.describe(sagemaker, name) if name.startswith(PREFIX) else None
            if job is not None:
                yield job

    def names_in_progress(self, sagemaker: "SageMakerClient", *, classifier: str) -> set[str]:
        """Return the names with this classifier's prefix of jobs that run or are being stopped."""
        return {
            name
            for status in ("InProgress", "Stopping")
            for name in self._names(sagemaker, NameContains=f"{PREFIX}{classifier}-", StatusEquals=status)
        }

    def names_since(self, sagemaker: "SageMakerClient", *, classifier: str, since: datetime) -> list[str]:
        """Return the names with this classifier's prefix of jobs that were created, or changed, since then."""
        return self._names(sagemaker, NameContains=f"{PREFIX}{classifier}-", LastModifiedTimeAfter=since)

    def _names(self, sagemaker: "SageMakerClient", **filters: Any) -> list[str]:
        """Return the names of all pages as a list, because the jobs may change while they are described."""
        pages = sagemaker.get_paginator(f"list_{self.method}s")  # type: ignore[call-overload]
        found = pages.paginate(**filters)
        return [job[self.name_key] for page in found for job in page[f"{self.member}Summaries"]]


TRAINING_JOB = JobKind("training job", "training_job", "TrainingJob")
TRANSFORM_JOB = JobKind("transform job", "transform_job", "TransformJob")
PROCESSING_JOB = JobKind("processing job", "processing_job", "ProcessingJob")
TUNING_JOB = JobKind(
    "tuning job",
    "hyper_parameter_tuning_job",
    "HyperParameterTuningJob",
    ("Completed", "Failed", "Stopped", "DeleteFailed"),
)


def deadline(job: Mapping[str, Any], *, time_limit_s: int) -> float:
    """Return the time, in seconds since 1970, at which a job is stopped; the limit starts at its creation."""
    created: datetime = job["CreationTime"]
    return created.timestamp() + time_limit_s
