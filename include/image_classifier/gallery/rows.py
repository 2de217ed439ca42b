"""Defines the row of a prediction: the few fields of a record that filters, sorting and tiles need.

A record takes several kilobytes of memory and a row about half a kilobyte, so the API server can hold 50,000 rows.
"""

import json
import sys
from typing import Any, NamedTuple

from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import SCHEMA, Image, Prediction, Status, Times, instant
from image_classifier.contracts.record_order import is_same_upload, supersedes


class OtherAnswer(NamedTuple):
    """Another model's answer for the same upload."""

    label: str
    confidence: float
    training_job: str


class Row(NamedTuple):
    """One prediction.

    Attributes:
        key: the image's S3 key, below ``incoming/``.
        margin: the likeliest class's probability minus the second's; None where no model answered.
        likeliest: the classes after ``label``, the likeliest first.
        uploaded: ISO 8601, as is `predicted`.
        total_ms: time from the upload to the record, in milliseconds.
        other: another model's earlier answer for the same upload, if it is in the index.

    """

    key: str
    version_id: str | None
    sequencer: str | None
    status: Status
    label: str | None
    confidence: float | None
    margin: float | None
    likeliest: tuple[str, ...]
    uploaded: str
    predicted: str
    total_ms: float
    training_job: str | None
    reason: str | None
    sentence: str | None
    has_thumbnail: bool
    generation: int
    other: OtherAnswer | None = None


def row_of_json(line: str | bytes) -> Row:
    """Parse one stored record of the log or of a daily index.

    Raises:
        PredictionError: the line is not a record of schema 1.

    """
    try:
        record = json.loads(line)
        if record["schema"] != SCHEMA:
            raise PredictionError(f"Only prediction records of schema {SCHEMA} can be read, found {record['schema']!r}")
        return _row(record)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise PredictionError(f"A line of the prediction index is no record: {error!r} in {line[:80]!r}") from error


def _row(record: dict[str, Any]) -> Row:
    image, times, top = record["image"], record["times"], record["top"]
    model, reason = record["model"] or {}, record["reason"] or {}
    first, second = (*top[:2], None, None)[:2]
    for time in (times["uploaded"], times["predicted"]):
        instant(time)
    return Row(
        key=image["key"],
        version_id=image["version_id"],
        sequencer=image["sequencer"],
        status=_shared(record["status"]),
        label=_shared(record["label"]),
        confidence=record["confidence"],
        margin=first["probability"] - (second["probability"] if second else 0.0) if first else None,
        likeliest=tuple(_shared(candidate["label"]) for candidate in top[1:]),
        uploaded=times["uploaded"],
        predicted=times["predicted"],
        total_ms=float(times["total_ms"]),
        training_job=_shared(model.get("training_job")),
        reason=_shared(reason.get("code")),
        sentence=reason.get("sentence"),
        has_thumbnail=bool(record.get("thumbnail")),
        generation=record.get("generation", 0),
    )


def _shared(text: str | None) -> Any:
    """Return one shared object for equal texts, because thousands of rows have the same label."""
    return sys.intern(text) if isinstance(text, str) else None


def merged(one: Row, other: Row) -> Row:
    """Return the current one of two rows of one image, with another model's answer for the same upload."""
    first, second = _as_prediction(one), _as_prediction(other)
    current, past = (other, one) if supersedes(second, first) else (one, other)
    if past.label is None or not is_same_upload(first, second):
        return current
    if past.training_job == current.training_job or past.confidence is None or past.training_job is None:
        return current
    return current._replace(other=OtherAnswer(past.label, past.confidence, past.training_job))


def _as_prediction(row: Row) -> Prediction:
    """Return a record with the fields that decide which of two is current."""
    image = Image(bucket="", key=row.key, version_id=row.version_id, etag=None, bytes=0, sequencer=row.sequencer)
    times = Times(uploaded=row.uploaded, predicted=row.predicted, endpoint_ms=None, total_ms=row.total_ms)
    return Prediction(status=row.status, image=image, times=times, generation=row.generation)
