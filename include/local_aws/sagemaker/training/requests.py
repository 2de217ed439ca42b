"""What a CreateTrainingJob request must be for this server to carry it out, and the job that it becomes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from local_aws.sagemaker.protocol.errors import validation_error
from local_aws.sagemaker.training import progress

if TYPE_CHECKING:
    from local_aws.sagemaker.protocol.errors import ServiceError

Document = dict[str, Any]
DEFAULT_MAX_RUNTIME_S = 86_400
# What only describes or observes a job is accepted and shown again; what would change its result is refused by name.
UNSUPPORTED = ("RetryStrategy", "ServerlessJobConfig", "SessionChainingConfig", "MlflowConfig", "ModelPackageConfig")


def check(request: Document) -> None:
    """Refuse what AWS refuses, and what AWS can do and this server cannot, rather than do something else.

    Raises:
        ServiceError: names the member and what was found.

    """
    for name in UNSUPPORTED:
        if name in request:
            raise _unsupported(name)
    _check_resources(request)
    _check_algorithm(request.get("AlgorithmSpecification", {}))
    channels = request.get("InputDataConfig", [])
    names = [channel["ChannelName"] for channel in channels]
    if len(names) != len(set(names)):
        raise validation_error(f"Duplicate channel names in InputDataConfig: {', '.join(names)}.")
    for channel in channels:
        _check_channel(channel, default_mode=request["AlgorithmSpecification"]["TrainingInputMode"])
    _check_time(request)


def new_job(request: Document, *, arn: str, now: float) -> Document:
    """The job as DescribeTrainingJob shows it first."""
    job = {key: value for key, value in request.items() if key != "Tags"}
    job["StoppingCondition"] = {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_S} | request.get("StoppingCondition", {})
    job |= {"TrainingJobArn": arn, "CreationTime": now, "SecondaryStatusTransitions": [], "ModelArtifacts": {}}
    progress.enter(job, "Starting", now=now)
    return job


def _check_resources(request: Document) -> None:
    if "RoleArn" not in request or "OutputDataConfig" not in request:
        raise _unsupported("a job without RoleArn and OutputDataConfig")
    resources = request.get("ResourceConfig", {})
    if "InstanceType" not in resources:
        raise _unsupported("ResourceConfig without InstanceType")
    count = resources.get("InstanceCount", 1)
    if count != 1:
        raise validation_error(f"This local AWS trains on one instance; found InstanceCount {count}.")


def _check_algorithm(algorithm: Document) -> None:
    if "TrainingImage" not in algorithm:
        raise _unsupported("AlgorithmSpecification without TrainingImage")
    for definition in algorithm.get("MetricDefinitions", []):
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            name, regex = definition["Name"], definition["Regex"]
            raise validation_error(
                f"The Regex of metric {name} is no regular expression: {regex} ({error})."
            ) from error


def _check_channel(channel: Document, *, default_mode: str) -> None:
    source = channel["DataSource"].get("S3DataSource")
    if source is None:
        raise _unsupported(f"a channel without S3DataSource (channel {channel['ChannelName']})")
    found = {
        "S3DataType": (source["S3DataType"], "S3Prefix"),
        "InputMode": (channel.get("InputMode", default_mode), "File"),
        "CompressionType": (channel.get("CompressionType", "None"), "None"),
        "RecordWrapperType": (channel.get("RecordWrapperType", "None"), "None"),
    }
    for member, (value, supported) in found.items():
        if value != supported:
            raise _unsupported(f"{member} {value} (channel {channel['ChannelName']})")


def _check_time(request: Document) -> None:
    stopping = request.get("StoppingCondition", {})
    max_wait_s = stopping.get("MaxWaitTimeInSeconds")
    if request.get("EnableManagedSpotTraining"):
        if max_wait_s is None or max_wait_s < stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_S):
            raise validation_error(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    elif max_wait_s is not None:
        raise validation_error("MaxWaitTimeInSeconds is only accepted with EnableManagedSpotTraining.")


def _unsupported(what: str) -> ServiceError:
    return validation_error(f"This local SageMaker does not have {what}; AWS does.")
