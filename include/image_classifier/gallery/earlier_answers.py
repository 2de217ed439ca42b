"""Finds what models and people said about one image before, in S3's earlier versions of its record and correction."""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from image_classifier.aws.s3 import naming
from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.errors import CorrectionError, PredictionError
from image_classifier.contracts.predictions import Prediction
from image_classifier.gallery.deletion import MOST_RECORD_BYTES
from image_classifier.gallery.picture import read_up_to

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

MOST = 20  # of each object: the newest of its earlier versions
READERS = 8

Read = TypeVar("Read")


@dataclass(frozen=True)
class EarlierAnswer:
    """What a model or a person said about an image; one of the two is None.

    Attributes:
        at: when; ISO 8601, UTC.
        prediction: a model's answer, or why there was none.
        correction: a person's answer.

    """

    at: str
    prediction: Prediction | None = None
    correction: Correction | None = None


def earlier_answers(s3: "S3Client", *, bucket: str, record: str, correction: str) -> list[EarlierAnswer]:
    """Return the earlier answers about one image, the newest first; none in a bucket without versions.

    Args:
        s3: its client may list and read versions.
        bucket: of the objects.
        record: the key of the image's prediction record.
        correction: the key of the image's correction.

    Raises:
        StorageError: S3 has a transient error.
        DatasetError: S3 refuses to list or to return versions.

    """
    predictions = _earlier(s3, bucket=bucket, key=record, parse=Prediction.from_json)
    corrections = _earlier(s3, bucket=bucket, key=correction, parse=Correction.from_json)
    found = [EarlierAnswer(one.times.predicted, prediction=one) for one in predictions]
    found += [EarlierAnswer(one.at, correction=one) for one in corrections]
    return sorted(found, key=lambda answer: answer.at, reverse=True)


def _earlier(s3: "S3Client", *, bucket: str, key: str, parse: Callable[[bytes], Read]) -> Iterator[Read]:
    """Yield the newest of the earlier versions; one that is invalid is left out."""
    with naming(bucket, key, doing="list the versions of"):
        # The versions of a key come before those of longer keys that begin with it, and the newest comes first.
        page = s3.list_object_versions(Bucket=bucket, Prefix=key, MaxKeys=MOST + 1)
    versions = [one["VersionId"] for one in page.get("Versions", []) if one["Key"] == key and not one["IsLatest"]]
    with ThreadPoolExecutor(READERS) as readers:
        one = partial(read_up_to, s3, bucket=bucket, key=key, most_bytes=MOST_RECORD_BYTES)
        bodies = list(readers.map(lambda version: one(version_id=version), versions))
    for body in filter(None, bodies):
        try:
            yield parse(body)
        except (PredictionError, CorrectionError) as error:
            log.warning("An earlier version of s3://%s/%s cannot be read: %s", bucket, key, error)
