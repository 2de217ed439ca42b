"""The batch transform job that asks a model about the test images: request, attempts, start, stop, and its end."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from image_classifier.aws.client_errors import (
    described,
    exists_already,
    is_invalid,
    is_limit,
    is_transient,
    sentence,
    stop,
)
from image_classifier.aws.names import PREFIX, is_transform_job, transform_job_name
from image_classifier.classifier import Classifier
from image_classifier.classifier.request_parts import tag_list
from image_classifier.contracts.errors import EvaluationError, EvaluationInputError, EvaluationStoppedError
from image_classifier.train.owners import note_stop

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient

log = logging.getLogger(__name__)

FINISHED = ("Completed", "Failed", "Stopped")
MOST_ATTEMPTS = 20
LOG_GROUP = "/aws/sagemaker/TransformJobs"
CONTENT_TYPE = "application/x-image"
# What a job that failed for other reasons than its input says; the same job may succeed later.
PASSING = ("InternalServerError", "CapacityError", "Unable to provision requested ML compute capacity")


@dataclass(frozen=True)
class Attempt:
    """What is due so that the images are scored: start a job, adopt one, await the end of a stop, or reuse results."""

    action: Literal["start", "adopt", "await", "reuse"]
    request: Mapping[str, Any]

    @property
    def job_name(self) -> str:
        return str(self.request["TransformJobName"])


def transform_request(classifier: Classifier, *, model: str, manifest_uri: str, output_uri: str) -> dict[str, Any]:
    """CreateTransformJob's request for the first attempt; the same images and model give the same name.

    One request per object, which is one image (SplitType None, SingleRecord). How many are asked at once stays unset:
    the built-in algorithms answer /execution-parameters themselves.

    Args:
        classifier: whose.
        model: name of the SageMaker model.
        manifest_uri: of a manifest (S3DataType ManifestFile) of exactly the images to score.
        output_uri: prefix of the results, one ``.out`` object per image.

    """
    key = classifier.kms_keys.model_artifact
    source = {"S3DataType": "ManifestFile", "S3Uri": manifest_uri}
    spec = {
        "ModelName": model,
        "BatchStrategy": "SingleRecord",
        "TransformInput": {
            "DataSource": {"S3DataSource": source},
            "ContentType": CONTENT_TYPE,
            "CompressionType": "None",
            "SplitType": "None",
        },
        "TransformOutput": {"S3OutputPath": output_uri.rstrip("/"), **({"KmsKeyId": key} if key else {})},
        "TransformResources": {"InstanceType": classifier.evaluation.instance_type, "InstanceCount": 1},
    }
    return {"TransformJobName": transform_job_name(classifier.name, [spec, 1]), **spec, "Tags": tag_list(classifier)}


def plan_attempt(sagemaker: "SageMakerClient", request: Mapping[str, Any], *, classifier: str) -> Attempt:
    """Find out what is due; changes nothing.

    Raises:
        EvaluationInputError: the last attempt failed on the same images; another would cost the same.
        EvaluationError: there were too many attempts.

    """
    spec = {name: value for name, value in request.items() if name not in ("TransformJobName", "Tags")}
    for number in range(1, MOST_ATTEMPTS + 1):
        named = {**request, "TransformJobName": transform_job_name(classifier, [spec, number])}
        job = describe_transform_job(sagemaker, named["TransformJobName"])
        if job is None:
            return Attempt("start", named)
        status = job["TransformJobStatus"]
        if status in ("InProgress", "Stopping", "Completed"):
            actions: dict[str, Literal["adopt", "await", "reuse"]] = {"InProgress": "adopt", "Stopping": "await"}
            return Attempt(actions.get(status, "reuse"), named)
        if failed_for_its_input(job):
            check_completed(job)
    message = f"The images were scored {MOST_ATTEMPTS} times in vain, last by {named['TransformJobName']}; see its log."
    raise EvaluationError(message)


def start_transform_job(sagemaker: "SageMakerClient", request: Mapping[str, Any]) -> Literal["started", "adopted"]:
    """Create the job; one of the name that exists by now was created by another try of the same task.

    Raises:
        EvaluationInputError: AWS refuses the request; nothing was created.
        EvaluationError: a quota is reached, or AWS is not well; it may be well later.

    """
    name = request["TransformJobName"]
    try:
        sagemaker.create_transform_job(**request)
    except ClientError as error:
        if exists_already(error):
            return "adopted"
        if is_invalid(error):
            message = f"Transform job {name} was not created, AWS refuses the request: {sentence(error)}"
            raise EvaluationInputError(message) from error
        if is_limit(error) or is_transient(error):
            message = f"Transform job {name} was not created: {sentence(error)} The endpoint was not touched."
            raise EvaluationError(message) from error
        raise
    log.info("Transform job %s created on %s", name, request["TransformResources"]["InstanceType"])
    return "started"


def describe_transform_job(sagemaker: "SageMakerClient", name: str) -> Mapping[str, Any] | None:
    """DescribeTransformJob's answer, or None if there is no such job."""
    return described(lambda: sagemaker.describe_transform_job(TransformJobName=name))


def stop_transform_job(sagemaker: "SageMakerClient", name: str) -> bool:
    """Stop the job; return False if it has ended or does not exist."""
    return stop(lambda: sagemaker.stop_transform_job(TransformJobName=name), what=f"Transform job {name}")


def stop_orphaned_transform_job(sagemaker: "SageMakerClient", name: str, *, why: str) -> bool:
    """Stop the job because its task no longer waits for it, and tag it so; return False if it does not run.

    A task that adopted the job in the meantime finds the tag, and starts the next attempt instead of failing.
    """
    job = describe_transform_job(sagemaker, name)
    if job is None or job["TransformJobStatus"] != "InProgress":
        return False
    note_stop(sagemaker, job["TransformJobArn"], why=why)
    return stop_transform_job(sagemaker, name)


def list_transform_jobs_in_progress(sagemaker: "SageMakerClient", *, classifier: str) -> list[str]:
    """Names of this classifier's transform jobs that still run or are being stopped."""
    pages = sagemaker.get_paginator("list_transform_jobs")
    found = {
        job["TransformJobName"]
        for status in ("InProgress", "Stopping")
        for page in pages.paginate(NameContains=f"{PREFIX}{classifier}-", StatusEquals=status)
        for job in page["TransformJobSummaries"]
    }
    return sorted(name for name in found if is_transform_job(name, classifier=classifier))


def is_finished(job: Mapping[str, Any]) -> bool:
    return job["TransformJobStatus"] in FINISHED


def deadline(job: Mapping[str, Any], *, time_limit_s: int) -> float:
    """When, in seconds since 1970, the job is stopped: a transform job has no time limit of its own."""
    created: datetime = job["CreationTime"]
    return created.timestamp() + time_limit_s


def failed_for_its_input(job: Mapping[str, Any]) -> bool:
    """Whether the job failed in a way that another with the same images and model would."""
    return job["TransformJobStatus"] == "Failed" and not job.get("FailureReason", "").startswith(PASSING)


def check_completed(job: Mapping[str, Any]) -> None:
    """Refuse a job that did not end with results.

    Raises:
        EvaluationInputError: the model refused images, or SageMaker could not read them.
        EvaluationStoppedError: somebody stopped it; it has left no results.
        EvaluationError: AWS failed, or had no capacity.

    """
    name, status = job["TransformJobName"], job["TransformJobStatus"]
    reason = job.get("FailureReason", "AWS gives no reason.")
    machine = job.get("TransformResources", {}).get("InstanceType", "its machine")
    if status == "Stopped":
        message = (
            f"Transform job {name} was stopped and left no results; run this task again, which costs another job on "
            f"{machine}. The endpoint was not touched."
        )
        raise EvaluationStoppedError(message)
    if failed_for_its_input(job):
        message = (
            f"Transform job {name} failed: {reason} The endpoint was not touched. The same job would fail, and cost, "
            "again: see its log in /aws/sagemaker/TransformJobs."
        )
        raise EvaluationInputError(message)
    if status != "Completed":
        message = (
            f"Transform job {name} failed on AWS's side: {reason} The endpoint was not touched; it is tried again, "
            f"which costs another job on {machine}."
        )
        raise EvaluationError(message)
