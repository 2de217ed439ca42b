"""Stops SageMaker jobs of all kinds that still run, and cost, although their task has ended."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from image_classifier.aws.jobs import owners
from image_classifier.aws.jobs.kinds import TRAINING_JOB, TUNING_JOB, JobKind
from image_classifier.evaluate.transform_jobs import TRANSFORM_JOBS
from image_classifier.prepare.processing.jobs import PROCESSING_JOBS, bucket_of

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

TaskStatus = Literal[
    "wanted", "over", "unknown"
]  # over: no try of the task follows; unknown: this Airflow has no such task
TaskStatusOf = Callable[[owners.Owner], TaskStatus]
WHY = "its task is over"
# The output address of each kind of job, whose bucket identifies the deployment.
OUTPUTS: Mapping[JobKind, Callable[[Mapping[str, Any]], str]] = {
    TUNING_JOB: lambda job: str(job["TrainingJobDefinition"]["OutputDataConfig"]["S3OutputPath"]),
    TRAINING_JOB: lambda job: str(job["OutputDataConfig"]["S3OutputPath"]),
    TRANSFORM_JOBS.kind: lambda job: str(job["TransformOutput"]["S3OutputPath"]),
    PROCESSING_JOBS.kind: lambda job: f"s3://{bucket_of(job)}/",
}


@dataclass(frozen=True)
class RunningJob:
    """A running job: its kind, its description and the S3 address of its output."""

    kind: JobKind
    name: str
    arn: str
    output: str

    @property
    def words(self) -> str:
        return self.kind.words.capitalize()


def stop_orphaned_jobs(sagemaker: "SageMakerClient", *, bucket: str, status_of: TaskStatusOf) -> list[str]:
    """Stop the jobs of this bucket whose task no longer waits for them; return their names.

    A job whose task does not exist in this Airflow may belong to another one: it is logged and left to its time limit.
    """
    return [
        job.name
        for job in _running_jobs(sagemaker)
        if job.output.startswith(f"s3://{bucket}/")
        and _is_orphaned(sagemaker, job, status_of=status_of)
        and job.kind.stop_orphaned(sagemaker, job.name, why=WHY)
    ]


def _running_jobs(sagemaker: "SageMakerClient") -> Iterator[RunningJob]:
    """Yield tuning jobs before training jobs: a tuning job that is stopped ends its own training jobs.

    The training jobs of a tuning job are left to it: they have the tags of the task that started the tuning job, which
    another task may have adopted.
    """
    for kind, output_of in OUTPUTS.items():
        for job in kind.running(sagemaker):
            if "TuningJobArn" not in job:
                yield RunningJob(kind, job[kind.name_key], kind.arn_of(job), output_of(job))


def _is_orphaned(sagemaker: "SageMakerClient", job: RunningJob, *, status_of: TaskStatusOf) -> bool:
    owner = owners.owner_of(owners.tags_of_arn(sagemaker, job.arn))
    if owner is None:
        log.warning("%s %s runs, and its tags name no task: nothing is done about it", job.words, job.name)
        return False
    status = status_of(owner)
    if status == "unknown":
        log.warning(
            "%s %s runs for %s, which this Airflow does not know: it is left alone",
            job.kind.words.capitalize(),
            job.name,
            owner,
        )
    else:
        log.info("%s %s runs for %s, which is %s", job.words, job.name, owner, status)
    return status == "over"
