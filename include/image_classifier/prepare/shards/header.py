"""Defines the header of a listing, which shards and the final step need besides the images."""

import gzip
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.classifier import Classifier
from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.folders import Layout
from image_classifier.prepare.sources.corrected import CorrectedSource, only_train
from image_classifier.prepare.sources.folder import FolderSource
from image_classifier.prepare.sources.lists.listed import ListSource
from image_classifier.prepare.sources.opening import open_source

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SCHEMA = 1
NAME = "header.json.gz"


@dataclass(frozen=True)
class Header:
    """What a listing's header.json.gz holds.

    Attributes:
        classifier: as the run has it: every step of the run works by it, whatever becomes of the file.
        layout: of the source, without its images.
        corrections: of uploaded images, by their names in the data set.
        previous: fingerprint of the version that was the newest when the source was listed; None if there was none.
        images: how many the source has.
        shards: how many there are; each has at least one image.
        inspected_by: see `previous.inspected_by`.
        origin: see `unchanged.origin_of`.

    """

    classifier: Classifier
    layout: Layout
    corrections: dict[str, Correction]
    previous: str | None
    images: int
    shards: int
    inspected_by: dict[str, str]
    origin: str = ""

    @property
    def only_train(self) -> frozenset[str]:
        """The sha256 of images that neither validate nor test."""
        return only_train(self.corrections)

    def dumps(self) -> bytes:
        """Return the bytes of header.json.gz, which depend on the release of zlib."""
        return gzip.compress(self.content(), mtime=0)

    def content(self) -> bytes:
        """Return what header.json.gz holds, and what names the listing."""
        layout = {**asdict(replace(self.layout, images=())), "images": []}  # a copy of all images takes much memory
        document = {
            "schema": SCHEMA,
            "classifier": self.classifier.model_dump(mode="json"),
            "layout": layout,
            "corrections": {name: asdict(one) for name, one in self.corrections.items()},
            "previous": self.previous,
            "images": self.images,
            "shards": self.shards,
            "inspected_by": self.inspected_by,
            "origin": self.origin,
        }
        return json.dumps(document, sort_keys=True).encode()

    @classmethod
    def loads(cls, data: bytes) -> Self:
        """Read what `dumps` made."""
        document = json.loads(gzip.decompress(data))
        return cls(
            classifier=Classifier.model_validate(document["classifier"]),
            layout=_layout(document["layout"]),
            corrections={name: Correction(**one) for name, one in document["corrections"].items()},
            previous=document["previous"],
            images=document["images"],
            shards=document["shards"],
            inspected_by=document["inspected_by"],
            origin=document.get("origin", ""),
        )

    @classmethod
    def read(cls, s3: "S3Client", *, bucket: str, keys: Keys, run: str) -> Self:
        """Read the header of a listing.

        Raises:
            ObjectGoneError: the listing was deleted, or never written to its end.

        """
        return cls.loads(storage.read_written(s3, bucket=bucket, key=keys.listing(run) + NAME))

    def source(self, s3: "S3Client", *, bucket: str, data_folder: Path) -> CorrectedSource:
        """Open the source that was listed.

        Args:
            s3: client for the source, if that is in S3, and for corrected uploads.
            bucket: of the classifier.
            data_folder: where a relative folder starts.

        Raises:
            DatasetError: the source is a folder that this machine does not have.

        """
        source = open_source(self.classifier, s3=s3, data_folder=data_folder)
        place = source.beside if isinstance(source, ListSource) else source
        if isinstance(place, FolderSource) and not place.folder.is_dir():
            message = (
                f"Folder {place.folder} was listed by another task of this run, and is not there on this machine. Let "
                "all workers reach it under the same path, or move the images to S3."
            )
            raise DatasetError(message)
        return CorrectedSource(source, s3, bucket, self.corrections)


def _layout(values: dict[str, Any]) -> Layout:
    lists = ("classes", "splits", "ignored", "warnings")
    return Layout(images=(), level=values["level"], **{name: tuple(values[name]) for name in lists})
