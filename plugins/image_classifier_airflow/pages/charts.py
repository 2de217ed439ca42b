"""Computes the coordinates of the pages' charts, which the templates draw as inline SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 180  # size of the plot area, in units of the SVG's view box
LEFT, TOP = 44, 10  # its upper left corner
GAP = 0.2  # share of a bar's place


@dataclass(frozen=True)
class Bar:
    """One part of one stacked bar; ``title`` says it in words."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class Bars:
    """A bar chart: its parts, the names below it (place, text), and its largest value."""

    parts: tuple[Bar, ...]
    names: tuple[tuple[float, str], ...]
    top: int


def stacked_bars(columns: Sequence[tuple[str, Sequence[int]]], *, names: Sequence[str]) -> Bars:
    """Return one bar per column, with one part per name."""
    top = max((sum(values) for _, values in columns), default=0) or 1
    place = WIDTH / max(1, len(columns))
    parts, below = [], []
    every = max(1, round(len(columns) / 6))
    for number, (text, values) in enumerate(columns):
        y = float(TOP + HEIGHT)
        for name, value in zip(names, values, strict=True):
            height = HEIGHT * value / top
            y -= height
            if value:
                x = LEFT + place * (number + GAP / 2)
                parts.append(Bar(name, x, y, place * (1 - GAP), height, f"{text}: {value:,} {name}"))
        if number % every == 0:
            below.append((LEFT + place * (number + 0.5), text))
    return Bars(tuple(parts), tuple(below), top)


def polyline(values: Sequence[float | None], *, low: float, high: float) -> str:
    """Return the points of an SVG polyline over the whole width; missing values are left out."""
    steps, span = max(1, len(values) - 1), (high - low) or 1.0
    return " ".join(
        f"{LEFT + WIDTH * place / steps:.1f},{TOP + HEIGHT * (1 - (value - low) / span):.1f}"
        for place, value in enumerate(values)
        if value is not None
    )
