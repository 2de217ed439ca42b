"""Writes report.html: one file without scripts or external resources, so that people can archive and mail it."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from jinja2 import Template

from image_classifier.evaluate.report.model import ClassFigures, Report
from image_classifier.prepare.report.page import data_uris, page_environment

TEMPLATES = Path(__file__).parent / "templates"
MOST_MATRIX_CLASSES = 25  # a larger matrix is not readable; the most confused pairs are listed anyway
MOST_CLASS_ROWS = 200


def report_page(report: Report, *, pictures: Mapping[str, bytes]) -> bytes:
    """Return the bytes of report.html.

    Args:
        report: the figures.
        pictures: small JPEGs of the mistakes, by S3 key; a missing one leaves its place empty.

    """
    page = _template().render(
        report=report,
        pictures=data_uris(pictures),
        show_matrix=len(report.labels) <= MOST_MATRIX_CLASSES,
        class_rows=weakest_first(report)[:MOST_CLASS_ROWS],
    )
    return page.encode()


def weakest_first(report: Report) -> list[ClassFigures]:
    """Return the figures of the classes, the lowest recall first, and those without test images last."""
    return sorted(report.classes, key=lambda one: one.recall.value if one.recall else 2.0)


@cache
def _template() -> Template:
    environment = page_environment(TEMPLATES)
    environment.filters.update(percent=_percent, points=_points, duration=_duration, short=_short)
    return environment.get_template("report.html.jinja")


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _points(values: list[tuple[float, float]]) -> str:
    """Return the coordinates of an SVG polyline."""
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in values)


def _short(value: str) -> str:
    """Shorten a number to four significant digits; return any other text unchanged."""
    try:
        return f"{float(value):.4g}"
    except ValueError:
        return value


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
