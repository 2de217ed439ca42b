"""Writes model.json, from which the function reads a model's labels, pixel parameters, temperature and thresholds."""

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
    """Write model.json at the key that the function computes from the variant's name; equal models give equal bytes.

    It contains the data set version's labels.json, the pixel parameters, and the report's temperature and thresholds.
    Every model has a file of its own, because two models answer during an update, and a rollback returns to an old one.

    Args:
        s3: the S3 client.
        bucket: the deployment's bucket.
        classifier: the classifier whose pixel parameters the model needs.
        labels_key: S3 key of the data set version's labels.json.
        training_job: name of the job that trained the model.
        report: the report of the model's evaluation; None without test images.

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
    """Return the fields that the function uses for `calibrate` and for `unsure_below: auto`."""
    if report is None:
        return {}
    found = {
        "temperature": report.calibration.after.temperature,
        "unsure_below": report.unsure.auto,
        "unsure_below_calibrated": report.unsure.auto_calibrated,
    }
    return {"calibration": found}


def read_labels(s3: "S3Client", *, bucket: str, key: str) -> tuple[str, ...]:
    """Return the labels by class index."""
    return parse_labels(read_written(s3, bucket=bucket, key=key))
