"""Stops training, tuning and transform jobs that run although their task is over: they cost without a use."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from image_classifier.aws.names import PREFIX
from image_classifier.evaluate import transform_jobs
from image_classifier.train import owners, training_jobs
from image_classifier.train.tuning import tuning_jobs

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

TaskStatus = Literal["wanted", "over", "unknown"]  # over: no try of the task follows; unknown: not to this Airflow
TaskStatusOf = Callable[[owners.Owner], TaskStatus]
WHY = "its task is over"


@dataclass(frozen=True)
class RunningJob:
    """A job that runs now: what it is called, where its output goes, and how it is stopped."""

    words: str
    name: str
    arn: str
    output: str
    stop: Callable[[], bool]


def stop_orphaned_jobs(sagemaker: "SageMakerClient", *, bucket: str, status_of: TaskStatusOf) -> list[str]:
    """Stop the jobs of this bucket whose task no longer waits for them; return their names.

    A job whose task Airflow does not know may belong to another Airflow: it is logged and left to its time limit.
    """
    return [
        job.name
        for job in _running_jobs(sagemaker)
        if job.output.startswith(f"s3://{bucket}/") and _is_orphaned(sagemaker, job, status_of=status_of) and job.stop()
    ]


def _running_jobs(sagemaker: "SageMakerClient") -> Iterator[RunningJob]:
    """Yield tuning jobs before training jobs: a tuning job that is stopped ends its own training jobs."""
    yield from _tuning_jobs(sagemaker)
    yield from _training_jobs(sagemaker)
    yield from _transform_jobs(sagemaker)


def _tuning_jobs(sagemaker: "SageMakerClient") -> Iterator[RunningJob]:
    for job in tuning_jobs.tuning_jobs_in_progress(sagemaker):
        if job["HyperParameterTuningJobStatus"] == "InProgress":
            name = job["HyperParameterTuningJobName"]
            yield RunningJob(
                "Tuning job",
                name,
                job["HyperParameterTuningJobArn"],
                job["TrainingJobDefinition"]["OutputDataConfig"]["S3OutputPath"],
                partial(tuning_jobs.stop_orphaned_tuning_job, sagemaker, name, why=WHY),
            )


def _training_jobs(sagemaker: "SageMakerClient") -> Iterator[RunningJob]:
    """Yield those that a task started; those that a tuning job started carry the tags of its first owner."""
    pages = sagemaker.get_paginator("list_training_jobs").paginate(NameContains=PREFIX, StatusEquals="InProgress")
    names = [job["TrainingJobName"] for page in pages for job in page["TrainingJobSummaries"]]
    for name in names:
        job = training_jobs.describe_training_job(sagemaker, name) if name.startswith(PREFIX) else None
        if job is not None and "TuningJobArn" not in job:
            yield RunningJob(
                "Training job",
                name,
                job["TrainingJobArn"],
                job["OutputDataConfig"]["S3OutputPath"],
                partial(training_jobs.stop_orphaned_job, sagemaker, name, why=WHY),
            )


def _transform_jobs(sagemaker: "SageMakerClient") -> Iterator[RunningJob]:
    pages = sagemaker.get_paginator("list_transform_jobs").paginate(NameContains=PREFIX, StatusEquals="InProgress")
    names = [job["TransformJobName"] for page in pages for job in page["TransformJobSummaries"]]
    for name in names:
        job = transform_jobs.describe_transform_job(sagemaker, name) if name.startswith(PREFIX) else None
        if job is not None:
            yield RunningJob(
                "Transform job",
                name,
                job["TransformJobArn"],
                job["TransformOutput"]["S3OutputPath"],
                partial(transform_jobs.stop_orphaned_transform_job, sagemaker, name, why=WHY),
            )


def _is_orphaned(sagemaker: "SageMakerClient", job: RunningJob, *, status_of: TaskStatusOf) -> bool:
    owner = owners.owner_of(owners.tags_of_arn(sagemaker, job.arn))
    if owner is None:
        log.warning("%s %s runs, and its tags name no task: nothing is done about it", job.words, job.name)
        return False
    status = status_of(owner)
    if status == "unknown":
        log.warning("%s %s runs for %s, which this Airflow does not know: it is left alone", job.words, job.name, owner)
    else:
        log.info("%s %s runs for %s, which is %s", job.words, job.name, owner, status)
    return status == "over"
