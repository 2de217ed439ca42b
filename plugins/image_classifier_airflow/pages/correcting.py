"""Shows the pages for corrections: the blind random sample with its accuracy, and the newest corrections."""

from collections import Counter
from typing import Any

from fastapi import APIRouter, Response

from image_classifier.aws.names import Keys
from image_classifier.contracts.corrections import Correction
from image_classifier.corrections.store import Corrections, Stored, count_by_person
from image_classifier.evaluate.live_accuracy import LiveAccuracy, live_accuracy
from image_classifier.gallery.newest import MOST_RECORDS
from image_classifier.gallery.rows import Row
from image_classifier.gallery.sample import blind_queue
from image_classifier_airflow.pages import storage
from image_classifier_airflow.pages.access import Looking, Visitor
from image_classifier_airflow.pages.labels import RECENT, known_labels, shortcuts
from image_classifier_airflow.pages.rendering import page

router = APIRouter()

AT_ONCE = 24
SHOWN = 60  # number of the newest corrections on the page


@router.get("/{classifier}/corrections")
def show_corrections(visitor: Looking) -> Response:
    """Show the figures of the sample, the newest corrections, and the classes that people proposed."""
    rows, stored = _rows(visitor), _all(visitor)
    said = sorted((one.correction for one in stored.values()), key=lambda one: one.at, reverse=True)
    job, labels = _live_job(rows), known_labels(visitor.classifier, rows)
    return page(
        "corrections.html",
        visitor=visitor,
        active="corrections",
        job=job,
        live=_accuracy(stored, job),
        unsure=sum(row.status == "unsure" and row.key not in stored for row in rows),
        people=count_by_person(said),
        reasons=Counter(one.reason for one in said),
        proposed=Counter(one.label for one in said if one.answer == "proposed").most_common(),
        newest=said[:SHOWN],
        stored=stored,
        total=len(said),
        incoming=Keys(visitor.classifier.name).incoming,
        labels=labels,
        keys_of_labels=shortcuts(labels),
        reason="search",
    )


@router.get("/{classifier}/sample")
def show_sample(visitor: Looking) -> Response:
    """Show the next images of the blind random sample, without the predictions."""
    rows, stored = _rows(visitor), _all(visitor)
    job = _live_job(rows)
    queue = blind_queue(rows, _corrections(stored), training_job=job) if job else []
    shown, labels = queue[:AT_ONCE], known_labels(visitor.classifier, rows)
    return page(
        "sample.html",
        visitor=visitor,
        active="corrections",
        rows=shown,
        left=len(queue),
        job=job,
        live=_accuracy(stored, job),
        corrections=storage.corrections(visitor.classifier).of(row.key for row in shown),
        labels=labels,
        keys_of_labels=shortcuts(labels),
        incoming=Keys(visitor.classifier.name).incoming,
        reason="random",
    )


@router.get("/{classifier}/sample-accuracy")
def tell_accuracy(visitor: Looking) -> dict[str, Any]:
    """Return the sample's accuracy as right, of, value, low and high, and the number of answers still needed."""
    recent = storage.records(visitor.classifier).newest(RECENT).rows
    live = _accuracy(_all(visitor), _live_job(recent))
    return {**live.accuracy.model_dump(), "more": live.more} if live else {"of": 0}


def _rows(visitor: Visitor) -> list[Row]:
    return storage.records(visitor.classifier).newest(MOST_RECORDS).rows


def _all(visitor: Visitor) -> dict[str, Stored]:
    stored: Corrections = storage.corrections(visitor.classifier)
    return stored.all()


def _corrections(stored: dict[str, Stored]) -> dict[str, Correction]:
    return {key: one.correction for key, one in stored.items()}


def _live_job(rows: list[Row]) -> str | None:
    """Return the training job of the model that answered last, or None."""
    return next((row.training_job for row in rows if row.training_job), None)


def _accuracy(stored: dict[str, Stored], job: str | None) -> LiveAccuracy | None:
    return live_accuracy(_corrections(stored).values(), training_job=job) if job else None
