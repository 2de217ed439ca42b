"""Describes, lists and stops SageMaker jobs of any kind."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from image_classifier.aws.client_errors import described, stop
from image_classifier.aws.jobs.owners import note_stop
from image_classifier.aws.names import PREFIX
from image_classifier.aws.roles import once_assumable

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


class JobKind(ABC):
    """A kind of SageMaker job; a subclass names the client's methods for it.

    The methods that only call the client return its answer, which an aiobotocore client's caller has to await.

    Attributes:
        words: its name in messages, such as "transform job".
        member: its name in requests, such as "TransformJob".
        finished: the final states of a job.

    """

    words: ClassVar[str]
    member: ClassVar[str]
    finished: ClassVar[tuple[str, ...]] = ("Completed", "Failed", "Stopped")

    @abstractmethod
    def call_create(self, sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Any:
        """Create the job of this request."""

    @abstractmethod
    def call_describe(self, sagemaker: "SageMakerClient", name: str) -> Any:
        """Describe the job."""

    @abstractmethod
    def call_stop(self, sagemaker: "SageMakerClient", name: str) -> Any:
        """Stop the job."""

    @abstractmethod
    def paginator(self, sagemaker: "SageMakerClient") -> Any:
        """Return the paginator that lists the jobs."""

    @property
    def name_key(self) -> str:
        return f"{self.member}Name"

    def status_of(self, job: Mapping[str, Any]) -> str:
        return str(job[f"{self.member}Status"])

    def arn_of(self, job: Mapping[str, Any]) -> str:
        return str(job[f"{self.member}Arn"])

    def is_finished(self, job: Mapping[str, Any]) -> bool:
        return self.status_of(job) in self.finished

    def create(self, sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> None:
        """Create the job of this request; its role may be seconds old.

        Raises:
            AwsRefusalError: the role cannot be assumed.
            ClientError: another error; nothing was created.

        """
        what = f"{self.words.capitalize()} {request[self.name_key]}"
        once_assumable(lambda: self.call_create(sagemaker, request), what=what)

    def describe(self, sagemaker: "SageMakerClient", name: str) -> Mapping[str, Any] | None:
        """Return the job's description, or None if the job does not exist."""
        found: Mapping[str, Any] | None = described(lambda: self.call_describe(sagemaker, name))
        return found

    def stop(self, sagemaker: "SageMakerClient", name: str) -> bool:
        """Stop the job; return False if it has ended or does not exist."""
        return stop(lambda: self.call_stop(sagemaker, name), what=f"{self.words.capitalize()} {name}")

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
        pages = self.paginator(sagemaker).paginate(**filters)
        return [job[self.name_key] for page in pages for job in page[f"{self.member}Summaries"]]


class _TrainingJob(JobKind):
    words, member = "training job", "TrainingJob"

    def call_create(self, sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Any:
        return sagemaker.create_training_job(**request)

    def call_describe(self, sagemaker: "SageMakerClient", name: str) -> Any:
        return sagemaker.describe_training_job(TrainingJobName=name)

    def call_stop(self, sagemaker: "SageMakerClient", name: str) -> Any:
        return sagemaker.stop_training_job(TrainingJobName=name)

    def paginator(self, sagemaker: "SageMakerClient") -> Any:
        return sagemaker.get_paginator("list_training_jobs")


class _TransformJob(JobKind):
    words, member = "transform job", "TransformJob"

    def call_create(self, sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Any:
        return sagemaker.create_transform_job(**request)

    def call_describe(self, sagemaker: "SageMakerClient", name: str) -> Any:
        return sagemaker.describe_transform_job(TransformJobName=name)

    def call_stop(self, sagemaker: "SageMakerClient", name: str) -> Any:
        return sagemaker.stop_transform_job(TransformJobName=name)

    def paginator(self, sagemaker: "SageMakerClient") -> Any:
        return sagemaker.get_paginator("list_transform_jobs")


class _ProcessingJob(JobKind):
    words, member = "processing job", "ProcessingJob"

    def call_create(self, sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Any:
        return sagemaker.create_processing_job(**request)

    def call_describe(self, sagemaker: "SageMakerClient", name: str) -> Any:
        return sagemaker.describe_processing_job(ProcessingJobName=name)

    def call_stop(self, sagemaker: "SageMakerClient", name: str) -> Any:
        return sagemaker.stop_processing_job(ProcessingJobName=name)

    def paginator(self, sagemaker: "SageMakerClient") -> Any:
        return sagemaker.get_paginator("list_processing_jobs")


class _TuningJob(JobKind):
    words, member = "tuning job", "HyperParameterTuningJob"
    finished = (*JobKind.finished, "DeleteFailed")

    def call_create(self, sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Any:
        return sagemaker.create_hyper_parameter_tuning_job(**request)

    def call_describe(self, sagemaker: "SageMakerClient", name: str) -> Any:
        return sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    def call_stop(self, sagemaker: "SageMakerClient", name: str) -> Any:
        return sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)

    def paginator(self, sagemaker: "SageMakerClient") -> Any:
        return sagemaker.get_paginator("list_hyper_parameter_tuning_jobs")


TRAINING_JOB = _TrainingJob()
TRANSFORM_JOB = _TransformJob()
PROCESSING_JOB = _ProcessingJob()
TUNING_JOB = _TuningJob()


def deadline(job: Mapping[str, Any], *, time_limit_s: int) -> float:
    """Return the time, in seconds since 1970, at which a job is stopped; the limit starts at its creation."""
    created: datetime = job["CreationTime"]
    return created.timestamp() + time_limit_s
