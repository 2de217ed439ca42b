"""Makes the local AWS's own clients, which use neither the user's credentials nor a proxy."""

import os

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

__all__ = ["ACCESS_KEY", "ACCOUNT", "REGION", "ROOT_SECRET", "BotoCoreError", "ClientError", "client", "root_secret"]

REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY = "test"
ROOT_SECRET = "LOCAL_AWS_ROOT_SECRET"  # noqa: S105  a variable's name


def root_secret() -> str:
    """Return the secret of the root user's key, which the local AWS makes for each state folder."""
    return os.environ.get(ROOT_SECRET, "test")


def client(service: str, *, endpoint_url: str) -> BaseClient:
    """Return a boto3 client; its methods have no types, because boto3 creates them at run time."""
    session = boto3.session.Session(ACCESS_KEY, root_secret(), region_name=REGION)
    # Path style, because DNS does not resolve buckets.
    config = Config(proxies={}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 2})
    return session.client(service, endpoint_url=endpoint_url, config=config, verify=False)
