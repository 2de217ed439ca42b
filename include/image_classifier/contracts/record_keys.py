"""Computes the S3 keys of what belongs to one uploaded image: record, thumbnail, and entry in the log of a day.

Standard library only: the inference function packs this file.
"""

import hashlib
from datetime import UTC, datetime

from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Prediction

MAX_KEY_BYTES = 1024  # an S3 key's limit, in UTF-8
LONG_FOLDER = ".long/"


def record_key(key: str, *, incoming_prefix: str, predictions_prefix: str) -> str:
    """Where the record of the image ``key`` is stored.

    An image's key may take all of S3's 1,024 bytes and leave no room for the record's prefix and ``.json``; such a
    record is found by the SHA-256 of the image's whole key.

    Raises:
        PredictionError: the image is not below ``incoming_prefix``.

    """
    return _beside(key, ".json", incoming_prefix=incoming_prefix, prefix=predictions_prefix)


def thumbnail_key(key: str, *, incoming_prefix: str, thumbnails_prefix: str) -> str:
    """Where the thumbnail of the image ``key`` is stored; a long key is shortened as `record_key` does.

    Raises:
        PredictionError: the image is not below ``incoming_prefix``.

    """
    return _beside(key, ".jpg", incoming_prefix=incoming_prefix, prefix=thumbnails_prefix)


def correction_key(key: str, *, incoming_prefix: str, corrections_prefix: str) -> str:
    """Where a person's correction of the image ``key`` is stored; a long key is shortened as `record_key` does.

    Raises:
        PredictionError: the image is not below ``incoming_prefix``.

    """
    return _beside(key, ".json", incoming_prefix=incoming_prefix, prefix=corrections_prefix)


def log_key(prediction: Prediction, *, log_prefix: str) -> str:
    """Where the record's log entry is stored: ``<log_prefix><YYYY-MM-DD>/<HH>/<MMSS.mmm>-<16 hex>.json``.

    S3 lists keys in alphabetical order and cannot list by time, so the time of the prediction (UTC) begins the name.
    The same record has the same key; the hash keeps records of one millisecond apart.
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
