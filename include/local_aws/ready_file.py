"""Writes ready.json, which exists exactly while the local AWS can be used and says how to reach it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypedDict

from local_aws.clients import ACCOUNT, REGION
from local_aws.keys import Key
from local_aws.processes.state_folder import write_atomically
from local_aws.servers import LocalAws


class Ready(TypedDict):
    """The content of ready.json."""

    endpoint_url: str  # of every service but SageMaker
    sagemaker_endpoint_url: str
    region: str
    account: str
    settings: dict[str, str]  # IMAGE_CLASSIFIER_*
    aws: dict[str, str]  # AWS_* variables with the key that Airflow uses
    api_server: dict[str, str]  # the key of Airflow's API server
    uploads: dict[str, str]  # the key of the user who uploads images
    pid: int


class ReadyFile:
    """The file ready.json of a state folder."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ready.json"

    def write(self, content: Ready) -> None:
        """Write the file in one step."""
        write_atomically(self.path, json.dumps(content, indent=2) + "\n")

    def remove(self) -> None:
        """Delete the file, if it exists."""
        self.path.unlink(missing_ok=True)


def ready_content(
    local_aws: LocalAws, *, settings: Mapping[str, str], airflow: Key, api_server: Key, uploads: Key
) -> Ready:
    """Return the content for clients that reach this AWS under its name."""
    return {
        "endpoint_url": local_aws.endpoint_url(local_aws.name),
        "sagemaker_endpoint_url": local_aws.sagemaker_endpoint_url(local_aws.name),
        "region": REGION,
        "account": ACCOUNT,
        "settings": dict(settings),
        "aws": local_aws.aws_environment(local_aws.name, airflow),
        "api_server": _as_variables(api_server),
        "uploads": _as_variables(uploads),
        "pid": os.getpid(),
    }


def _as_variables(key: Key) -> dict[str, str]:
    return {"AWS_ACCESS_KEY_ID": key.access_key, "AWS_SECRET_ACCESS_KEY": key.secret}
