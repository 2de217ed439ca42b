"""Shows the gallery of a classifier's predictions, filtered by the query of the address, and exports them."""

import itertools
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from image_classifier.aws.names import Keys
from image_classifier.contracts.corrections import Reason
from image_classifier.corrections.store import Stored
from image_classifier.gallery.export import as_csv, as_json_lines
from image_classifier.gallery.filters import ORDERS, STATUSES, Filter, selected
from image_classifier.gallery.newest import MOST_RECORDS, Newest
from image_classifier.gallery.rows import Row
from image_classifier_airflow.pages import storage
from image_classifier_airflow.pages.access import Looking, Visitor
from image_classifier_airflow.pages.corrections import MOST_AT_ONCE
from image_classifier_airflow.pages.labels import known_labels, shortcuts
from image_classifier_airflow.pages.rendering import page

router = APIRouter()

PAGE = 60
LINES_AT_ONCE = 1_000  # of an export; each piece is sent by a thread of its own
DAY_RECORDS = 200_000  # rows of one selected day
ORDER_NAMES = {
    "newest": "newest first",
    "least_sure": "least sure first",
    "most_sure": "most sure first",
    "likely_mistakes": "likely mistakes first",
    "disagreement": "other model disagrees",
}

Start = Annotated[int, Query(ge=0, le=DAY_RECORDS)]


def _chosen(request: Request) -> Filter:
    """Parse the filter from the address; FastAPI's parsing of a model would allow no other parameter."""
    try:
        return Filter.model_validate({name: value for name, value in request.query_params.items() if value})
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


Chosen = Annotated[Filter, Depends(_chosen)]


@router.get("/{classifier}/matching")
def list_matching(visitor: Looking, chosen: Chosen) -> dict[str, Any]:
    """Return at most `MOST_AT_ONCE` predictions that the filter selects, for one answer to all of them.

    Returns ``found``, their number, and ``images`` in the filter's order, each with key, label, etag, answer and
    answer_label.
    """
    _, rows = find(visitor, chosen, needed=MOST_AT_ONCE)
    first = rows[:MOST_AT_ONCE]
    corrections = storage.corrections(visitor.classifier).of(row.key for row in first)
    return {"found": len(rows), "images": [_image(row, corrections.get(row.key)) for row in first]}


def _image(row: Row, stored: Stored | None) -> dict[str, str]:
    found = {"key": row.key, "label": row.label or "", "etag": stored.etag if stored else ""}
    if stored is None:
        return found
    said = stored.correction
    return {**found, "answer": said.answer, "answerLabel": said.label or "", "answerReason": said.reason}


@router.get("/{classifier}/gallery")
def show_gallery(visitor: Looking, chosen: Chosen, start: Start = 0) -> Response:
    """Show one page of the predictions that the filter selects."""
    newest, rows = find(visitor, chosen, needed=start + PAGE + 1)
    labels, shown = known_labels(visitor.classifier, newest.rows), rows[start : start + PAGE]
    return page(
        "gallery.html",
        visitor=visitor,
        active="gallery",
        chosen=chosen,
        query=chosen.as_query(),
        rows=shown,
        start=start,
        page_size=PAGE,
        found=len(rows),
        newest=newest,
        most_records=MOST_RECORDS,
        corrections=storage.corrections(visitor.classifier).of(row.key for row in shown),
        labels=labels,
        keys_of_labels=shortcuts(labels),
        models=_models(newest.rows),
        statuses=STATUSES,
        orders={order: ORDER_NAMES[order] for order in ORDERS},
        incoming=Keys(visitor.classifier.name).incoming,
        reason=reason_of(chosen),
        most_at_once=MOST_AT_ONCE,
    )


def reason_of(chosen: Filter) -> Reason:
    """Return why the filter's images are shown; neither is in the measured accuracy, which both would bias."""
    return "unsure" if chosen.status == "unsure" else "search"


@router.get("/{classifier}/export.csv")
def export_csv(visitor: Looking, chosen: Chosen) -> Response:
    """Send the predictions that the filter selects, as CSV."""
    return _download(visitor, chosen, kind="csv")


@router.get("/{classifier}/export.jsonl")
def export_json_lines(visitor: Looking, chosen: Chosen) -> Response:
    """Send the predictions that the filter selects, as JSON Lines."""
    return _download(visitor, chosen, kind="jsonl")


def _download(visitor: Visitor, chosen: Filter, *, kind: str) -> Response:
    _, rows = find(visitor, chosen, needed=MOST_RECORDS)
    stored = storage.corrections(visitor.classifier).among(row.key for row in rows)
    corrections = {key: found.correction for key, found in stored.items()}
    lines: Iterator[str] = as_csv(rows, corrections) if kind == "csv" else as_json_lines(rows, corrections)
    media = "text/csv; charset=utf-8" if kind == "csv" else "application/x-ndjson"
    name = f"{visitor.classifier.name}-predictions.{kind}"
    pieces = iter(lambda: "".join(itertools.islice(lines, LINES_AT_ONCE)), "")
    return StreamingResponse(
        pieces, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def find(visitor: Visitor, chosen: Filter, *, needed: int) -> tuple[Newest, list[Row]]:
    """Return the newest records, and those of them that the filter selects."""
    limit = DAY_RECORDS if chosen.day else min(needed, MOST_RECORDS) if chosen.is_plain else MOST_RECORDS
    newest = storage.records(visitor.classifier).newest(limit, day=chosen.day)
    keys = (row.key for row in newest.rows)
    corrected = storage.corrections(visitor.classifier).among(keys) if chosen.corrected else {}
    incoming = Keys(visitor.classifier.name).incoming
    return newest, selected(newest.rows, chosen, incoming=incoming, corrected=corrected)


def _models(rows: list[Row]) -> list[str]:
    return sorted({row.training_job for row in rows if row.training_job})
