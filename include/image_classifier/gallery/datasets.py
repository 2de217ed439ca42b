"""Reads the versions of a classifier's data set and their reports, and compares two of them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import naming, read
from image_classifier.contracts.errors import DatasetError
from image_classifier.gallery.report_pictures import pictures_of
from image_classifier.prepare.report.schema import SCHEMA, ClassCounts, Report

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

REPORT, PAGE = "report.json", "report.html"
SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class DatasetVersion:
    """One version, and the time when it was written."""

    fingerprint: str
    written: datetime


@dataclass(frozen=True)
class ClassRow:
    """One class of a version: its used images by split, and the change from the earlier version."""

    label: str
    images: dict[str, int]
    changes: dict[str, int]


@dataclass(frozen=True)
class DatasetVersions:
    """The data set versions of one classifier."""

    s3: "S3Client"
    bucket: str
    keys: Keys

    def all(self) -> list[DatasetVersion]:
        """Return every version with a report, the newest first."""
        prefix = self.keys.version("")[:-1]
        with naming(self.bucket, prefix, doing="list"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            found = [
                DatasetVersion(one["Key"].removeprefix(prefix).partition("/")[0], one["LastModified"])
                for page in pages
                for one in page.get("Contents", [])
                if one["Key"].endswith(f"/{REPORT}")
            ]
        return sorted(found, key=lambda version: version.written, reverse=True)

    def report(self, fingerprint: str) -> Report | None:
        """Return the report of a version, or None if there is none.

        Raises:
            DatasetError: the object is not a report.

        """
        key = self.keys.version(fingerprint) + REPORT
        found = read(self.s3, bucket=self.bucket, key=key)
        if found is None:
            return None
        try:
            document = json.loads(found[0])
            return cast("Report", {**EMPTY, **document}) if document["schema"] <= SCHEMA else None
        except (ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"s3://{self.bucket}/{key} is no report of a data set: {error!r}") from error

    def pictures(self, report: Report) -> dict[str, str]:
        """Return small pictures of rejected and repaired images, as data URIs by name; some have none.

        They stand in the version's report.html, because of a rejected image nothing else is in the bucket.
        """
        names = {one["name"] for one in report["rejected"]} | {
            name for trait in report["traits"] for name in trait["examples"]
        }
        found = names and read(self.s3, bucket=self.bucket, key=self.keys.version(report["fingerprint"]) + PAGE)
        return {name: uri for name, uri in pictures_of(found[0]).items() if name in names} if found else {}


def class_rows(report: Report, before: Report | None) -> list[ClassRow]:
    """Return the classes of a version and of the earlier version."""
    labels = dict.fromkeys([*report["labels"], *(before["labels"] if before else [])])
    return [ClassRow(label, _counts(report, label), _changes(report, before, label)) for label in labels]


def _changes(report: Report, before: Report | None, label: str) -> dict[str, int]:
    if before is None:
        return dict.fromkeys(SPLITS, 0)
    now, then = _counts(report, label), _counts(before, label)
    return {split: now[split] - then[split] for split in SPLITS}


def _counts(report: Report, label: str) -> dict[str, int]:
    return {split: report["images"].get(split, {}).get(label, 0) for split in SPLITS}


def new_warnings(report: Report, before: Report | None) -> set[str]:
    """Return the warnings that the earlier version does not have."""
    return set(report["warnings"]) - set(before["warnings"]) if before else set()


def examples_of(classes: list[ClassCounts]) -> dict[str, list[str]]:
    """Return the S3 keys of a few prepared images by class."""
    return {one["label"]: one["examples"] for one in classes}


# Fields that the reports of release 0.1 lack.
EMPTY: dict[str, object] = {
    "level": "",
    "counts": None,
    "classes": [],
    "near_test": [],
    "near_duplicates": [],
    "unusual": [],
    "traits": [],
    "cameras": {},
    "no_images": [],
    "corrections": {},
}
