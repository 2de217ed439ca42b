"""Templates to HTML. Every value is escaped, whatever an image in S3 is named."""

from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from fastapi.responses import HTMLResponse

from image_classifier_airflow.pages.access import Visitor

FOLDER = Path(__file__).parent
PAGES = {  # address -> text of the navigation within a classifier
    "overview": "Overview",
    "gallery": "Gallery",
    "corrections": "Correct",
    "models": "Models",
    "dataset": "Data set",
    "upload": "Upload",
}


def address(page: str, query: Mapping[str, object] | None = None, /, **changes: object) -> str:
    """A relative address with a query; what is None or empty is left out."""
    values = {name: value for name, value in {**(query or {}), **changes}.items() if value not in (None, "")}
    return f"{page}?{urlencode(values)}" if values else page


def percent(share: float | None) -> str:
    """A share as people read it; an empty text for none."""
    return "" if share is None else f"{share:.1%}"


def dollars(usd: float | None) -> str:
    """US dollars; an empty text for none."""
    return "" if usd is None else f"{usd:,.2f} USD"


def moment(iso_time: str) -> str:
    """An ISO time to the second."""
    return iso_time[:19].replace("T", " ")


ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.filters.update(percent=percent, moment=moment, dollars=dollars)
ENVIRONMENT.globals.update(address=address)


def page(template: str, *, visitor: Visitor | None = None, status: int = HTTPStatus.OK, **values: Any) -> HTMLResponse:
    """One page; ``up`` leads from it to the list of classifiers."""
    up = "../" if visitor else ""
    html = ENVIRONMENT.get_template(template).render(
        visitor=visitor, classifier=visitor.classifier if visitor else None, up=up, pages=PAGES, **values
    )
    return HTMLResponse(html, status)
