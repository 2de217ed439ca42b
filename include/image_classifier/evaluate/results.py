"""Reads a transform job's results: one object per image, which has the image's unique base name."""

import json
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from image_classifier.aws import s3 as storage
from image_classifier.contracts.errors import PredictionError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

ENDING = ".out"
READERS = 10  # the size of botocore's connection pool
FEWEST_SCORED = 0.9  # share of the images; with fewer results the cause is not a single bad image


def has_enough_results(s3: "S3Client", job: Mapping[str, Any]) -> bool:
    """Return whether a failed transform job has scored nearly all images: a single bad image makes the job fail."""
    source = urlsplit(job["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])
    output = urlsplit(job["TransformOutput"]["S3OutputPath"])
    manifest = storage.read(s3, bucket=source.netloc, key=source.path.lstrip("/"))
    keys = [str(path) for path in json.loads(manifest[0])[1:]] if manifest else []
    found = find_results(s3, bucket=output.netloc, prefix=f"{output.path.lstrip('/')}/", keys=keys)
    return bool(keys) and len(found) >= FEWEST_SCORED * len(keys)


def read_results(s3: "S3Client", *, bucket: str, prefix: str, keys: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Return the probabilities of each image that has an answer, by the image's S3 key, in the order of the labels.

    AWS does not document where below the output path the results of a manifest are; so they are found by their base
    name, which is unique because it is a hash of the image's content.

    Args:
        s3: the S3 client.
        bucket: the bucket of the images and results.
        prefix: prefix of the results.
        keys: S3 keys of the images that the job had to score.

    Raises:
        PredictionError: an answer cannot be read.

    """
    found = find_results(s3, bucket=bucket, prefix=prefix, keys=keys)
    with ThreadPoolExecutor(READERS, thread_name_prefix="results") as pool:
        answers = pool.map(lambda result: read_result(s3, bucket=bucket, key=result), found.values())
        results = dict(zip(found, answers, strict=True))
    log.info("%d of %d images have an answer below s3://%s/%s", len(results), len(keys), bucket, prefix)
    return results


def parse_answer(body: bytes) -> tuple[float, ...]:
    """Return the probabilities in a result: a JSON list, or ``{"prediction": [...]}`` as for application/jsonlines.

    Raises:
        ValueError: the result is neither.

    """
    content = json.loads(body)
    values = content["prediction"] if isinstance(content, Mapping) and "prediction" in content else content
    if not isinstance(values, list) or not all(isinstance(value, int | float) for value in values):
        raise ValueError(f"no list of numbers: {body[:80]!r}")
    return tuple(float(value) for value in values)


def find_results(s3: "S3Client", *, bucket: str, prefix: str, keys: Sequence[str]) -> dict[str, str]:
    """Return the S3 key of each image's result, by the image's key."""
    named = {key.rpartition("/")[2] + ENDING: key for key in keys}
    stored = storage.list_objects(s3, bucket=bucket, prefix=prefix)
    return {named[base]: result for result in stored if (base := result.rpartition("/")[2]) in named}


def read_result(s3: "S3Client", *, bucket: str, key: str) -> tuple[float, ...]:
    """Return the probabilities in one result.

    Raises:
        PredictionError: the result is gone or cannot be read.

    """
    found = storage.read(s3, bucket=bucket, key=key)
    try:
        if found is None:
            raise ValueError("it was deleted in the meantime")
        return parse_answer(found[0])
    except ValueError as error:
        raise PredictionError(
            f"The answer s3://{bucket}/{key} cannot be read: {error}. Score the images again."
        ) from error
