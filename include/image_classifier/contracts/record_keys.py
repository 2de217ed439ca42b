"""Computes the S3 keys of one uploaded image's record, thumbnail, correction and log entry.

Standard library only: the inference function packs this file.
"""

import hashlib
from datetime import UTC, datetime

from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Prediction

MAX_KEY_BYTES = 1024  # an S3 key's limit, in UTF-8
LONG_FOLDER = ".long/"
CHECK_FOLDER = ".check/"  # below incoming/: images of a run's check and of the watch Dag, left out of every statistic


def record_key(key: str, *, incoming_prefix: str, predictions_prefix: str) -> str:
    """Return the S3 key of the prediction record of the image ``key``.

    A record's key would exceed S3's 1,024 bytes if the image's key is long; such a record has the SHA-256 of the
    image's whole key in its place.

    Raises:
        PredictionError: the image is not below ``incoming_prefix``.

    """
    return _beside(key, ".json", incoming_prefix=incoming_prefix, prefix=predictions_prefix)


def thumbnail_key(key: str, *, incoming_prefix: str, thumbnails_prefix: str) -> str:
    """Return the S3 key of the thumbnail of the image ``key``; a long key is shortened as in `record_key`.

    Raises:
        PredictionError: the image is not below ``incoming_prefix``.

    """
    return _beside(key, ".jpg", incoming_prefix=incoming_prefix, prefix=thumbnails_prefix)


def correction_key(key: str, *, incoming_prefix: str, corrections_prefix: str) -> str:
    """Return the S3 key of a person's correction of the image ``key``; a long key is shortened as in `record_key`.

    Raises:
        PredictionError: the image is not below ``incoming_prefix``.

    """
    return _beside(key, ".json", incoming_prefix=incoming_prefix, prefix=corrections_prefix)


def log_key(prediction: Prediction, *, log_prefix: str) -> str:
    """Return the S3 key of the record's log entry: ``<log_prefix><YYYY-MM-DD>/<HH>/<MMSS.mmm>-<16 hex>.json``.

    S3 lists keys in alphabetical order and cannot list by time, so the name begins with the prediction's time (UTC).
    The same record always has the same key; the hash separates records of the same millisecond.
    """
    at = datetime.fromisoformat(prediction.times.predicted).astimezone(UTC)
    image = prediction.image
    digest = hashlib.sha256(f"{image.key}\n{image.version_id}\n{prediction.generation}".encode()).hexdigest()[:16]
    return f"{log_prefix}{at:%Y-%m-%d}/{at:%H}/{at:%M%S}.{at.microsecond // 1000:03d}-{digest}.json"


def _beside(key: str, ending: str, *, incoming_prefix: str, prefix: str) -> str:
    if not key.startswith(incoming_prefix):
        raise PredictionError(f"Only images below {incoming_prefix} have prediction records, found {key}")
    beside = f"{prefix}{key.removeprefix(incoming_prefix)}{ending}"
    if len(beside.encode()) <= MAX_KEY_BYTES:
        return beside
    return f"{prefix}{LONG_FOLDER}{hashlib.sha256(key.encode()).hexdigest()}{ending}"
