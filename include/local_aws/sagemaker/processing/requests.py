"""Checks a CreateProcessingJob request, and makes the document of its job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.sagemaker.processing.kind import PROCESSING_JOB
from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.protocol.errors import ServiceError

DEFAULT_MAX_RUNTIME_S = 86_400
LOCAL_ROOT = "/opt/ml/processing/"


def check(request: Document) -> None:
    """Refuse what AWS refuses, and what only AWS can do.

    Raises:
        ServiceError: names the member and what was found.

    """
    if "ContainerEntrypoint" in request["AppSpecification"]:
        raise _unsupported("ContainerEntrypoint")
    _check_cluster(request["ProcessingResources"]["ClusterConfig"])
    inputs, outputs = request.get("ProcessingInputs", []), outputs_of(request)
    _check_names([item["InputName"] for item in inputs] + [item["OutputName"] for item in outputs])
    for item in inputs:
        _check_input(item)
    for item in outputs:
        _check_output(item)


def new_job(request: Document, *, arn: str, now: float) -> Document:
    """Return the first document of the job, as DescribeProcessingJob shows it."""
    job = {key: value for key, value in request.items() if key != "Tags"}
    job["StoppingCondition"] = {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_S} | request.get("StoppingCondition", {})
    job["ProcessingResources"] = {"ClusterConfig": {"InstanceCount": 1} | cluster_of(request)}
    job |= {"ProcessingJobArn": arn, "CreationTime": now}
    PROCESSING_JOB.enter(job, "InProgress", now=now)
    return job


def cluster_of(request: Document) -> Document:
    """Return the ClusterConfig of a request or a job."""
    cluster: Document = request["ProcessingResources"]["ClusterConfig"]
    return cluster


def outputs_of(request: Document) -> list[Document]:
    """Return the outputs of a request or a job."""
    outputs: list[Document] = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return outputs


def brought_inputs(request: Document) -> list[Document]:
    """Return the S3Inputs that SageMaker downloads; the program fetches the others itself."""
    return [item["S3Input"] for item in request.get("ProcessingInputs", []) if not item.get("AppManaged")]


def sent_outputs(request: Document) -> list[Document]:
    """Return the S3Outputs that SageMaker uploads; the program sends the others itself."""
    return [item["S3Output"] for item in outputs_of(request) if not item.get("AppManaged")]


def _check_cluster(cluster: Document) -> None:
    if "InstancePreferences" in cluster:
        raise _unsupported("InstancePreferences")
    if "InstanceType" not in cluster:
        raise validation_error("ClusterConfig needs InstanceType.")


def _check_names(names: list[str]) -> None:
    if len(names) != len(set(names)):
        raise validation_error(f"The names of inputs and outputs must be unique; found {', '.join(names)}.")


def _check_input(item: Document) -> None:
    if item.get("AppManaged"):
        return
    name = item["InputName"]
    if "DatasetDefinition" in item:
        raise _unsupported(f"DatasetDefinition (input {name})")
    source = item.get("S3Input")
    if source is None:
        raise validation_error(f"Input {name} needs S3Input.")
    _check_local_path(source, what=f"input {name}")
    mode = source.get("S3InputMode", "File")
    if mode != "File":
        raise _unsupported(f"S3InputMode {mode} (input {name})")
    if source.get("S3CompressionType", "None") != "None":
        raise validation_error(f"S3CompressionType Gzip can only be used with S3InputMode Pipe (input {name}).")


def _check_output(item: Document) -> None:
    name = item["OutputName"]
    if item.get("AppManaged"):
        return
    if "FeatureStoreOutput" in item:
        raise validation_error(f"FeatureStoreOutput is only supported with AppManaged (output {name}).")
    if "S3Output" not in item:
        raise validation_error(f"Output {name} needs S3Output.")
    _check_local_path(item["S3Output"], what=f"output {name}")


def _check_local_path(place: Document, *, what: str) -> None:
    path = place.get("LocalPath", "")
    if not path.startswith(LOCAL_ROOT) or ".." in path.split("/"):
        raise validation_error(
            f"LocalPath must be an absolute path below {LOCAL_ROOT}; found {path or 'none'} ({what})."
        )


def _unsupported(what: str) -> ServiceError:
    return validation_error(f"This local SageMaker does not have {what}; AWS does.")
