"""Training jobs: which attempt to start, adopt or reuse, and what a job's end means.

The request is in training_request.py, the log in training_log.py; what others need of them is named here.
"""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from image_classifier.errors import TrainingError, TrainingInputError, TrainingServiceError, TrainingStoppedError
from image_classifier.names import PREFIX
from image_classifier.resources.objects import object_exists
from image_classifier.resources.refusals import described, exists_already, is_absent, is_invalid, is_limit, sentence
from image_classifier.resources.training_log import (
    LOG_GROUP,
    START,
    Cursor,
    Metric,
    best_validation_accuracy,
    log_events,
    parse_metrics,
)
from image_classifier.resources.training_request import TrainingData, training_job_request

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

__all__ = [
    "LOG_GROUP",
    "START",
    "Attempt",
    "Cursor",
    "Metric",
    "TrainingData",
    "best_validation_accuracy",
    "check_completed",
    "deadline",
    "describe_training_job",
    "is_finished",
    "list_training_jobs_in_progress",
    "log_events",
    "parse_metrics",
    "plan_attempt",
    "start_training_job",
    "stop_training_job",
    "training_job_request",
    "training_result",
]

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 99  # a name has room for two digits
MARGIN_S = 3600  # a job's time limit counts neither its machines' start nor the upload of the model
FINISHED = ("Completed", "Failed", "Stopped")


@dataclass(frozen=True)
class Attempt:
    """What is to be done so that there is a model: start this request, wait for a job under way, or take its model."""

    action: Literal["start", "adopt", "reuse"]
    request: Mapping[str, Any]

    @property
    def job_name(self) -> str:
        return str(self.request["TrainingJobName"])


def plan_attempt(sagemaker: "SageMakerClient", request: Mapping[str, Any], *, s3: "S3Client | None" = None) -> Attempt:
    """Find the first attempt that is worth something, or the first that was never made: nothing is paid for twice.

    With `s3`, a completed job counts only while its model artifact exists.

    Raises:
        TrainingError: there were too many attempts to name another.

    """
    for number in range(1, MOST_ATTEMPTS + 1):
        attempt = for_attempt(request, number)
        job = describe_training_job(sagemaker, attempt["TrainingJobName"])
        if job is None:
            return Attempt("start", attempt)
        if job["TrainingJobStatus"] in ("InProgress", "Stopping"):
            return Attempt("adopt", attempt)
        if job["TrainingJobStatus"] == "Completed" and (s3 is None or _has_artifact(s3, job)):
            return Attempt("reuse", attempt)
    name = request["TrainingJobName"]
    message = f"Training job {name} ended without a model {MOST_ATTEMPTS} times; run again with force_retrain."
    raise TrainingError(message)


def for_attempt(request: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The same request under the name of attempt `number`, with checkpoints of its own."""
    first = str(request["TrainingJobName"])
    if number == 1:
        return dict(request)
    name = f"{first}-{number}"
    attempt = {**request, "TrainingJobName": name}
    if "CheckpointConfig" in request:
        uri = request["CheckpointConfig"]["S3Uri"].replace(f"/{first}/", f"/{name}/")
        attempt["CheckpointConfig"] = {**request["CheckpointConfig"], "S3Uri": uri}
    return attempt


def start_training_job(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Literal["started", "adopted"]:
    """Create the job; if it exists by now, another try of the same task created it, and it is ours.

    Raises:
        TrainingInputError: AWS refuses the request; nothing was created.
        TrainingServiceError: the account's quota is reached; it may be free again later.

    """
    name = request["TrainingJobName"]
    try:
        sagemaker.create_training_job(**request)
    except ClientError as error:
        if exists_already(error):
            return "adopted"
        if is_limit(error):
            message = f"Training job {name} was not created: {sentence(error)} Ask AWS for more, or retry later."
            raise TrainingServiceError(message) from error
        if is_invalid(error):
            message = f"Training job {name} was not created, AWS refuses the request: {sentence(error)}"
            raise TrainingInputError(message) from error
        raise
    log.info("Training job %s created", name)
    return "started"


def stop_training_job(sagemaker: "SageMakerClient", name: str) -> bool:
    """Stop the job; False if there is nothing to stop, because it has ended or never was."""
    try:
        sagemaker.stop_training_job(TrainingJobName=name)
    except ClientError as error:
        if is_absent(error) or is_invalid(error):  # "... rejected because the training job is in status Completed"
            return False
        raise
    log.info("Training job %s is being stopped", name)
    return True


def describe_training_job(sagemaker: "SageMakerClient", name: str) -> Mapping[str, Any] | None:
    """DescribeTrainingJob's answer, or None if there is no such job."""
    return described(lambda: sagemaker.describe_training_job(TrainingJobName=name))


def list_training_jobs_in_progress(sagemaker: "SageMakerClient", *, classifier: str) -> list[str]:
    """Names of this classifier's jobs that still run or are being stopped; its images must stay until they end."""
    pages = sagemaker.get_paginator("list_training_jobs")
    found = [
        job["TrainingJobName"]
        for status in ("InProgress", "Stopping")
        for page in pages.paginate(NameContains=f"{PREFIX}{classifier}-", StatusEquals=status)
        for job in page["TrainingJobSummaries"]
    ]
    # "cat" must not find the jobs of "cat-breeds": after the name come two hashes, and perhaps a number.
    ours = re.compile(rf"{PREFIX}{re.escape(classifier)}-[0-9a-f]{{8}}-[0-9a-f]{{8}}(-[0-9]+)?")
    return sorted({name for name in found if ours.fullmatch(name)})


def is_finished(job: Mapping[str, Any]) -> bool:
    return job["TrainingJobStatus"] in FINISHED


def deadline(job: Mapping[str, Any]) -> float:
    """When, in seconds since 1970, the job must have ended by its own limits; later, something is wrong with it."""
    created: datetime = job["CreationTime"]
    limits = job["StoppingCondition"]
    limit_s: int = limits.get("MaxWaitTimeInSeconds", limits["MaxRuntimeInSeconds"])
    return created.timestamp() + limit_s + MARGIN_S


def check_completed(job: Mapping[str, Any]) -> None:
    """Nothing if the job completed.

    Raises:
        TrainingInputError: the algorithm refused its input, or failed on it.
        TrainingServiceError: AWS failed, or had no capacity.
        TrainingStoppedError: a person, or the time limit, stopped the job.
        TrainingError: the job ended in a way that AWS does not document.

    """
    name, status = job["TrainingJobName"], job["TrainingJobStatus"]
    if status == "Completed":
        return
    if status in ("Stopped", "Stopping"):
        why = job.get("SecondaryStatus", status)
        limit = job.get("StoppingCondition", {}).get("MaxRuntimeInSeconds")
        message = f"Training job {name} was stopped ({why}, time limit {limit} s); raise time_limit_s, or run again."
        raise TrainingStoppedError(message)
    reason = job.get("FailureReason", "no reason given")
    raise _failure_of(reason)(f"Training job {name} is {status}: {reason}")


def training_result(
    job: Mapping[str, Any], *, outcome: Literal["started", "adopted", "reused"], best: float | None
) -> dict[str, Any]:
    """What the tasks after training need, small enough for XCom."""
    billable_s = job.get("BillableTimeInSeconds")  # of each machine
    return {
        "training_job": job["TrainingJobName"],
        "model_artifact": job["ModelArtifacts"]["S3ModelArtifacts"],
        "image": job["AlgorithmSpecification"]["TrainingImage"],
        "outcome": outcome,
        "best_validation_accuracy": best,
        "billable_s": None if billable_s is None else billable_s * job["ResourceConfig"]["InstanceCount"],
        "seconds": job.get("TrainingTimeInSeconds"),
    }


def _has_artifact(s3: "S3Client", job: Mapping[str, Any]) -> bool:
    uri = urlsplit(job["ModelArtifacts"]["S3ModelArtifacts"])
    return object_exists(s3, bucket=uri.netloc, key=uri.path.lstrip("/"))


def _failure_of(reason: str) -> type[TrainingError]:
    """SageMaker puts the kind of a failure before its sentence."""
    if reason.startswith(("ClientError", "AlgorithmError")):
        return TrainingInputError
    if reason.startswith(("InternalServerError", "Capacity")):
        return TrainingServiceError
    return TrainingError
