"""Reads the previous version of a data set: the split and group of every image, and the facts about its files."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import PIL

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.prepare import manifest
from image_classifier.prepare.inspection.inspector import NOT_FOR_GOOD, Facts, Rejected
from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.placed_before import PlacedBefore
from image_classifier.prepare.pointer import Pointer
from image_classifier.prepare.previous_files import PreviousFiles
from image_classifier.prepare.report import schema
from image_classifier.prepare.sources.source import RACY

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PROCEDURE = "1"  # raise it when the inspection gives another result for the same file


@dataclass(frozen=True)
class SplitSettings:
    """The settings that decide the split, besides the images.

    Attributes:
        named: the splits that the source names.

    """

    seed: int
    validation_fraction: float
    test_fraction: float
    named: tuple[str, ...]

    def as_json(self) -> schema.SplitSettings:
        """Return the value of ``split`` in report.json."""
        return schema.SplitSettings(
            seed=self.seed,
            validation_fraction=self.validation_fraction,
            test_fraction=self.test_fraction,
            named=list(self.named),
        )


def inspected_by() -> dict[str, str]:
    """Return the versions on which a result depends besides the file; ``inspected_by`` in report.json."""
    return {"procedure": PROCEDURE, "pillow": PIL.__version__}


@dataclass(frozen=True)
class Previous:
    """The previous version; empty if there is none.

    Attributes:
        fingerprint: of the version.
        placed: the splits and groups of its images.

    """

    fingerprint: str | None = None
    placed: PlacedBefore = field(default_factory=PlacedBefore)
    _files: PreviousFiles | None = None
    _rejected: Mapping[str, Rejected] = field(default_factory=dict)
    _left_out: frozenset[str] = frozenset()

    @classmethod
    def read(cls, s3: "S3Client", *, bucket: str, keys: Keys, split: SplitSettings, pixels_key: str) -> Self:
        """Read the newest version.

        Args:
            s3: the client.
            bucket: where the data set is.
            keys: of the classifier.
            split: the settings of now; another version's splits hold only if it had the same.
            pixels_key: of now; what another version found out holds only if it had the same.

        """
        fingerprint = _current(s3, bucket=bucket, keys=keys)
        return cls.read_version(fingerprint, s3=s3, bucket=bucket, keys=keys, split=split, pixels_key=pixels_key)

    @classmethod
    def read_version(
        cls,
        fingerprint: str | None,
        *,
        s3: "S3Client",
        bucket: str,
        keys: Keys,
        split: SplitSettings,
        pixels_key: str,
    ) -> Self:
        """Read this version as `read` does; None gives an empty one."""
        if fingerprint is None:
            return cls()
        version = keys.version(fingerprint)
        found = storage.read(s3, bucket=bucket, key=f"{version}report.json")
        report = json.loads(found[0]) if found else {}
        lines = manifest.read_manifest(s3, bucket=bucket, version=version)
        same_split, same_pixels = report.get("split") == split.as_json(), report.get("pixels") == pixels_key
        read = _Read(same_split, report.get("inspected_by") == inspected_by())
        for line in lines:
            facts = manifest.facts_of(line) if same_pixels and "statistics" in line else None
            read.place(line, facts)
            if same_pixels:
                read.find(line, facts)
        return cls(fingerprint, read.placed, read.files, read.rejected, frozenset(read.left_out))

    def unchanged(self, image: Listed) -> Facts | Rejected | None:
        """Return the result for a file of the same name, size and time of change (or ETag), or None."""
        found = self._files.by_name(image.name) if self._files else None
        rejected = self._rejected.get(image.name)
        if found and _is_unchanged(image, found[0]):
            return found[1]
        if rejected and _is_unchanged(image, rejected.image):
            return Rejected(image, rejected.code, rejected.reason)
        return None

    def same_content(self, sha256: str) -> Facts | None:
        """Return the facts of a file with the same bytes, or None."""
        return self._files.by_content(sha256) if self._files else None

    def probably(self, image: Listed) -> Facts | None:
        """Return the facts of a file of the same name, or size and time of change (or ETag); its bytes may differ."""
        if self._files is None:
            return None
        found = self._files.by_name(image.name)
        return found[1] if found else self._files.by_stamp(image.stamp)

    def split_before(self, sha256: str) -> Split | None:
        """Return the split of an image with these bytes; None if that version was split with other settings."""
        return self.placed.split_of(sha256)

    @property
    def has_left_out(self) -> bool:
        """Return whether the previous version left an image out."""
        return bool(self._left_out)

    def left_out(self, image: Listed) -> bool:
        """Return whether the previous version left the image out."""
        return image.name in self._left_out


def _current(s3: "S3Client", *, bucket: str, keys: Keys) -> str | None:
    """Return the newest version: that of the pointer or, in a bucket of release 0.1, the one written last."""
    if pointer := Pointer.read(s3, bucket=bucket, keys=keys):
        named = pointer.fingerprint
        if storage.object_exists(s3, bucket=bucket, key=f"{keys.version(named)}train_lst/train.lst"):
            return named
    versions = _complete_versions(s3, bucket=bucket, keys=keys)
    return max(versions, key=lambda fingerprint: (versions[fingerprint], fingerprint), default=None)


def _complete_versions(s3: "S3Client", *, bucket: str, keys: Keys) -> dict[str, str]:
    """Return the time of each version's train list, which is written last."""
    prefix = f"{keys.dataset}versions/"
    listed = storage.list_objects(s3, bucket=bucket, prefix=prefix)
    return {
        key.removeprefix(prefix).partition("/")[0]: stored.last_modified
        for key, stored in listed.items()
        if key.endswith("/train_lst/train.lst")
    }


def _is_unchanged(image: Listed, was: Listed) -> bool:
    """Whether a file of the same name has the same class, and size and time of change (or ETag)."""
    return was.stamp == image.stamp and was.class_name == image.class_name and not was.stamp.endswith(RACY)


@dataclass(frozen=True)
class _Read:
    """What was read of a manifest, line by line.

    Attributes:
        same_split: whether the version was split with the settings of now.
        same_inspection: whether it was inspected by the code of now.

    """

    same_split: bool
    same_inspection: bool
    placed: PlacedBefore = field(default_factory=PlacedBefore)
    files: PreviousFiles = field(default_factory=PreviousFiles)
    rejected: dict[str, Rejected] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    def place(self, line: manifest.Line, facts: Facts | None) -> None:
        """Store the split and the group of an image."""
        if "split" not in line:
            return
        text, group = line.get("look"), line.get("group", "")
        look = facts.look if facts else Look.loads(text) if text else None
        split: Split | None = line["split"] if self.same_split and group else None  # type: ignore[assignment]
        self.placed.add(line["sha256"], group=group, split=split, look=look)

    def find(self, line: manifest.Line, facts: Facts | None) -> None:
        """Store the result of a file's inspection, and whether the file was left out."""
        name, stamp = line["name"], line.get("stamp", "")
        image = Listed(name, sys.intern(line["class"]), None, stamp)
        if facts:
            self.files.add(image, facts)
        elif stamp and self.same_inspection and line.get("rejected", NOT_FOR_GOOD[0]) not in NOT_FOR_GOOD:
            self.rejected[name] = Rejected(image, line["rejected"], line["reason"])
        if "left_out" in line:
            self.left_out.add(name)
