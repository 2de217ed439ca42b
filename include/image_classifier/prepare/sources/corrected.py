"""Adds uploaded images whose predictions people corrected to a source's own images."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from image_classifier.aws import s3 as storage
from image_classifier.aws.client_errors import code_of
from image_classifier.aws.names import Keys
from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.corrections.store import CorrectionCache, Corrections, accepted, count_by_person
from image_classifier.prepare.layout.folders import Layout
from image_classifier.prepare.layout.images import Listed, ListedImages
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.sources.source import Files, Source

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from image_classifier.prepare.assemble import Dataset

GONE = (
    *storage.ABSENT,
    "NoSuchVersion",
    "AccessDenied",
    "403",
)  # without s3:ListBucket a missing object gives the status 403


@dataclass(frozen=True)
class CorrectedSource:
    """A source with additional corrected uploads."""

    source: Source
    s3: "S3Client"
    bucket: str
    corrections: Mapping[str, Correction]

    @property
    def where(self) -> str:
        return self.source.where

    def files(self) -> Files:
        return self.source.files()

    def read(self, name: str, *, limit_bytes: int, stamp: str = "") -> bytes:
        """Return a file's bytes; for a corrected upload those that the person saw.

        Raises:
            ImageRejectedError: the upload has expired or was replaced, and no earlier run prepared it.

        """
        correction = self.corrections.get(name)
        if correction is None:
            return self.source.read(name, limit_bytes=limit_bytes, stamp=stamp)
        version: dict[str, Any] = {"VersionId": correction.version_id} if correction.version_id else {}
        with storage.naming(self.bucket, correction.key, doing="read"):
            try:
                body = self.s3.get_object(Bucket=self.bucket, Key=correction.key, **version)["Body"].read()
            except ClientError as error:
                if code_of(error) not in GONE:
                    raise
                raise ImageRejectedError("unreadable", "The corrected upload has expired or was deleted.") from error
        if hashlib.sha256(body).hexdigest() != correction.sha256:
            raise ImageRejectedError("unreadable", "The corrected upload was replaced by another image.")
        return bytes(body[:limit_bytes])


def accepted_corrections(
    s3: "S3Client", *, bucket: str, keys: Keys, classes: Sequence[str], renamed: Mapping[str, str]
) -> dict[str, Correction]:
    """Return the corrections that assign one of the classes, by the image's name in the data set.

    Args:
        s3: reads the corrections.
        bucket: the deployment's.
        keys: the classifier's.
        classes: of the data set.
        renamed: the new name by class that the classifier's file renames or joins.

    """
    stored = Corrections(s3, bucket, keys, CorrectionCache()).all().values()
    usable = accepted((one.correction for one in stored), labels=classes, renamed=renamed)
    return {f"s3://{bucket}/{one.key}": one for one in usable}


def with_corrections(layout: Layout, corrections: Mapping[str, Correction]) -> Layout:
    """Return the layout with the corrected uploads and their new classes.

    Answers of the blind random sample are split as the source's images. All others are only used for training: people
    saw them because the model was unsure or wrong, so they would bias every comparison.
    """
    if not corrections:
        return layout
    of_the_sample: Split | None = "train" if layout.has_validation else None
    added = [
        Listed(name, one.label or "", of_the_sample if one.reason == "random" else "train", stamp=one.sha256)
        for name, one in sorted(corrections.items())
    ]
    classes = tuple(sorted({*layout.classes, *(one.class_name for one in added)}))
    return replace(layout, images=ListedImages(chain(layout.images, added)), classes=classes)


def corrected_by(
    dataset: "Dataset", *, s3: "S3Client", bucket: str, keys: Keys, renamed: Mapping[str, str]
) -> dict[str, int]:
    """Return the number of corrected images of the data set by person."""
    corrections = accepted_corrections(s3, bucket=bucket, keys=keys, classes=dataset.labels, renamed=renamed)
    if not corrections:
        return {}
    used = {one.image.name for one in dataset.images if one.image.name in corrections}
    return dict(count_by_person(one for name, one in corrections.items() if name in used))


def only_train(corrections: Mapping[str, Correction]) -> frozenset[str]:
    """Return the SHA-256 of the corrected uploads that may only be in train."""
    return frozenset(one.sha256 for one in corrections.values() if one.reason != "random")
