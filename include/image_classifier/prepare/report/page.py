"""Writes report.html: one file without scripts or external resources, so that people can archive and mail it."""

import base64
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from image_classifier.prepare.report import pictures as shown
from image_classifier.prepare.report.readable import readable
from image_classifier.prepare.report.schema import Distribution, Report

TEMPLATES: Final = Path(__file__).parent / "templates"
MOST_CLASS_ROWS: Final = 1000
MOST_NAMES: Final = 100
CHART_WIDTH, CHART_HEIGHT = 150, 44


def report_page(report: Report, *, pictures: Mapping[str, bytes]) -> bytes:
    """Return the bytes of report.html.

    Args:
        report: the figures.
        pictures: the result of `pictures.pictures`; the page says where one is missing.

    """
    page = _template().render(
        report=report,
        pictures=data_uris(pictures),
        most=shown,
        most_rows=MOST_CLASS_ROWS,
        most_names=MOST_NAMES,
        bars=_bars,
        chart=(CHART_WIDTH, CHART_HEIGHT),
    )
    return readable(page).encode()


def data_uris(pictures: Mapping[str, bytes]) -> dict[str, str]:
    """Return each JPEG as a data URI."""
    return {name: f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}" for name, jpeg in pictures.items()}


def page_environment(templates: Path) -> Environment:
    """Return the Jinja environment of a folder, which escapes values and raises for unknown names."""
    return Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _template() -> Template:
    environment = page_environment(TEMPLATES)
    environment.filters["number"] = "{:,}".format
    return environment.get_template("report.html.jinja")


def _bars(distribution: Distribution) -> list[tuple[float, float, float, float]]:
    """Return (x, y, width, height) of a histogram's bars."""
    counts = distribution["counts"]
    width, highest = CHART_WIDTH / len(counts), max(counts)
    heights = [CHART_HEIGHT * count / highest for count in counts]
    return [
        (round(place * width, 1), round(CHART_HEIGHT - height, 1), round(width - 0.4, 1), round(height, 1))
        for place, height in enumerate(heights)
        if height
    ]
