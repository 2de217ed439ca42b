"""Renders templates to HTML; every value is escaped, because names of images in S3 may contain HTML."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi.responses import HTMLResponse

from image_classifier.contracts.record_order import is_same_upload
from image_classifier_airflow.pages.access import Visitor

FOLDER = Path(__file__).parent
PAGES = {  # relative address -> text of the navigation within a classifier
    "overview": "Overview",
    "gallery": "Gallery",
    "corrections": "Correct",
    "models": "Models",
    "dataset": "Data set",
    "upload": "Upload",
}


def address(page: str, query: Mapping[str, object] | None = None, /, **changes: object) -> str:
    """Return a relative address with a query; empty values are left out."""
    values = {name: value for name, value in {**(query or {}), **changes}.items() if value not in (None, "")}
    return f"{page}?{urlencode(values)}" if values else page


def percent(share: float | None) -> str:
    """Format a share from 0 to 1 as a percentage; an empty text for None."""
    return "" if share is None else f"{share:.1%}"


def dollars(usd: float | None) -> str:
    """Format US dollars; an empty text for None."""
    return "" if usd is None else f"{usd:,.2f} USD"


def moment(iso_time: str) -> str:
    """Format an ISO time to the second."""
    return iso_time[:19].replace("T", " ")


ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters.update(percent=percent, moment=moment, dollars=dollars)
ENVIRONMENT.tests.update(same_upload_as=is_same_upload)
ENVIRONMENT.globals.update(address=address)


def page(template: str, *, visitor: Visitor | None = None, status: int = HTTPStatus.OK, **values: Any) -> HTMLResponse:
    """Render one page; ``up`` is the relative address of the list of classifiers."""
    up = "../" if visitor else ""
    html = ENVIRONMENT.get_template(template).render(
        visitor=visitor, classifier=visitor.classifier if visitor else None, up=up, pages=PAGES, **values
    )
    return HTMLResponse(html, status)
