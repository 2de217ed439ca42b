"""Checks a CreateTrainingJob request, and makes the document of its job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from local_aws.sagemaker.protocol.errors import validation_error
from local_aws.sagemaker.training import progress
from local_aws.sagemaker.training.channels import input_mode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_aws.sagemaker.documents import Document, TrainingJob
    from local_aws.sagemaker.protocol.errors import ServiceError

DEFAULT_MAX_RUNTIME_S = 86_400
LONGEST_RUNTIME_S = 28 * 86_400
# Members that only describe or observe a job are accepted and returned; those that would change its result are refused.
DATA_TYPES = ("S3Prefix", "AugmentedManifestFile")
_MANIFEST_MODE = "AugmentedManifestFile can only be used if the Channel's input mode is Pipe"
UNSUPPORTED = ("ServerlessJobConfig", "SessionChainingConfig", "MlflowConfig", "ModelPackageConfig")
UNSUPPORTED_IMAGE = ("ContainerEntrypoint", "ContainerArguments")
CHECKPOINTS = "/opt/ml/checkpoints"
# What DescribeTrainingJob shows of members that the request left out.
SHOWN: Document = {
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "EnableManagedSpotTraining": False,
    "ProfilingStatus": "Disabled",
}
SHOWN_OUTPUT = {"KmsKeyId": "", "CompressionType": "GZIP"}
SHOWN_CHANNEL = {"CompressionType": "None", "RecordWrapperType": "None"}
SHOWN_ALGORITHM = {"EnableSageMakerMetricsTimeSeries": False}


def check(request: Document) -> None:
    """Refuse what AWS refuses, and what only AWS can do.

    Raises:
        ServiceError: names the member and what was found.

    """
    for name in UNSUPPORTED:
        if name in request:
            raise _unsupported(name)
    _check_output(request)
    _check_resources(request)
    _check_algorithm(request.get("AlgorithmSpecification", {}))
    channels = request.get("InputDataConfig", [])
    names = [channel["ChannelName"] for channel in channels]
    if len(names) != len(set(names)):
        raise validation_error(f"Duplicate channel names in InputDataConfig: {', '.join(names)}.")
    for channel in channels:
        _check_channel(channel, mode=input_mode(channel, job=request))
    _check_time(request)


def new_job(request: Document, *, arn: str, now: float, metric_definitions: Sequence[Document] = ()) -> Document:
    """Return the first document of the job, for DescribeTrainingJob; `metric_definitions` are the image's.

    AWS shows values for some members that the request left out, and no `ModelArtifacts` before there is an artifact.
    """
    job = SHOWN | {key: value for key, value in request.items() if key != "Tags"}
    job["StoppingCondition"] = {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_S} | request.get("StoppingCondition", {})
    job["OutputDataConfig"] = SHOWN_OUTPUT | request.get("OutputDataConfig", {})
    if "InputDataConfig" in request:
        job["InputDataConfig"] = [SHOWN_CHANNEL | channel for channel in request["InputDataConfig"]]
    algorithm = SHOWN_ALGORITHM | request["AlgorithmSpecification"]
    if definitions := [*metric_definitions, *algorithm.get("MetricDefinitions", [])]:
        algorithm["MetricDefinitions"] = definitions
    job |= {"AlgorithmSpecification": algorithm, "TrainingJobArn": arn, "CreationTime": now}
    job["SecondaryStatusTransitions"] = []
    progress.enter(cast("TrainingJob", job), "Starting", now=now)
    return job


def _check_resources(request: Document) -> None:
    if "RoleArn" not in request or "OutputDataConfig" not in request:
        raise _unsupported("a job without RoleArn and OutputDataConfig")
    resources = request.get("ResourceConfig", {})
    if "InstanceType" not in resources:
        raise _unsupported("ResourceConfig without InstanceType")
    count = resources.get("InstanceCount", 1)
    if count < 1:
        raise validation_error(f"A training job needs an instance; found InstanceCount {count}.")


def _check_output(request: Document) -> None:
    compression = request.get("OutputDataConfig", {}).get("CompressionType", "GZIP")
    if compression != "GZIP":
        raise _unsupported(f"CompressionType {compression} of OutputDataConfig")
    path = request.get("CheckpointConfig", {}).get("LocalPath", CHECKPOINTS)
    if path.rstrip("/") != CHECKPOINTS:
        raise _unsupported(f"LocalPath {path} of CheckpointConfig")


def _check_algorithm(algorithm: Document) -> None:
    if "TrainingImage" in algorithm and "AlgorithmName" in algorithm:
        raise validation_error("AlgorithmSpecification has either an AlgorithmName or a TrainingImage; found both.")
    if "TrainingImage" not in algorithm:
        raise _unsupported("AlgorithmSpecification without TrainingImage")
    for name in UNSUPPORTED_IMAGE:
        if name in algorithm:
            raise _unsupported(name)
    for definition in algorithm.get("MetricDefinitions", []):
        try:
            re.compile(definition["Regex"])
        except re.error as error:
            name, regex = definition["Name"], definition["Regex"]
            raise validation_error(
                f"The Regex of metric {name} is not a regular expression: {regex} ({error})."
            ) from error


def _check_channel(channel: Document, *, mode: str) -> None:
    name, source = channel["ChannelName"], channel["DataSource"].get("S3DataSource")
    if source is None:
        raise _unsupported(f"a channel without S3DataSource (channel {name})")
    data_type, compression = source["S3DataType"], channel.get("CompressionType", "None")
    if mode != "Pipe":
        _check_files(channel, mode=mode)
    if data_type not in DATA_TYPES:
        raise _unsupported(f"S3DataType {data_type} (channel {name})")
    if compression != "None":
        raise _unsupported(f"CompressionType {compression} (channel {name})")
    if data_type == "AugmentedManifestFile" and not source.get("AttributeNames"):
        raise validation_error(f"AttributeNames are required with S3DataType AugmentedManifestFile (channel {name}).")


def _check_files(channel: Document, *, mode: str) -> None:
    """Refuse members that AWS has in Pipe mode only."""
    name = channel["ChannelName"]
    if channel["DataSource"]["S3DataSource"]["S3DataType"] == "AugmentedManifestFile":
        raise validation_error(f"{_MANIFEST_MODE}; channel {name} has {mode}.")
    for noun, member in (("compression type", "CompressionType"), ("record wrapper type", "RecordWrapperType")):
        value = channel.get(member, "None")
        if value != "None":
            raise validation_error(
                f"Invalid {noun} for channel {name}: {mode} mode only supports NONE, got {value} instead"
            )


def _check_time(request: Document) -> None:
    stopping = request.get("StoppingCondition", {})
    max_wait_s = stopping.get("MaxWaitTimeInSeconds")
    if stopping.get("MaxRuntimeInSeconds", 0) > LONGEST_RUNTIME_S:
        found = stopping["MaxRuntimeInSeconds"]
        raise validation_error(f"MaxRuntimeInSeconds is at most {LONGEST_RUNTIME_S}, which are 28 days; found {found}.")
    if request.get("EnableManagedSpotTraining"):
        if request.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds"):
            raise validation_error("KeepAlivePeriodInSeconds is not accepted with EnableManagedSpotTraining.")
        if max_wait_s is None or max_wait_s < stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_S):
            raise validation_error(
                "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds"
            )
    elif max_wait_s is not None:
        raise validation_error("MaxWaitTimeInSeconds is only accepted with EnableManagedSpotTraining.")


def _unsupported(what: str) -> ServiceError:
    return validation_error(f"This local SageMaker does not have {what}; AWS does.")
