"""Prepares what a container has on AWS: environment variables, folders below /opt/ml and time limits."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local_aws.sagemaker.aws import REGION, Aws

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document

SOURCES = Path(__file__).resolve().parents[2]  # where image_classification_algorithm is
# As in a container, a program has none of this machine's AWS, Airflow and deployment settings.
_HIDDEN_PREFIXES = ("AWS_", "LOCAL_AWS_", "AIRFLOW", "IMAGE_CLASSIFIER_", "SAGEMAKER_", "TRAINING_JOB_")

INSTANCE_GROUP = "homogeneousCluster"
# This machine does not resolve the names of a job's hosts, so they find each other by files in this folder.
HOSTS_FOLDER_VARIABLE = "SAGEMAKER_LOCAL_HOSTS_FOLDER"


@dataclass(frozen=True)
class Limits:
    """The time limits and the maximum numbers of resources."""

    stop_grace_s: float = 120.0
    ping_timeout_s: float = 120.0
    drain_s: float = 60.0
    training_instances: int = 4
    transform_instances: int = 4
    processing_instances: int = 4


def environment(base: Path, *, aws: Aws, given: dict[str, str], own: dict[str, str]) -> dict[str, str]:
    """Return a program's environment: /opt/ml at `base`, the credentials of `aws`, and `given`, the request's own."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_HIDDEN_PREFIXES)}
    platform = {
        "SAGEMAKER_BASE_DIR": str(base),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": aws.endpoint_url,
        **aws.credentials,
        "PYTHONUNBUFFERED": "1",  # lines reach CloudWatch at once
    }
    # The server's may be relative to its working directory, and the program has another one.
    path = os.pathsep.join([str(SOURCES), *filter(os.path.isabs, inherited.get("PYTHONPATH", "").split(os.pathsep))])
    return inherited | {"PYTHONPATH": path} | given | platform | own


def host_names(count: int) -> list[str]:
    """Return the host names of a training job, sorted as text, as SageMaker sorts them."""
    return sorted(f"algo-{number}" for number in range(1, count + 1))


def prepare_training(base: Path, *, job: Document, channels: dict[str, dict[str, str]], host: str) -> None:
    """Make the folders of one host and write the files of input/config that the container contract defines."""
    for folder in ("input/config", "input/data", "model", "output/data", "checkpoints"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    documents = {
        "hyperparameters": job.get("HyperParameters", {}),
        "inputdataconfig": channels,
        "resourceconfig": _resources(job["ResourceConfig"], host=host),
    }
    for name, document in documents.items():
        (base / "input" / "config" / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")


def prepare_processing(base: Path, *, job: Document, hosts: list[str], host: str) -> None:
    """Make the folders of one host and write the files of config that the container contract defines."""
    for folder in (base / "config", base / "output", base / "processing"):
        folder.mkdir(parents=True, exist_ok=True)
    documents = {"processingjobconfig": job, "resourceconfig": {"current_host": host, "hosts": hosts}}
    for name, document in documents.items():
        (base / "config" / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")


def _resources(given: Document, *, host: str) -> Document:
    hosts, instance_type = host_names(given.get("InstanceCount", 1)), given["InstanceType"]
    group = {"instance_group_name": INSTANCE_GROUP, "instance_type": instance_type, "hosts": hosts}
    return {
        "current_host": host,
        "current_instance_type": instance_type,
        "current_group_name": INSTANCE_GROUP,
        "hosts": hosts,
        "instance_groups": [group],
        "network_interface_name": "lo0" if sys.platform == "darwin" else "lo",
    }
