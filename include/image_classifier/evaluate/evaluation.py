"""Evaluates a model on the test images of a data set version: builds the transform requests and the report."""

import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import PredictionError
from image_classifier.evaluate.answers import FILE, answers_of, write_answers
from image_classifier.evaluate.images import VersionImage, input_manifest, to_score, version_images
from image_classifier.evaluate.results import read_results
from image_classifier.evaluate.transform_jobs import largest_prepared_bytes, transform_request
from image_classifier.prepare.layout.split_folders import few

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from image_classifier.evaluate.report.assemble import Subject
    from image_classifier.evaluate.report.model import Report, TuningFigures
    from image_classifier.evaluate.report.scored import Table

log = logging.getLogger(__name__)

REPORT, PAGE = "report.json", "report.html"
PICTURE_PX = 120


@dataclass(frozen=True)
class Evaluation:
    """Identifies the evaluation of one model on the test images of one data set version.

    Attributes:
        fingerprint: fingerprint of the data set version.
        test_manifest: SHA-256 of its test.manifest, hexadecimal.

    """

    classifier: str
    bucket: str
    training_job: str
    fingerprint: str
    test_manifest: str

    @property
    def keys(self) -> Keys:
        return Keys(self.classifier)

    @property
    def prefix(self) -> str:
        return self.keys.evaluation(self.training_job, test_manifest=self.test_manifest)

    @property
    def output(self) -> str:
        """Return the prefix of the transform job's results."""
        return f"{self.prefix}output/"

    def images(self, s3: "S3Client") -> tuple[VersionImage, ...]:
        return version_images(s3, bucket=self.bucket, version=self.keys.version(self.fingerprint))

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"


def request_for_candidate(
    s3: "S3Client", evaluation: Evaluation, *, classifier: Classifier, model: str
) -> dict[str, Any] | None:
    """Return the request of the transform job that scores test and validation images; None if the report exists.

    The validation images only serve to fit the temperature.
    """
    if storage.object_exists(s3, bucket=evaluation.bucket, key=evaluation.prefix + REPORT):
        return None
    test, validation = to_score(evaluation.images(s3))
    manifest = input_manifest([*test, *validation], bucket=evaluation.bucket, root=evaluation.keys.dataset)
    return _request(s3, evaluation, manifest, classifier=classifier, model=model)


def request_for_champion(
    s3: "S3Client", evaluation: Evaluation, *, classifier: Classifier, model: str
) -> dict[str, Any] | None:
    """Return the request of the transform job that scores the same test images; None if their answers are stored."""
    if storage.object_exists(s3, bucket=evaluation.bucket, key=evaluation.prefix + FILE):
        return None
    test, _ = to_score(evaluation.images(s3))
    manifest = input_manifest(test, bucket=evaluation.bucket, root=evaluation.keys.dataset)
    return _request(s3, evaluation, manifest, classifier=classifier, model=model)


def keep_answers(s3: "S3Client", evaluation: Evaluation, *, labels: Sequence[str]) -> None:
    """Store the transform job's answers for the test images, unless they are stored already."""
    if storage.object_exists(s3, bucket=evaluation.bucket, key=evaluation.prefix + FILE):
        return
    test, _ = to_score(evaluation.images(s3))
    results = read_results(s3, bucket=evaluation.bucket, prefix=evaluation.output, keys=[image.key for image in test])
    answers = answers_of(test, results, labels=labels)
    write_answers(s3, answers, bucket=evaluation.bucket, evaluation=evaluation.prefix)


def stored_report(s3: "S3Client", evaluation: Evaluation) -> "Report | None":
    """Return the stored report, or None if there is none."""
    from image_classifier.evaluate.report.model import Report

    found = storage.read(s3, bucket=evaluation.bucket, key=evaluation.prefix + REPORT)
    return Report.model_validate_json(found[0]) if found else None


def is_current(report: "Report", *, classifier: Classifier, tuning: "TuningFigures | None") -> bool:
    """Return whether the report has the classifier's present settings of confidences and the same search."""
    unsure, calibrate = report.unsure, classifier.calibrate
    present = classifier.unsure_below
    if present == "auto":
        present = unsure.auto_calibrated if calibrate else unsure.auto
        if "auto" not in unsure.model_fields_set:  # an earlier release wrote the report
            return False
    found = (unsure.calibrate, unsure.wanted_accuracy, unsure.present, report.tuning)
    return found == (calibrate, classifier.evaluation.wanted_accuracy, present, tuning)


def write_report(s3: "S3Client", evaluation: Evaluation, subject: "Subject") -> "Report":
    """Write the answers, report.html and report.json, in this order; return the report.

    Raises:
        PredictionError: an answer does not fit the model's labels, or no test image has an answer.

    """
    from image_classifier.evaluate.report.assemble import make_report
    from image_classifier.evaluate.report.page import report_page

    test, validation = to_score(evaluation.images(s3))
    images = [*test, *validation]
    results = read_results(s3, bucket=evaluation.bucket, prefix=evaluation.output, keys=[image.key for image in images])
    tables = [_table(part, results, labels=subject.labels) for part in (test, validation)]
    missing = [image.key for image in test if image.key not in results]
    report = make_report(subject, test=tables[0], validation=tables[1], missing=missing)
    wanted = dict.fromkeys(one.key for one in (*report.mistakes, *report.label_mistakes.images))
    pictures = {key: _picture(s3, evaluation.bucket, key) for key in wanted}
    answers = answers_of(test, results, labels=subject.labels)
    write_answers(s3, answers, bucket=evaluation.bucket, evaluation=evaluation.prefix)
    for name, body, content_type in (
        (PAGE, report_page(report, pictures=pictures), "text/html; charset=utf-8"),
        (REPORT, report.document(), "application/json"),
    ):
        storage.write(s3, bucket=evaluation.bucket, key=evaluation.prefix + name, body=body, content_type=content_type)
    log.info("The report is %s", evaluation.uri(evaluation.prefix + PAGE))
    return report


def _request(
    s3: "S3Client", evaluation: Evaluation, manifest: bytes, *, classifier: Classifier, model: str
) -> dict[str, Any]:
    key = f"{evaluation.prefix}input.manifest"
    storage.write(s3, bucket=evaluation.bucket, key=key, body=manifest, content_type="application/json")
    return transform_request(
        classifier,
        model=model,
        manifest_uri=evaluation.uri(key),
        output_uri=evaluation.uri(evaluation.output),
        largest_bytes=largest_prepared_bytes(classifier),
    )


def _table(images: Sequence[VersionImage], results: dict[str, tuple[float, ...]], *, labels: Sequence[str]) -> "Table":
    from image_classifier.evaluate.report.scored import ScoredImage, scored_table

    index = {label: place for place, label in enumerate(labels)}
    if unknown := sorted({image.label for image in images} - index.keys()):
        message = f"The model does not know the classes {few(unknown)} of its own data set."
        raise PredictionError(f"{message} Prepare the data set, and train, again.")
    scored = [
        ScoredImage(
            key=image.key,
            label=index[image.label],
            probabilities=results[image.key],
            name=image.name,
            width=image.width,
            height=image.height,
            brightness=image.brightness,
        )
        for image in images
        if image.key in results
    ]
    return scored_table(scored, num_classes=len(labels))


def _picture(s3: "S3Client", bucket: str, key: str) -> bytes:
    """Return a small JPEG of a prepared image; empty if the image was deleted."""
    found = storage.read(s3, bucket=bucket, key=key)
    if found is None:
        return b""
    out = io.BytesIO()
    with Image.open(io.BytesIO(found[0])) as image:
        small = image.convert("RGB")
        small.thumbnail((PICTURE_PX, PICTURE_PX))
        small.save(out, "JPEG", quality=80)
    return out.getvalue()
