"""Reads a classifier's data set from S3, in order to compare it with that of another classifier of the same images."""

import gzip
from collections import Counter
from typing import Any

from tests.chaos.airflow_runs import FINISHED, Run, until
from tests.chaos.aws import Aws

LAST = "prepare.prepare_dataset"


def await_dataset(run: Run) -> dict[str, Any]:
    """Wait for the data set of a run, and return the result of the task that completes it."""
    state = run.await_task(LAST, FINISHED, seconds=500)
    assert state == "success", run.explain()
    return dict(run.api.result(run.dag_id, run.run_id, LAST))


def content(aws: Aws, name: str) -> dict[str, str | bytes]:
    """What a data set has in S3 but for its listing: the ETags of images, which are MD5s, and the bytes of documents.

    The classifier's name is replaced in keys and documents. current.json is left out: it has hashes of such names.
    """
    return {
        key.removeprefix(name): etag if key.endswith(".jpg") else _document(aws, key, name=name)
        for key, etag in _etags(aws, name).items()
        if "/listing/" not in key and not key.endswith("/current.json")
    }


def uploaded_twice(aws: Aws, name: str) -> list[str]:
    """The prepared images that were uploaded more than once."""
    pages = aws.s3.get_paginator("list_object_versions").paginate(Bucket=aws.bucket, Prefix=f"{name}/dataset/")
    times = Counter(one["Key"] for page in pages for one in page.get("Versions", []))
    return [key for key, count in times.items() if count > 1 and key.endswith(".jpg")]


def await_images(aws: Aws, name: str, count: int) -> None:
    """Wait until so many prepared images are in S3."""
    until(
        lambda: sum(key.endswith(".jpg") for key in _etags(aws, name)) >= count,
        seconds=300,
        what=f"{count} images of {name}",
    )


def _document(aws: Aws, key: str, *, name: str) -> bytes:
    body: bytes = aws.s3.get_object(Bucket=aws.bucket, Key=key)["Body"].read()
    plain = gzip.decompress(body) if key.endswith(".gz") else body
    return plain.replace(name.encode(), b"the-classifier")


def _etags(aws: Aws, name: str) -> dict[str, str]:
    pages = aws.s3.get_paginator("list_objects_v2").paginate(Bucket=aws.bucket, Prefix=f"{name}/dataset/")
    return {one["Key"]: one["ETag"] for page in pages for one in page.get("Contents", [])}
