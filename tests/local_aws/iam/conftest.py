"""Starts a local AWS that enforces IAM, with clients of each of its users."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from tests.local_aws.conftest import environment, zipped
from tests.ports import free_port
from tests.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Enforcing:
    """A local AWS that enforces IAM, and clients of its users."""

    zipped = staticmethod(zipped)

    def __init__(self, state: Path) -> None:
        self.state = state
        ports = ["--port", str(free_port()), "--sagemaker-port", str(free_port())]
        command = [sys.executable, "-m", "local_aws", "--state", str(state), *ports, "--record-calls"]
        env = environment(LOCAL_AWS_IAM="enforce")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=env, stdout=log, stderr=log)
        until(self.has_started, seconds=120)
        self.ready = json.loads((state / "ready.json").read_text())
        self.settings: dict[str, str] = self.ready["settings"]
        self.bucket = self.settings["IMAGE_CLASSIFIER_BUCKET"]
        self.keys: dict[str, dict[str, str]] = json.loads((state / "keys.json").read_text())

    def has_started(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return (self.state / "ready.json").exists()

    @property
    def log(self) -> Path:
        return self.state.with_suffix(".log")

    @functools.cache  # noqa: B019  a client takes 50 ms or more
    def client(self, service: str, user: str) -> Any:
        key = self.keys[user]
        return self.client_with(service, key["access_key"], key["secret"])

    def client_with(self, service: str, access_key: str, secret: str, **options: Any) -> Any:
        url = self.ready["sagemaker_endpoint_url" if service.startswith("sagemaker") else "endpoint_url"]
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, **options)
        session = boto3.Session(access_key, secret, region_name="us-east-1")
        return session.client(service, endpoint_url=url, config=config)

    def airflow(self, service: str) -> Any:
        return self.client(service, "image-classifier-airflow")

    def uploader(self, service: str) -> Any:
        return self.client(service, "image-classifier-uploads")

    def root(self, service: str) -> Any:
        return self.client(service, "root")

    def function(self, **more: Any) -> dict[str, Any]:
        request = {
            "FunctionName": "image-classifier-iam",
            "Runtime": self.settings["IMAGE_CLASSIFIER_FUNCTION_RUNTIME"],
            "Architectures": [self.settings["IMAGE_CLASSIFIER_FUNCTION_ARCHITECTURE"]],
            "Role": self.settings["IMAGE_CLASSIFIER_FUNCTION_ROLE_ARN"],
            "Handler": "app.handler",
            "Code": {"ZipFile": zipped("")},
        }
        return {**request, **more}


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Enforcing]:
    started = Enforcing(tmp_path_factory.mktemp("iam") / "state")
    yield started
    assert started.process.poll() is None, f"The local AWS has ended: {started.log.read_text()}"
    started.process.terminate()
    started.process.wait(60)
