"""Stores people's corrections; an answer that would overwrite another person's unseen answer is a conflict."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import read
from image_classifier.contracts.corrections import MAX_LABEL_CHARACTERS, Answer, Correction, Reason
from image_classifier.contracts.errors import CorrectionError, PredictionError, StorageError
from image_classifier.contracts.predictions import Prediction
from image_classifier.contracts.record_keys import MAX_KEY_BYTES
from image_classifier.corrections.store import READERS, CorrectionConflictError, Corrections, Stored
from image_classifier.gallery.picture import LARGEST_PICTURE_BYTES, picture_sha256
from image_classifier_airflow.pages import storage
from image_classifier_airflow.pages.access import Changing, Visitor
from image_classifier_airflow.pages.images import place_of
from image_classifier_airflow.pages.labels import RECENT, known_labels

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)
router = APIRouter()

MOST_AT_ONCE = 1_000


class Said(BaseModel):
    """One answer.

    Attributes:
        etag: that of the correction that the person saw; empty if there was none.
        reason: of the earlier correction that an undo restores; None for a new answer.

    """

    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, Field(min_length=1, max_length=MAX_KEY_BYTES)]
    etag: Annotated[str, Field(max_length=128)] = ""
    answer: Answer
    label: Annotated[str, Field(min_length=1, max_length=MAX_LABEL_CHARACTERS)] | None = None
    reason: Reason | None = None


class Request(BaseModel):
    """The answers of one request."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason
    answers: Annotated[list[Said], Field(min_length=1, max_length=MOST_AT_ONCE)]


@router.post("/{classifier}/corrections")
def correct(visitor: Changing, request: Request) -> dict[str, list[dict[str, Any]]]:
    """Store each answer; one that cannot be stored does not affect the others.

    Returns ``results`` in the order of the request, each with key, state (saved, conflict or refused), etag, answer,
    label, reason, by and sentence; for a conflict these are those of the other person.
    """
    prefix = Keys(visitor.classifier.name).incoming
    if foreign := [said.key for said in request.answers if not said.key.startswith(prefix)]:
        raise HTTPException(404, f"The classifier {visitor.classifier.name} has no image {foreign[0]}.")
    stored, s3 = storage.corrections(visitor.classifier), storage.s3(visitor.classifier)
    labels = known_labels(visitor.classifier, storage.records(visitor.classifier).newest(RECENT).rows)

    def one(said: Said) -> dict[str, Any]:
        try:
            _check_label(said, labels)
            earlier = stored.current(said.key) if said.answer == "withdrawn" else None
            correction = _correction(visitor, s3, said, said.reason or request.reason, earlier=earlier)
            return {**_told(correction), "state": "saved", "etag": _write(stored, correction, said)}
        except CorrectionConflictError as error:
            other = error.stored
            told = _told(other.correction) if other else {"key": said.key}
            return {**told, "state": "conflict", "etag": other.etag if other else "", "sentence": str(error)}
        except (CorrectionError, PredictionError) as error:
            return {"key": said.key, "state": "refused", "sentence": str(error)}
        except StorageError as error:
            log.warning("A correction could not be stored: %s", error)
            return {"key": said.key, "state": "refused", "sentence": "S3 does not answer in time. Try again."}

    with ThreadPoolExecutor(READERS) as writers:
        return {"results": list(writers.map(one, request.answers))}


def _write(stored: Corrections, correction: Correction, said: Said) -> str:
    return stored.write(correction, seen=said.etag or None)


def _check_label(said: Said, labels: tuple[str, ...]) -> None:
    if (said.label is not None) != (said.answer in ("label", "proposed")):
        raise CorrectionError(f"The answer {said.answer} of {said.key} does not fit its class {said.label!r}.")
    if said.answer == "label" and said.label not in labels:
        raise CorrectionError(f"The model has no class {said.label}. It can be proposed as a new class.")


def _correction(visitor: Visitor, s3: "S3Client", said: Said, reason: Reason, *, earlier: Stored | None) -> Correction:
    """Build the correction from the answer, the record's model and class, and the hash of the record's image.

    If the answer withdraws ``earlier``, these are the earlier correction's: the image may be gone by now.
    """
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    if earlier:
        return replace(earlier.correction, answer=said.answer, label=None, reason=reason, by=visitor.name, at=at)
    place = place_of(visitor, said.key)
    found = read(s3, bucket=place.bucket, key=place.record)
    record = Prediction.from_json(found[0]) if found else None
    version = record.image.version_id if record else None
    sha256 = picture_sha256(s3, bucket=place.bucket, key=said.key, most_bytes=LARGEST_PICTURE_BYTES, version_id=version)
    if record is None or sha256 is None:
        raise CorrectionError(f"{said.key} or its prediction record is no longer there, or is too large to correct.")
    return Correction(
        key=said.key,
        version_id=version,
        sha256=sha256,
        answer=said.answer,
        label=said.label,
        label_before=record.label,
        training_job=record.model.training_job if record.model else None,
        reason=reason,
        by=visitor.name,
        at=at,
    )


def _told(correction: Correction) -> dict[str, Any]:
    return {
        "key": correction.key,
        "answer": correction.answer,
        "label": correction.label,
        "is_right": correction.is_right,
        "reason": correction.reason,
        "by": correction.by,
    }
