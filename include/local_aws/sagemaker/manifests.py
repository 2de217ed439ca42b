"""Reads manifest files, which name objects below one prefix: ``[{"prefix": "s3://bucket/prefix/"}, "name", ...]``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.sagemaker.aws import split_s3_uri
from local_aws.sagemaker.jobs.failures import JobFailedError
from local_aws.sagemaker.protocol.errors import ServiceError

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws


@dataclass(frozen=True)
class Manifest:
    """The content of a manifest file; the key of an object is the prefix and its name."""

    bucket: str
    prefix: str
    names: list[str]


def read(uri: str, *, aws: Aws) -> Manifest:
    """Return the manifest at `uri`.

    Raises:
        JobFailedError: it has another form.
        ClientError: S3 does not give it.

    """
    bucket, key = split_s3_uri(uri)
    try:
        head, *names = json.loads(aws.read(bucket, key))
        return Manifest(*split_s3_uri(head["prefix"]), [_text(name) for name in names])
    except (ValueError, TypeError, KeyError, ServiceError) as error:
        raise JobFailedError(
            f"ClientError: The manifest {uri} is not of the form "
            f'[{{"prefix": "s3://<bucket>/<prefix>/"}}, "<name>", ...]: {error}'
        ) from error


def _text(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{name!r} is no name")
    return name
