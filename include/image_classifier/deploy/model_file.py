"""Stores what the function must know of a model beside its artifact: its classes, and the pixels it was trained on."""

import json
import logging
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import read_written
from image_classifier.classifier import Classifier
from image_classifier.contracts.labels import parse_labels

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from image_classifier.evaluate.report.model import Report

log = logging.getLogger(__name__)


def publish_model_file(
    s3: "S3Client",
    *,
    bucket: str,
    classifier: Classifier,
    labels_key: str,
    training_job: str,
    report: "Report | None" = None,
) -> str:
    """Write model.json to where the function finds it by the variant that answered; the same model, the same bytes.

    It is the data set version's labels.json, how images become what this model sees, and the report's temperature and
    thresholds: while an update lets two models answer, and after going back, each has its own.

    Args:
        s3: the client.
        bucket: of the deployment.
        classifier: whose pixels the model sees.
        labels_key: of the data set version's labels.json.
        training_job: which trained the model.
        report: of the model's evaluation; None without test images.

    """
    labels = json.loads(read_written(s3, bucket=bucket, key=labels_key))
    seen = classifier.pixels.model_dump(exclude={"unmodified"})
    pixels = {"side_px": classifier.hyperparameters.side_px, **seen, "as_is": classifier.pixels.unmodified}
    key = Keys(classifier.name).model_file(training_job)
    document = {**labels, "pixels": pixels, **_calibration(report)}
    body = json.dumps(document, ensure_ascii=False).encode()
    s3.put_object(Bucket=bucket, Key=key, Body=body, ContentType="application/json")
    log.info("What %s answers is described by s3://%s/%s", training_job, bucket, key)
    return key


def _calibration(report: "Report | None") -> dict[str, Any]:
    """What the function applies with `calibrate`, and with `unsure_below: auto`."""
    if report is None:
        return {}
    found = {
        "temperature": report.calibration.after.temperature,
        "unsure_below": report.unsure.auto,
        "unsure_below_calibrated": report.unsure.auto_calibrated,
    }
    return {"calibration": found}


def read_labels(s3: "S3Client", *, bucket: str, key: str) -> tuple[str, ...]:
    """The classes, by index."""
    return parse_labels(read_written(s3, bucket=bucket, key=key))
