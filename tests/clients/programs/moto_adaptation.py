"""A pytest plugin that lets moto's SageMaker tests call the local AWS instead of moto.

moto's tests name an account, roles, images and buckets that do not exist, leave out what AWS requires, and expect
that a job ends in the same instant. The plugin changes the names in the tests' source (SUBSTITUTIONS), completes
requests (`_complete`), makes the inputs, waits until a created job has ended, and empties the local SageMaker after
each test. The assertions stay as moto wrote them.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import re
import sqlite3
import tarfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import moto
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONFIGURATION: dict[str, str] = json.loads(Path(os.environ["CLIENT_TEST_CONFIGURATION"]).read_text())
SUBSTITUTIONS = (
    (r"from moto\.core import DEFAULT_ACCOUNT_ID as ACCOUNT_ID", 'ACCOUNT_ID = "000000000000"'),
    (r"123456789012", "000000000000"),
    (r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/[A-Za-z0-9:._-]+", CONFIGURATION["succeeding_image"]),
    (r"us-east-2|eu-west-1|ap-southeast-1", "us-east-1"),
    (r"arn:aws:iam::(000000000000|\{ACCOUNT_ID\}):role/FakeRole", CONFIGURATION["role"]),
    (r"\bmy-bucket\b|\bMyBucket\b", CONFIGURATION["bucket"]),
    (r'"(some-bucket|data_capture)"|(?<="S3OutputPath": )bucket\b', f'"s3://{CONFIGURATION["bucket"]}/moto/out"'),
    (r'"S3Uri": "input"', f'"S3Uri": "s3://{CONFIGURATION["bucket"]}/moto/in/"'),
    (r"\bblah_model", "blah-model"),
)
# Prefixes and objects that the tests name as inputs.
INPUTS = (
    "model.tar.gz",
    "moto/in/1.json",
    "sagemaker/DEMO-breast-cancer-prediction//train/1.csv",
    "sagemaker/DEMO-breast-cancer-prediction//validation/1.csv",
    "sagemaker/processing/1.csv",
    "my-prefix/processing/1.csv",
)
ENDED = {"Completed", "Failed", "Stopped", "InService"}
CREATED = {
    "CreateTrainingJob": ("describe_training_job", "TrainingJobName", "TrainingJobStatus"),
    "CreateTransformJob": ("describe_transform_job", "TransformJobName", "TransformJobStatus"),
    "CreateProcessingJob": ("describe_processing_job", "ProcessingJobName", "ProcessingJobStatus"),
    "CreateEndpoint": ("describe_endpoint", "EndpointName", "EndpointStatus"),
    "UpdateEndpoint": ("describe_endpoint", "EndpointName", "EndpointStatus"),
    "UpdateEndpointWeightsAndCapacities": ("describe_endpoint", "EndpointName", "EndpointStatus"),
    "DeleteEndpoint": ("describe_endpoint", "EndpointName", "EndpointStatus"),
}
WAIT_S = 60.0


class LocalAws(contextlib.ContextDecorator):
    """Stands for ``moto.mock_aws``: as decorator, with parentheses or without, and as context manager."""

    def __enter__(self) -> None:
        """The requests go to the local AWS."""

    def __exit__(self, *_: object) -> None:
        """The local SageMaker is emptied by a fixture."""


def mock_aws(func: Callable[..., Any] | None = None, **_: object) -> Any:
    """Leave the function as it is: its calls go to the local AWS."""
    return LocalAws() if func is None else func


def pytest_configure() -> None:
    """Replace moto's mock before a test module imports it, and follow every client of boto3."""
    moto.mock_aws = mock_aws  # type: ignore[assignment]
    boto3.setup_default_session()
    events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]
    events.register("before-parameter-build.sagemaker", _complete)
    events.register("before-call.sagemaker", _note_name)
    events.register("after-call.sagemaker", _wait_for_end)


def adapt(source: str) -> str:
    """A test module's text with this local AWS's account, role, image, bucket and region."""
    for pattern, replacement in SUBSTITUTIONS:
        source = re.sub(pattern, replacement, source)
    return source


def _complete(params: dict[str, Any], model: Any, **_: object) -> None:
    """Give a request the role, container and model that AWS requires, where moto's test leaves them out."""
    for role in ("RoleArn", "ExecutionRoleArn"):
        if ":role/" not in params.get(role, ":role/"):
            params[role] = CONFIGURATION["role"]
    if model.name == "CreateModel":
        params.setdefault("PrimaryContainer", {"Image": CONFIGURATION["succeeding_image"]})
    if model.name == "CreateModelPackage" and "ModelPackageGroupName" in params:
        params.setdefault("InferenceSpecification", {"Containers": [{"Image": CONFIGURATION["succeeding_image"]}]})
    if model.name == "CreateTransformJob":
        _ensure_model(params["ModelName"])
        for absent in ("DataCaptureConfig", "ExperimentConfig"):  # the local SageMaker's README names them
            params.pop(absent, None)
    if model.name == "CreateProcessingJob":
        # The image's program is what the local SageMaker starts; there is no container with another entry point.
        params.get("AppSpecification", {}).pop("ContainerEntrypoint", None)


def _ensure_model(name: str) -> None:
    container = {"Image": CONFIGURATION["succeeding_image"]}
    with contextlib.suppress(_client("sagemaker").exceptions.ClientError):  # an earlier job's model has the name
        _client("sagemaker").create_model(
            ModelName=name, ExecutionRoleArn=CONFIGURATION["role"], PrimaryContainer=container
        )


def _note_name(model: Any, params: dict[str, Any], context: Any, **_: object) -> None:
    context["asked"] = (model.name, params["body"])


def _wait_for_end(context: Any, http_response: Any, **_: object) -> None:
    operation, body = context.get("asked", ("", b"{}"))
    if operation not in CREATED or http_response.status_code != 200:
        return
    describe, name, status = CREATED[operation]
    client = _client("sagemaker")
    deadline = time.monotonic() + WAIT_S
    wanted = {name: json.loads(body)[name]}
    with contextlib.suppress(client.exceptions.ClientError):  # an endpoint that is deleted is not found in the end
        while getattr(client, describe)(**wanted)[status] not in ENDED and time.monotonic() < deadline:
            time.sleep(0.05)


@functools.cache
def _client(service: str) -> Any:
    return boto3.Session().client(service, region_name="us-east-1")


@pytest.fixture(scope="session", autouse=True)
def _inputs() -> None:
    archive = io.BytesIO()
    tarfile.open(fileobj=archive, mode="w:gz").close()
    for key in INPUTS:
        body = archive.getvalue() if key.endswith(".tar.gz") else b"{}\n"
        _client("s3").put_object(Bucket=CONFIGURATION["bucket"], Key=key, Body=body)


@pytest.fixture(autouse=True)
def _empty_sagemaker() -> Iterator[None]:
    yield
    client = _client("sagemaker")
    for endpoint in client.list_endpoints(MaxResults=100)["Endpoints"]:
        client.delete_endpoint(EndpointName=endpoint["EndpointName"])
    deadline = time.monotonic() + WAIT_S
    while client.list_endpoints()["Endpoints"] and time.monotonic() < deadline:
        time.sleep(0.05)
    # AWS has no operation that removes an ended job.
    with contextlib.closing(sqlite3.connect(CONFIGURATION["store"], timeout=30, isolation_level=None)) as store:
        store.execute("DELETE FROM resource")
        store.execute("DELETE FROM tag")
