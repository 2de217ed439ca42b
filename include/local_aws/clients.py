"""Clients of the local AWS itself; they never look at the credentials or proxies of the person at the laptop."""

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

__all__ = ["ACCESS_KEY", "ACCOUNT", "REGION", "SECRET_KEY", "BotoCoreError", "ClientError", "client"]

REGION = "us-east-1"
ACCOUNT = "000000000000"
ACCESS_KEY = "test"
SECRET_KEY = "test"  # noqa: S105  MiniStack takes any


def client(service: str, *, endpoint_url: str) -> Any:
    """A boto3 client. Any: boto3's clients are made at run time."""
    session = boto3.session.Session(aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION)
    # Path style: a bucket in the host name would have to be resolved.
    config = Config(proxies={}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 2})
    return session.client(service, endpoint_url=endpoint_url, config=config, verify=False)
