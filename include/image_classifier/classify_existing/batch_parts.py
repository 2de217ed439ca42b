"""Stores which images a share of a batch prepared, in small parts, from which a task that is tried again goes on."""

import gzip
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, NotRequired, TypedDict

from image_classifier.aws import s3 as storage

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class PartLine(TypedDict):
    """One image.

    `prepared` is the name of its prepared copy; empty if it was rejected, and `code` and `sentence` say why. `uploaded`
    is ISO 8601; `width` and `height` are pixels of the upright image, 0 if it was rejected.
    """

    key: str
    version_id: str | None
    etag: str | None
    bytes: int
    uploaded: str
    prepared: str
    width: int
    height: int
    code: str
    sentence: str
    traits: NotRequired[list[str]]  # absent in parts of an earlier release


def part_key(prefix: str, *, share: int, number: int) -> str:
    """Return the S3 key of a part of a share."""
    return f"{prefix}parts/{share:03}-{number:06}.jsonl.gz"


def part_keys(s3: "S3Client", *, bucket: str, prefix: str, share: int | None = None) -> list[str]:
    """Return the S3 keys of all parts of a batch, or of one share of it, in order."""
    below = f"{prefix}parts/" if share is None else f"{prefix}parts/{share:03}-"
    return sorted(storage.list_objects(s3, bucket=bucket, prefix=below))


def write_part(s3: "S3Client", lines: Sequence[PartLine], *, bucket: str, key: str) -> None:
    """Write one part."""
    body = gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines), mtime=0)
    storage.write(s3, bucket=bucket, key=key, body=body, content_type="application/x-ndjson")


def read_part(s3: "S3Client", bucket: str, key: str) -> list[PartLine]:
    """Return the images of one part."""
    body = storage.read_written(s3, bucket=bucket, key=key)
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]
