"""Reads the models of a classifier from S3: their evaluations, registry versions and promotion decisions."""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pydantic import ValidationError

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import naming, read
from image_classifier.evaluate.answers import FILE
from image_classifier.evaluate.evaluation import PAGE, REPORT
from image_classifier.evaluate.report.model import Report
from image_classifier.promote.decision import Decision
from image_classifier.watch.seen import Seen

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

READERS = 16
MOST_VERSIONS = 50
MOST_DECISIONS = 100
MOST_TEST_IMAGES = 5_000  # on one page


@dataclass(frozen=True)
class Place:
    """The S3 prefix of a model's evaluation; the newest, if the model was evaluated on several test sets."""

    prefix: str
    evaluated: datetime

    @property
    def report(self) -> str:
        return self.prefix + REPORT

    @property
    def page(self) -> str:
        return self.prefix + PAGE


@dataclass(frozen=True)
class Decided:
    """A decision, and the time of its run as in its key, such as ``20261128T050000Z``."""

    time: str
    decision: Decision


@dataclass(frozen=True)
class Version:
    """One model.

    Attributes:
        number: its version in the registry; None if the watch Dag has not seen it there.
        approval: its approval status in the registry.
        is_champion: whether it was deployed last.
        report: the report of its evaluation; None if there is none.

    """

    training_job: str
    number: int | None
    approval: str | None
    is_champion: bool
    evaluated: datetime | None
    report: Report | None
    decided: Decided | None


@dataclass(frozen=True)
class TestImage:
    """A test image and a model's answer for it."""

    key: str
    label: str
    predicted: str
    confidence: float


@dataclass(frozen=True)
class Models:
    """The models of one classifier."""

    s3: "S3Client"
    bucket: str
    keys: Keys

    def versions(self, *, seen: Seen | None, champion: str | None) -> list[Version]:
        """Return the newest `MOST_VERSIONS` models, the newest first.

        Raises:
            StorageError: S3 has a transient error.
            DatasetError: S3 refuses to return the objects.

        """
        registered = {one.training_job: one for one in seen.versions} if seen else {}
        places = self.places()
        jobs = {*registered, *places, *([champion] if champion else [])}
        newest = sorted(jobs, key=lambda job: _age(job, places, registered), reverse=True)[:MOST_VERSIONS]
        decided = {one.decision.candidate: one for one in reversed(self.decisions())}
        with ThreadPoolExecutor(READERS) as readers:
            reports = list(readers.map(lambda job: self.report(places[job]) if job in places else None, newest))
        return [
            Version(
                job,
                registered[job].number if job in registered else None,
                registered[job].approval if job in registered else None,
                job == champion,
                places[job].evaluated if job in places else None,
                report,
                decided.get(job),
            )
            for job, report in zip(newest, reports, strict=True)
        ]

    def places(self) -> dict[str, Place]:
        """Return the newest evaluation of each model, by training job."""
        folders = self._folders(self.keys.evaluations)
        with ThreadPoolExecutor(READERS) as readers:
            found = readers.map(self._place, folders)
            jobs = (folder.removeprefix(self.keys.evaluations).rstrip("/") for folder in folders)
            return {job: place for job, place in zip(jobs, found, strict=True) if place}

    def place(self, training_job: str) -> Place | None:
        """Return the newest evaluation of one model, or None if it has none."""
        return self._place(f"{self.keys.evaluations}{training_job}/")

    def report(self, place: Place) -> Report | None:
        """Return the report of an evaluation; None if it is missing, or in another release's format."""
        found = read(self.s3, bucket=self.bucket, key=place.report)
        try:
            return Report.model_validate_json(found[0]) if found else None
        except ValidationError as error:
            log.warning("s3://%s/%s cannot be read: %s", self.bucket, place.report, error)
            return None

    def decisions(self) -> list[Decided]:
        """Return the newest `MOST_DECISIONS` decisions, the newest first; unreadable ones are logged and skipped."""
        keys = sorted(self._keys(self.keys.promotions), reverse=True)[:MOST_DECISIONS]
        with ThreadPoolExecutor(READERS) as readers:
            return [found for found in readers.map(self._decision, keys) if found]

    def test_images(self, place: Place, *, label: str, predicted: str, right: str) -> Iterator[TestImage]:
        """Yield a model's answers for test images, by true class, predicted class, and right ("yes") or wrong ("no").

        An empty argument does not filter.
        """
        with naming(self.bucket, place.prefix + FILE, doing="read"):
            found = read(self.s3, bucket=self.bucket, key=place.prefix + FILE)
        for line in found[0].splitlines() if found else ():
            answer = json.loads(line)
            image = TestImage(answer["key"], answer["label"], answer["predicted"], max(answer["probabilities"]))
            is_wanted = label in ("", image.label) and predicted in ("", image.predicted)
            if is_wanted and (not right or (image.label == image.predicted) == (right == "yes")):
                yield image

    def _place(self, folder: str) -> Place | None:
        found = [
            Place(key.removesuffix(REPORT), written)
            for manifest in self._folders(folder)
            for key, written in self._keys(f"{manifest}{REPORT}").items()
        ]
        return max(found, key=lambda place: place.evaluated, default=None)

    def _decision(self, key: str) -> Decided | None:
        found = read(self.s3, bucket=self.bucket, key=key)
        try:
            time = key.removeprefix(self.keys.promotions).partition("-")[0]
            return Decided(time, Decision.model_validate_json(found[0])) if found else None
        except ValidationError as error:
            log.warning("s3://%s/%s is no decision: %s", self.bucket, key, error)
            return None

    def _keys(self, prefix: str) -> dict[str, datetime]:
        with naming(self.bucket, prefix, doing="list"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            return {found["Key"]: found["LastModified"] for page in pages for found in page.get("Contents", [])}

    def _folders(self, prefix: str) -> list[str]:
        with naming(self.bucket, prefix, doing="list"):
            pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, Delimiter="/")
            return [folder["Prefix"] for page in pages for folder in page.get("CommonPrefixes", [])]


def between(decisions: Sequence[Decided], one: str, other: str) -> Decided | None:
    """Return the newest decision that compared these two models, or None."""
    pair = {one, other}
    return next((found for found in decisions if {found.decision.candidate, found.decision.champion} == pair), None)


def _age(job: str, places: Mapping[str, Place], registered: Mapping[str, object]) -> tuple[float, bool, str]:
    evaluated = places[job].evaluated.timestamp() if job in places else 0.0
    return evaluated, job in registered, job
