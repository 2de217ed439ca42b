"""Starts, describes, lists and stops training jobs, and returns the result of an ended one."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from image_classifier.aws.jobs.kinds import TRAINING_JOB
from image_classifier.aws.names import is_training_job
from image_classifier.aws.s3 import object_exists
from image_classifier.train.ends import end_of
from image_classifier.train.starting import start_job

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

MARGIN_S = 3600  # a job's time limit includes neither the start of its instances nor the upload of the model


def start_training_job(
    sagemaker: "SageMakerClient", requests: Sequence[Mapping[str, Any]]
) -> Literal["started", "adopted"]:
    """Create the job with the first instance type that the account's quotas allow.

    A job of this name that exists by now was created by another try of the same task, and is adopted.

    Raises:
        TrainingInputError: AWS refuses the request; nothing was created.
        TrainingServiceError: every quota is reached, or AWS has a transient error.

    """
    advice = "Ask AWS for a higher quota, or name other instance_type_fallbacks."
    return start_job(sagemaker, requests, kind=TRAINING_JOB, machines=machine_of, advice=advice)


def machine_of(job: Mapping[str, Any]) -> str:
    """Return the instances of a job or a request as text: "2 x ml.g4dn.xlarge (spot)"."""
    resources = job["ResourceConfig"]
    count = f"{resources['InstanceCount']} x " if resources.get("InstanceCount", 1) > 1 else ""
    return f"{count}{resources['InstanceType']}{' (spot)' if job.get('EnableManagedSpotTraining') else ''}"


def describe_training_job(sagemaker: "SageMakerClient", name: str) -> Mapping[str, Any] | None:
    """Return DescribeTrainingJob's answer, or None if the job does not exist."""
    return TRAINING_JOB.describe(sagemaker, name)


def list_training_jobs_in_progress(sagemaker: "SageMakerClient", *, classifier: str) -> list[str]:
    """Return the names of this classifier's jobs that run or are being stopped, which still read its images."""
    found = TRAINING_JOB.names_in_progress(sagemaker, classifier=classifier)
    return sorted(name for name in found if is_training_job(name, classifier=classifier))


def deadline(job: Mapping[str, Any]) -> float:
    """Return the time (seconds since 1970) by which the job must have ended according to its own limits."""
    created: datetime = job["CreationTime"]
    limits = job["StoppingCondition"]
    limit_s: int = limits.get("MaxWaitTimeInSeconds", limits["MaxRuntimeInSeconds"])
    return created.timestamp() + limit_s + MARGIN_S


def training_result(
    job: Mapping[str, Any], *, outcome: Literal["started", "adopted", "reused"], attempt: int, best: float | None
) -> dict[str, Any]:
    """Return what later tasks and the report need, small enough for XCom.

    Times are in seconds. ``billable_s`` is the sum over all instances; ``spot_savings`` is the fraction (0 to 1) of the
    price that managed spot saved, or None without spot.
    """
    billable_s, seconds = (
        job.get("BillableTimeInSeconds"),
        job.get("TrainingTimeInSeconds"),
    )  # the training time of each instance
    resources, spot = job["ResourceConfig"], bool(job.get("EnableManagedSpotTraining"))
    return {
        "training_job": job["TrainingJobName"],
        "model_artifact": job["ModelArtifacts"]["S3ModelArtifacts"],
        "image": job["AlgorithmSpecification"]["TrainingImage"],
        "outcome": outcome,
        "ended": end_of(job),
        "attempt": attempt,
        "best_validation_accuracy": best,
        "instance_type": resources["InstanceType"],
        "instance_count": resources["InstanceCount"],
        "spot": spot,
        "billable_s": None if billable_s is None else billable_s * resources["InstanceCount"],
        "seconds": seconds,
        # AWS's formula, from BillableTimeInSeconds in DescribeTrainingJob's documentation
        "spot_savings": round(1 - billable_s / seconds, 4) if spot and seconds and billable_s is not None else None,
    }


def has_artifact(s3: "S3Client", job: Mapping[str, Any]) -> bool:
    """Return whether the job's model artifact is on S3; a job that was stopped early has none."""
    uri = urlsplit(job.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""))
    return bool(uri.netloc) and object_exists(s3, bucket=uri.netloc, key=uri.path.lstrip("/"))
