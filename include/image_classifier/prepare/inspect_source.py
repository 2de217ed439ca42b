"""Inspects a source without a classifier and without AWS, and reports which images a run would use and leave out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.contracts.training.sentences import problems_of
from image_classifier.prepare.preparation import Preparation, list_images
from image_classifier.prepare.report import document
from image_classifier.prepare.report.schema import Report
from image_classifier.prepare.sources.opening import open_source
from image_classifier.prepare.stores import NoStore

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

NAME = "inspected"


@dataclass(frozen=True)
class Inspection:
    """The result of an inspection.

    Attributes:
        page: the bytes of report.html.

    """

    report: Report
    page: bytes

    def write(self, folder: Path) -> Path:
        """Write report.json and report.html to a folder; return the page's path."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_bytes(document.dumps(self.report))
        (folder / "report.html").write_bytes(self.page)
        return folder / "report.html"

    def as_text(self) -> str:
        """Return the figures and warnings, one per line."""
        splits = ", ".join(f"{sum(counted.values()):,} {split}" for split, counted in self.report["images"].items())
        left_out = [f"{count:,} {name}" for name, count in self.report["counts"].items() if count and name != "used"]
        return "\n".join(
            (
                self.report["level"],
                f"{len(self.report['labels']):,} classes; {self.report['counts']['used']:,} images are used: {splits}.",
                f"Left out: {', '.join(left_out).replace('_', ' ') or 'nothing'}.",
                *(f"Warning: {warning}" for warning in self.report["warnings"]),
            )
        )


def inspect_source(
    source: str, *, fields: Mapping[str, Any], s3: "S3Client | None", on_progress: Callable[[str], None]
) -> Inspection:
    """Do everything that the group prepare does with a source, but store nothing.

    Args:
        source: the source as in a classifier's file; a relative path starts at the current folder.
        fields: other fields of a classifier's file: see `inspect_arguments.FIELDS`.
        s3: the S3 client for a source in S3, otherwise None.
        on_progress: receives a line of text every few seconds.

    Raises:
        ClassifierFileError: the source's address or a field is wrong.
        DatasetError: the images cannot be trained on.

    """
    classifier = described(NAME, {**fields, "source": source})
    opened = open_source(classifier, s3=s3, data_folder=Path.cwd())
    found = list_images(classifier, opened)
    preparation = Preparation(classifier, opened, found, NoStore())
    on_progress(preparation.size)
    dataset = preparation.dataset(found.classes, on_progress=on_progress)
    report = preparation.report(dataset)
    return Inspection(report, preparation.page(dataset, report))


def described(name: str, fields: Mapping[str, Any]) -> Classifier:
    """Return the classifier that has these fields, as if they were those of a classifier's file.

    Raises:
        ClassifierFileError: a field is wrong.

    """
    try:
        return Classifier.model_validate({**fields, "name": name})
    except ValidationError as error:
        raise ClassifierFileError(" ".join(problems_of(error))) from error
