"""Reads the previous version of a data set: the split and group of every image, and the facts about its files."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

import PIL

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.prepare import manifest
from image_classifier.prepare.assignment import PlacedBefore
from image_classifier.prepare.inspection.inspector import NOT_FOR_GOOD, Facts, Rejected
from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.layout.folders import Listed
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.pointer import Pointer
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
        placed: the split and group by the SHA-256 of the file.

    """

    fingerprint: str | None = None
    placed: Mapping[str, PlacedBefore] = field(default_factory=dict)
    _by_name: Mapping[str, tuple[str, str, Facts | tuple[str, str]]] = field(default_factory=dict)
    _by_content: Mapping[str, Facts] = field(default_factory=dict)
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
        return cls(fingerprint, read.placed, read.by_name, read.by_content, frozenset(read.left_out))

    def unchanged(self, image: Listed) -> Facts | Rejected | None:
        """Return the result for a file of the same name, size and time of change (or ETag), or None."""
        class_name, stamp, found = self._by_name.get(image.name, ("", "", None))
        if found is None or not stamp or stamp != image.stamp or class_name != image.class_name:
            return None
        if stamp.endswith(RACY):
            return None
        return found if isinstance(found, Facts) else Rejected(image, *found)

    def same_content(self, sha256: str) -> Facts | None:
        """Return the facts of a file with the same bytes, or None."""
        return self._by_content.get(sha256)

    def probably(self, image: Listed) -> Facts | None:
        """Return the facts of a file of the same name, or size and time of change (or ETag); its bytes may differ."""
        _, _, found = self._by_name.get(image.name, ("", "", None))
        return found if isinstance(found, Facts) else self._by_stamp.get(image.stamp)

    def split_before(self, sha256: str) -> Split | None:
        """Return the split of an image with these bytes; None if that version was split with other settings."""
        before = self.placed.get(sha256)
        return before.split if before else None

    @cached_property
    def _by_stamp(self) -> dict[str, Facts]:
        return {stamp: found for _, stamp, found in self._by_name.values() if isinstance(found, Facts)}

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


@dataclass(frozen=True)
class _Read:
    """What was read of a manifest, line by line; equal texts and looks are kept once.

    Attributes:
        same_split: whether the version was split with the settings of now.
        same_inspection: whether it was inspected by the code of now.

    """

    same_split: bool
    same_inspection: bool
    placed: dict[str, PlacedBefore] = field(default_factory=dict)
    by_name: dict[str, tuple[str, str, Facts | tuple[str, str]]] = field(default_factory=dict)
    by_content: dict[str, Facts] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)

    def place(self, line: manifest.Line, facts: Facts | None) -> None:
        """Store the split and the group of an image."""
        if "split" not in line:
            return
        sha256, text, group = line["sha256"], line.get("look"), line.get("group", "")
        look = facts.look if facts else Look.loads(text) if text else None
        split: Split | None = line["split"] if self.same_split and group else None  # type: ignore[assignment]
        self.placed[sha256] = PlacedBefore(sha256 if group == sha256 else group, split, look)

    def find(self, line: manifest.Line, facts: Facts | None) -> None:
        """Store the result of a file's inspection, and whether the file was left out."""
        name, stamp = line["name"], line.get("stamp", "")
        if facts:
            self.by_content[facts.sha256] = facts
            if stamp:
                self.by_name[name] = sys.intern(line["class"]), stamp, facts
        elif stamp and self.same_inspection and line.get("rejected", NOT_FOR_GOOD[0]) not in NOT_FOR_GOOD:
            self.by_name[name] = sys.intern(line["class"]), stamp, (line["rejected"], line["reason"])
        if "left_out" in line:
            self.left_out.add(name)
