"""Describes one local AWS: its folder, its ports and names, and the commands and environment of its two servers."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local_aws.clients import REGION, ROOT_SECRET
from local_aws.keys import Key

HOST = "127.0.0.1"  # where the two servers, the functions and the jobs reach each other


@dataclass(frozen=True)
class Ports:
    """The TCP ports of the two servers."""

    ministack: int
    sagemaker: int


@dataclass(frozen=True)
class LocalAws:
    """The options of one local AWS."""

    state: Path  # the folder of all it stores
    ports: Ports
    bind: str = HOST  # the address both servers listen at
    name: str = HOST  # the host name that clients are given
    other_names: tuple[str, ...] = ()  # further host names that clients may use
    images: tuple[str, ...] = ()  # further algorithm images of the SageMaker server, as REPOSITORY=COMMAND
    enforces_iam: bool = True
    records_calls: bool = False  # writes each call that IAM allowed to calls.jsonl

    def endpoint_url(self, host: str) -> str:
        """Return the URL of every service but SageMaker."""
        return f"http://{host}:{self.ports.ministack}"

    def sagemaker_endpoint_url(self, host: str) -> str:
        """Return the URL of SageMaker and SageMaker Runtime."""
        return f"http://{host}:{self.ports.sagemaker}"

    @property
    def fault_plan(self) -> Path:
        """The file with the fault plan; without the file no fault is injected."""
        return self.state / "faults.json"

    def aws_environment(self, host: str, key: Key) -> dict[str, str]:
        """Return the variables ``AWS_*`` of a client that reaches this AWS at ``host`` with a key."""
        return {
            "AWS_ACCESS_KEY_ID": key.access_key,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint_url(host),
            "AWS_ENDPOINT_URL_SAGEMAKER": self.sagemaker_endpoint_url(host),
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": self.sagemaker_endpoint_url(host),
        }


def ministack_command(local_aws: LocalAws) -> list[str]:
    """Return the command line of MiniStack. Its functions run on the same machine, so they need no host name."""
    return [
        *(sys.executable, "-m", "local_aws.ministack", "--state", str(local_aws.state / "ministack")),
        *_addresses(local_aws, port=local_aws.ports.ministack),
        *("--sagemaker-endpoint-url", local_aws.sagemaker_endpoint_url(HOST)),
        *("--faults", str(local_aws.fault_plan)),
        *(["--enforce-iam"] if local_aws.enforces_iam else []),
        *(["--record-calls", str(local_aws.state / "calls.jsonl")] if local_aws.records_calls else []),
    ]


def sagemaker_command(local_aws: LocalAws) -> list[str]:
    """Return the command line of the SageMaker server. Its jobs run on the same machine, so they need no host name."""
    return [
        *(sys.executable, "-m", "local_aws.sagemaker", "--state", str(local_aws.state / "sagemaker")),
        *_addresses(local_aws, port=local_aws.ports.sagemaker),
        *("--aws-endpoint-url", local_aws.endpoint_url(HOST)),
        *(f"--image={image}" for image in local_aws.images),
        *("--faults", str(local_aws.fault_plan)),
        *(["--enforce-iam"] if local_aws.enforces_iam else []),
    ]


def _addresses(local_aws: LocalAws, *, port: int) -> list[str]:
    others = [argument for name in local_aws.other_names for argument in ("--accept-host", name)]
    return ["--bind", local_aws.bind, "--name", local_aws.name, *others, "--port", str(port)]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the servers' environment, without variables that lead to the user's own AWS account or to a proxy."""
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith(("AWS_", "MINISTACK_", "LOCALSTACK_")) and not name.upper().endswith("_PROXY")
    }
    include = str(Path(__file__).parents[1])
    root = {name: os.environ[name] for name in (ROOT_SECRET,) if name in os.environ}
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}  # in place of those in ~/.aws
    return {**kept, **root, **files, "PYTHONPATH": include, "PYTHONUNBUFFERED": "1"}
