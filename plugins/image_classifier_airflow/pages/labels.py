"""Finds the classes that a person may choose, and assigns keyboard shortcuts to them."""

import logging
from collections.abc import Sequence

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import read
from image_classifier.aws.settings import bucket_from_env
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.labels import parse_labels
from image_classifier.gallery.rows import Row
from image_classifier_airflow.pages import storage

log = logging.getLogger(__name__)

LABELS: dict[tuple[str, str], tuple[str, ...]] = {}  # read so far, by bucket and key of the model.json
RECENT = 500  # number of newest records, which include one of the live model
TAKEN = "suwxz"  # keys for select, unclear, withdraw, not of interest, undo


def known_labels(classifier: Classifier, rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the classes of the model that answered last, and those that the classifier's file accepts beside them.

    If the model's model.json is not readable, the classes of the records take its classes' place.
    """
    jobs = [row.training_job for row in rows if row.training_job]
    if not jobs:
        return ()
    labels = _labels_of_model(classifier, jobs[0]) or tuple(sorted({row.label for row in rows if row.label}))
    return tuple(dict.fromkeys((*labels, *classifier.accepted_classes)))


def shortcuts(labels: Sequence[str]) -> dict[str, str]:
    """Return the keyboard shortcut by class: the class itself if it is one character, otherwise 1 to 9 in order."""
    single = {label: label.lower() for label in labels if len(label) == 1 and label.lower() not in TAKEN}
    if len(set(single.values())) < len(single):
        single = {}
    digits = iter(digit for digit in "123456789" if digit not in single.values())
    rest = dict(zip((label for label in labels if label not in single), digits, strict=False))
    return {label: (single | rest)[label] for label in labels if label in single or label in rest}


def _labels_of_model(classifier: Classifier, training_job: str) -> tuple[str, ...]:
    """Read a model's classes once, as they never change."""
    bucket, key = bucket_from_env(), Keys(classifier.name).model_file(training_job)
    if (bucket, key) not in LABELS:
        found = read(storage.s3_of_page(classifier), bucket=bucket, key=key)
        if found is None:
            return ()
        try:
            LABELS[bucket, key] = parse_labels(found[0])
        except DatasetError as error:
            log.warning("s3://%s/%s: %s", bucket, key, error)
            return ()
    return LABELS[bucket, key]
