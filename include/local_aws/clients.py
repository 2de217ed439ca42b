"""Clients of the local AWS itself; they never look at the credentials or proxies of the person at the laptop."""

import os
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

__all__ = ["ACCESS_KEY", "ACCOUNT", "REGION", "ROOT_SECRET", "BotoCoreError", "ClientError", "client", "root_secret"]

REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY = "test"
ROOT_SECRET = "LOCAL_AWS_ROOT_SECRET"  # noqa: S105  a variable's name


def root_secret() -> str:
    """The secret of the root user's key, which the local AWS makes for each state folder."""
    return os.environ.get(ROOT_SECRET, "test")


def client(service: str, *, endpoint_url: str) -> Any:
    """A boto3 client. Any: boto3's clients are made at run time."""
    session = boto3.session.Session(ACCESS_KEY, root_secret(), region_name=REGION)
    # Path style: a bucket in the host name would have to be resolved.
    config = Config(proxies={}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 2})
    return session.client(service, endpoint_url=endpoint_url, config=config, verify=False)
