"""The images of a data set's version that a model is evaluated on, with what the version's manifest knows of them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_classifier.prepare.manifest import Line, read_manifest

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MOST_VALIDATION = 2000  # images that the temperature is fitted on: more would move it by less than a hundredth


@dataclass(frozen=True)
class VersionImage:
    """An image of a version.

    Attributes:
        key: of the prepared image in S3.
        split: train, validation or test.
        sha256: of the source file.
        group: of near-duplicates: the sha256 of its first image, the image's own if it is alone.
        name: of the source file.

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
    """The images that a version uses, of all splits.

    Args:
        s3: the client.
        bucket: where the data set is.
        version: the version's prefix.

    Raises:
        DatasetError: the version has no manifest.

    """
    return tuple(_images(read_manifest(s3, bucket=bucket, version=version)))


def to_score(images: Sequence[VersionImage]) -> tuple[list[VersionImage], list[VersionImage]]:
    """The test images, and the validation images that the temperature is fitted on.

    Of many validation images those with the lowest file names are taken, which their contents decide.
    """
    test = [image for image in images if image.split == "test"]
    validation = [image for image in images if image.split == "validation"]
    validation.sort(key=lambda image: image.key.rpartition("/")[2])
    return test, validation[:MOST_VALIDATION]


def input_manifest(images: Sequence[VersionImage], *, bucket: str, root: str) -> bytes:
    """A manifest of these images, in the form of S3DataType ManifestFile."""
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
                name=line["name"],
                width=line.get("width"),
                height=line.get("height"),
                brightness=line.get("statistics", {}).get("brightness"),
            )
