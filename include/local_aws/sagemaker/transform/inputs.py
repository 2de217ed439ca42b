"""Finds the objects of a transform job: those below a prefix, or those of a manifest."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.sagemaker import manifests
from local_aws.sagemaker.aws import split_s3_uri
from local_aws.sagemaker.jobs.downloads import key_below
from local_aws.sagemaker.jobs.failures import JobFailedError

if TYPE_CHECKING:
    from local_aws.sagemaker.aws import Aws
    from local_aws.sagemaker.documents import Document


@dataclass(frozen=True)
class InputObject:
    """One object; `below` is the path of its result below the output path, without ``.out``."""

    bucket: str
    key: str
    below: str


class NotGzipError(Exception):
    """An object of a job with CompressionType Gzip is not compressed with gzip."""


def find(source: Document, *, aws: Aws) -> list[InputObject]:
    """Return the objects of a TransformInput, in the order of their keys or of the manifest.

    Raises:
        JobFailedError: there is no object, or the manifest cannot be read.

    """
    data = source["DataSource"]["S3DataSource"]
    uri = data["S3Uri"]
    found = _of_manifest(uri, aws=aws) if data["S3DataType"] == "ManifestFile" else _of_prefix(uri, aws=aws)
    if not found:
        raise JobFailedError(f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}"')
    return found


def content(item: InputObject, source: Document, *, aws: Aws) -> bytes:
    """Return the bytes that are sent to the model.

    Raises:
        ClientError: S3 does not give the object.
        NotGzipError: it is to be unpacked and cannot be.

    """
    data = aws.read(item.bucket, item.key)
    if source["CompressionType"] == "None":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise NotGzipError(f"Failed to decompress the object as Gzip: {error}") from error


def _of_prefix(uri: str, *, aws: Aws) -> list[InputObject]:
    _, prefix = split_s3_uri(uri)
    return [
        InputObject(item.bucket, item.key, key_below(item.key, prefix=prefix))
        for item in aws.objects(uri)
        if not item.key.endswith("/")  # the console's marker for an empty folder
    ]


def _of_manifest(uri: str, *, aws: Aws) -> list[InputObject]:
    manifest = manifests.read(uri, aws=aws)
    return [InputObject(manifest.bucket, manifest.prefix + name, name) for name in manifest.names]
