"""Builds the request of a training job that starts from the live model, if the algorithm's contract allows it.

The contract: the parent comes from the same algorithm, and has the same num_layers, image_shape and num_classes.
Source: docs.aws.amazon.com/sagemaker/latest/dg/image-classification.html, "Incremental Training".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import incremental_job_name
from image_classifier.train.training_jobs import describe_training_job, has_artifact

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_sagemaker import SageMakerClient

MODEL_CONTENT_TYPE = "application/x-sagemaker-model"
FIXED = ("num_layers", "image_shape", "num_classes")


@dataclass(frozen=True)
class Start:
    """The request of the first attempt, and a sentence that says what the training starts from."""

    request: dict[str, Any]
    sentence: str


def from_champion(
    sagemaker: "SageMakerClient", s3: "S3Client", request: Mapping[str, Any], *, champion: str | None
) -> Start:
    """Return the training job's request with the live model in the channel ``model``, if that is possible.

    The job's name differs from that of a job that starts from nothing, and does not depend on the parent. So an
    existing job with these images and settings is found, and an unchanged run trains nothing although another model is
    live.

    Args:
        sagemaker: the client.
        s3: the client that checks for the parent's artifact.
        request: CreateTrainingJob's request of a job that starts from nothing.
        champion: training job of the live model, if there is one.

    """
    plain, name = dict(request), incremental_job_name(request["TrainingJobName"])
    if made := describe_training_job(sagemaker, name):
        return Start(_with_parent(plain, name, artifact=_parent_of(made)), f"{name} has started from a model.")
    if describe_training_job(sagemaker, request["TrainingJobName"]):
        return Start(plain, "These images and settings were trained before, from nothing.")
    if champion is None:
        return Start(plain, "Training starts from nothing: no model serves.")
    parent = describe_training_job(sagemaker, champion)
    if parent is None or not has_artifact(s3, parent):
        return Start(plain, f"Training starts from nothing: the model of {champion}, which serves, is gone.")
    if problems := why_not(request, parent):
        return Start(plain, f"Training starts from nothing, not from {champion}: {' '.join(problems)}")
    artifact = parent["ModelArtifacts"]["S3ModelArtifacts"]
    return Start(_with_parent(plain, name, artifact=artifact), f"Training starts from {champion}, which serves.")


def why_not(request: Mapping[str, Any], parent: Mapping[str, Any]) -> list[str]:
    """Return the reasons why the contract forbids to continue from the parent, a described training job."""
    ours, theirs = request["HyperParameters"], parent.get("HyperParameters", {})
    differing = [name for name in FIXED if ours.get(name) != theirs.get(name)]
    problems = [f"{name} is {ours.get(name)}, and was {theirs.get(name)}." for name in differing]
    image, before = (one["AlgorithmSpecification"]["TrainingImage"] for one in (request, parent))
    if _repository(image) != _repository(before):
        problems.append(f"The algorithm is {_repository(image)}, and was {_repository(before)}.")
    return problems


def _with_parent(request: dict[str, Any], name: str, *, artifact: str) -> dict[str, Any]:
    source = {"S3DataType": "S3Prefix", "S3Uri": artifact, "S3DataDistributionType": "FullyReplicated"}
    channel = {
        "ChannelName": "model",
        "ContentType": MODEL_CONTENT_TYPE,
        "CompressionType": "None",
        "InputMode": "File",
        "DataSource": {"S3DataSource": source},
    }
    changed = {**request, "TrainingJobName": name, "InputDataConfig": [*request["InputDataConfig"], channel]}
    if "CheckpointConfig" in request:
        uri = request["CheckpointConfig"]["S3Uri"].replace(request["TrainingJobName"], name)
        changed["CheckpointConfig"] = {**request["CheckpointConfig"], "S3Uri": uri}
    return changed


def _parent_of(job: Mapping[str, Any]) -> str:
    channels = {channel["ChannelName"]: channel for channel in job["InputDataConfig"]}
    return str(channels["model"]["DataSource"]["S3DataSource"]["S3Uri"])


def _repository(image: str) -> str:
    """Return the repository of an image URI: ``own`` of ``1.dkr.ecr.us-east-1.amazonaws.com/own:1``."""
    return image.partition("/")[2].partition("@")[0].rpartition(":")[0] or image
