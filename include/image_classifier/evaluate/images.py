"""Reads the images of a data set version from its manifest, and selects those that a model is evaluated on."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_classifier.prepare.manifest import Line, read_manifest
from image_classifier.prepare.report.readable import readable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MOST_VALIDATION = 2000  # number of images for fitting the temperature: more would change it by less than 0.01


@dataclass(frozen=True)
class VersionImage:
    """An image of a data set version.

    Attributes:
        key: S3 key of the prepared image.
        split: train, validation or test.
        sha256: SHA-256 of the source file, hexadecimal.
        group: SHA-256 of the first image of its group of near-duplicates; its own if it has none.
        name: name of the source file; see `readable`.

    """

    key: str
    split: str
    label: str
    sha256: str
    group: str
    name: str
    width: int | None = None
    height: int | None = None
    brightness: float | None = None


def version_images(s3: "S3Client", *, bucket: str, version: str) -> tuple[VersionImage, ...]:
    """Return the images of all splits of a data set version.

    Args:
        s3: the S3 client.
        bucket: the bucket of the data set.
        version: the version's prefix.

    Raises:
        DatasetError: the version has no manifest.

    """
    return tuple(_images(read_manifest(s3, bucket=bucket, version=version)))


def to_score(images: Sequence[VersionImage]) -> tuple[list[VersionImage], list[VersionImage]]:
    """Return (test images, validation images for fitting the temperature).

    If there are many validation images, those with the lowest file names are used; the names depend on the contents.
    """
    test = [image for image in images if image.split == "test"]
    validation = [image for image in images if image.split == "validation"]
    validation.sort(key=lambda image: image.key.rpartition("/")[2])
    return test, validation[:MOST_VALIDATION]


def input_manifest(images: Sequence[VersionImage], *, bucket: str, root: str) -> bytes:
    """Return a manifest of these images, as SageMaker's S3DataType ManifestFile requires."""
    paths = sorted(image.key.removeprefix(root) for image in images)
    return json.dumps([{"prefix": f"s3://{bucket}/{root}"}, *paths]).encode()


def _images(lines: Iterable[Line]) -> Iterator[VersionImage]:
    for line in lines:
        if "key" in line:
            yield VersionImage(
                key=line["key"],
                split=line["split"],
                label=line["class"],
                sha256=line["sha256"],
                group=line.get("group", line["sha256"]),
                name=readable(line["name"]),
                width=line.get("width"),
                height=line.get("height"),
                brightness=line.get("statistics", {}).get("brightness"),
            )
