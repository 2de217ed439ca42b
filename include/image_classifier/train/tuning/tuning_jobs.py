"""Plans, starts, describes, lists and stops tuning jobs, and checks how they ended."""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from image_classifier.aws.jobs.kinds import TUNING_JOB
from image_classifier.aws.jobs.owners import owner_of, tags_of_arn
from image_classifier.aws.names import PREFIX, TAG, is_tuning_job, tuning_job_name
from image_classifier.contracts.errors import (
    TrainingError,
    TrainingInputError,
    TrainingServiceError,
    TrainingStoppedError,
)
from image_classifier.train.ends import NO_CAPACITY
from image_classifier.train.starting import start_job
from image_classifier.train.training_jobs import MARGIN_S, describe_training_job, has_artifact, machine_of
from image_classifier.train.tuning.request import name_spec

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 20
PASSING = ("InternalServerError", *NO_CAPACITY)  # failure reasons after which the same tuning job may succeed


@dataclass(frozen=True)
class Attempt:
    """The next step: start a tuning job, adopt a running one, wait for a stopping one, or reuse the models of one."""

    action: Literal["start", "adopt", "await", "reuse"]
    request: Mapping[str, Any]

    @property
    def job_name(self) -> str:
        return str(self.request["HyperParameterTuningJobName"])


def plan_attempt(
    sagemaker: "SageMakerClient",
    request: Mapping[str, Any],
    *,
    s3: "S3Client",
    classifier: str,
    training_job: str,
    only_of_run: tuple[str, str] | None = None,
) -> Attempt:
    """Return the next attempt; nothing is changed, so that a plan may call it too.

    Args:
        sagemaker: the client; it only describes.
        request: the request of the first attempt.
        s3: a completed tuning job counts only while its best model's artifact exists.
        classifier: the classifier's name, which is part of the jobs' names.
        training_job: the training job with the file's settings, from which the names are computed.
        only_of_run: a Dag's and a run's id: only attempts of that run count, so the run gets its own job.

    Raises:
        TrainingInputError: the last attempt failed; the same ranges would fail, and cost, again.
        TrainingError: there were too many attempts.

    """
    for number in range(1, MOST_ATTEMPTS + 1):
        spec = name_spec({"TrainingJobName": training_job}, request["HyperParameterTuningJobConfig"], number=number)
        named = {**request, "HyperParameterTuningJobName": tuning_job_name(classifier, spec)}
        job = describe_tuning_job(sagemaker, named["HyperParameterTuningJobName"])
        if job is None:
            return Attempt("start", named)
        if only_of_run is not None and run_of(sagemaker, job) != only_of_run:
            continue
        status = job["HyperParameterTuningJobStatus"]
        if status in ("InProgress", "Stopping"):
            return Attempt("adopt" if status == "InProgress" else "await", named)
        if status == "Completed" and has_best_model(sagemaker, job, s3=s3):
            return Attempt("reuse", named)
        if failed_for_its_input(job):
            check_completed(job)
    raise TrainingError(
        f"{MOST_ATTEMPTS} tuning jobs with these images, settings and ranges left no model; change one of them."
    )


def has_best_model(sagemaker: "SageMakerClient", job: Mapping[str, Any], *, s3: "S3Client") -> bool:
    """Return whether the artifact of the tuning job's best model exists on S3; a teardown may have deleted it."""
    best = job.get("BestTrainingJob", {}).get("TrainingJobName")
    training = describe_training_job(sagemaker, best) if best else None
    return training is not None and has_artifact(s3, training)


def start_tuning_job(
    sagemaker: "SageMakerClient", requests: Sequence[Mapping[str, Any]]
) -> Literal["started", "adopted"]:
    """Create the job with the first instance type that the account's quotas allow.

    A job of this name that exists by now was created by another try of the same task, and is adopted.

    Raises:
        TrainingInputError: AWS refuses the request; nothing was created.
        TrainingServiceError: every quota is reached, or AWS has a transient error.

    """
    advice = "Lower tuning.max_parallel, or ask AWS for a higher quota."
    return start_job(sagemaker, requests, kind=TUNING_JOB, machines=_machines, advice=advice)


def _machines(request: Mapping[str, Any]) -> str:
    limits = request["HyperParameterTuningJobConfig"]["ResourceLimits"]
    machine = machine_of(request["TrainingJobDefinition"])
    return f"{machine}, at most {limits['MaxNumberOfTrainingJobs']} training jobs"


def describe_tuning_job(sagemaker: "SageMakerClient", name: str) -> Mapping[str, Any] | None:
    """Return DescribeHyperParameterTuningJob's answer, or None if the job does not exist."""
    return TUNING_JOB.describe(sagemaker, name)


def tuning_jobs_in_progress(sagemaker: "SageMakerClient") -> Iterator[Mapping[str, Any]]:
    """Yield the descriptions of the tuning jobs with names as ours, of every classifier, that have not ended."""
    pages = sagemaker.get_paginator("list_hyper_parameter_tuning_jobs")
    for status in ("InProgress", "Stopping"):
        for page in pages.paginate(NameContains=PREFIX, StatusEquals=status):
            for found in page["HyperParameterTuningJobSummaries"]:
                name = found["HyperParameterTuningJobName"]
                if is_tuning_job(name) and (job := describe_tuning_job(sagemaker, name)) is not None:
                    yield job


def list_tuning_jobs_in_progress(sagemaker: "SageMakerClient", *, classifier: str) -> list[str]:
    """Return the names of the tuning jobs with this classifier's tag that run or are being stopped."""
    return sorted(
        job["HyperParameterTuningJobName"]
        for job in tuning_jobs_in_progress(sagemaker)
        if tags_of_arn(sagemaker, job["HyperParameterTuningJobArn"]).get(TAG) == classifier
    )


def our_tuning_jobs(sagemaker: "SageMakerClient", *, classifier: str) -> list[str]:
    """Return the names of all tuning jobs of this classifier, in any status."""
    pages = sagemaker.get_paginator("list_hyper_parameter_tuning_jobs").paginate(NameContains=PREFIX)
    found = [job for page in pages for job in page["HyperParameterTuningJobSummaries"]]
    return [
        job["HyperParameterTuningJobName"]
        for job in found
        if is_tuning_job(job["HyperParameterTuningJobName"])
        and tags_of_arn(sagemaker, job["HyperParameterTuningJobArn"]).get(TAG) == classifier
    ]


def deadline(job: Mapping[str, Any]) -> float:
    """Return the time (seconds since 1970) by which the job must have ended according to its training jobs' limits."""
    created: datetime = job["CreationTime"]
    limits: Mapping[str, int] = job["HyperParameterTuningJobConfig"]["ResourceLimits"]
    rounds = math.ceil(limits["MaxNumberOfTrainingJobs"] / limits["MaxParallelTrainingJobs"])
    each = job["TrainingJobDefinition"]["StoppingCondition"]
    limit_s: int = each.get("MaxWaitTimeInSeconds", each["MaxRuntimeInSeconds"])
    return created.timestamp() + rounds * (limit_s + MARGIN_S)


def failed_for_its_input(job: Mapping[str, Any]) -> bool:
    """Return whether the job failed for a reason that would make the same job fail again."""
    reason = job.get("FailureReason", "")
    return job["HyperParameterTuningJobStatus"] == "Failed" and not any(words in reason for words in PASSING)


def check_completed(job: Mapping[str, Any]) -> None:
    """Check that the job completed.

    Raises:
        TrainingInputError: its training jobs failed.
        TrainingServiceError: AWS failed, or had no capacity.
        TrainingStoppedError: somebody stopped it.
        TrainingError: it ended in a way that AWS does not document.

    """
    name, status = job["HyperParameterTuningJobName"], job["HyperParameterTuningJobStatus"]
    reason = job.get("FailureReason", "AWS gives no reason.")
    if status == "Completed":
        return
    if status == "Stopped":
        raise TrainingStoppedError(f"Tuning job {name} was stopped by someone; run again to tune anew.")
    if failed_for_its_input(job):
        message = (
            f"Tuning job {name} failed: {reason} The training job with the file's own hyperparameters did not fail, so "
            "narrow tuning.ranges; the logs of the tuning job's training jobs say more."
        )
        raise TrainingInputError(message)
    if status == "Failed":
        raise TrainingServiceError(f"Tuning job {name} failed on AWS's side: {reason} It is tried again.")
    raise TrainingError(f"Tuning job {name} is {status}: {reason}")


def run_of(sagemaker: "SageMakerClient", job: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return the ids of the Dag and the run that started the job, or of the last run that adopted it while it ran."""
    owner = owner_of(tags_of_arn(sagemaker, job["HyperParameterTuningJobArn"]))
    return (owner.dag_id, owner.run_id) if owner else None
