"""The gallery: a classifier's predictions as pictures, filtered by what stands in the address; and their export."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import StreamingResponse
from pydantic import ValidationError

from image_classifier.aws.names import Keys
from image_classifier.corrections.store import Stored
from image_classifier.gallery.export import as_csv, as_json_lines
from image_classifier.gallery.filters import ORDERS, STATUSES, Filter, selected
from image_classifier.gallery.newest import MOST_RECORDS, Newest
from image_classifier.gallery.rows import Row
from image_classifier_airflow.pages import storage
from image_classifier_airflow.pages.access import Looking, Visitor
from image_classifier_airflow.pages.labels import known_labels, shortcuts
from image_classifier_airflow.pages.rendering import page

router = APIRouter()

PAGE = 60
DAY_RECORDS = 200_000  # of one day that was chosen
ORDER_NAMES = {
    "newest": "newest first",
    "least_sure": "least sure first",
    "most_sure": "most sure first",
    "likely_mistakes": "likely mistakes first",
    "disagreement": "other model disagrees",
}

Start = Annotated[int, Query(ge=0, le=DAY_RECORDS)]


def _chosen(request: Request) -> Filter:
    """The filter of the address; FastAPI's own reading of a model takes no other parameter beside it."""
    try:
        return Filter.model_validate({name: value for name, value in request.query_params.items() if value})
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


Chosen = Annotated[Filter, Depends(_chosen)]


@router.get("/{classifier}/gallery")
def show_gallery(visitor: Looking, chosen: Chosen, start: Start = 0) -> Response:
    """One page of the predictions that the filter selects."""
    newest, rows, corrections = _find(visitor, chosen, needed=start + PAGE + 1)
    labels = known_labels(visitor.classifier, newest.rows)
    return page(
        "gallery.html",
        visitor=visitor,
        active="gallery",
        chosen=chosen,
        query=chosen.as_query(),
        rows=rows[start : start + PAGE],
        start=start,
        page_size=PAGE,
        found=len(rows),
        newest=newest,
        most_records=MOST_RECORDS,
        corrections=corrections,
        labels=labels,
        keys_of_labels=shortcuts(labels),
        models=_models(newest.rows),
        statuses=STATUSES,
        orders={order: ORDER_NAMES[order] for order in ORDERS},
        incoming=Keys(visitor.classifier.name).incoming,
        reason="search",
    )


@router.get("/{classifier}/export.csv")
def export_csv(visitor: Looking, chosen: Chosen) -> Response:
    """The predictions that the filter selects, as CSV."""
    return _download(visitor, chosen, kind="csv")


@router.get("/{classifier}/export.jsonl")
def export_json_lines(visitor: Looking, chosen: Chosen) -> Response:
    """The predictions that the filter selects, as JSON Lines."""
    return _download(visitor, chosen, kind="jsonl")


def _download(visitor: Visitor, chosen: Filter, *, kind: str) -> Response:
    _, rows, stored = _find(visitor, chosen, needed=MOST_RECORDS)
    corrections = {key: found.correction for key, found in stored.items()}
    lines: Iterator[str] = as_csv(rows, corrections) if kind == "csv" else as_json_lines(rows, corrections)
    media = "text/csv; charset=utf-8" if kind == "csv" else "application/x-ndjson"
    name = f"{visitor.classifier.name}-predictions.{kind}"
    return StreamingResponse(lines, media_type=media, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _find(visitor: Visitor, chosen: Filter, *, needed: int) -> tuple[Newest, list[Row], dict[str, Stored]]:
    """The newest records, those of them that the filter selects, and the corrections by image key."""
    corrections = storage.corrections(visitor.classifier).all()
    limit = DAY_RECORDS if chosen.day else min(needed, MOST_RECORDS) if chosen.is_plain else MOST_RECORDS
    newest = storage.records(visitor.classifier).newest(limit, day=chosen.day)
    incoming = Keys(visitor.classifier.name).incoming
    return newest, selected(newest.rows, chosen, incoming=incoming, corrected=corrections), corrections


def _models(rows: list[Row]) -> list[str]:
    return sorted({row.training_job for row in rows if row.training_job})
