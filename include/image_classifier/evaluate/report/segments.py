"""Tests whether the model is weaker on parts of the test set: dark images, small images, images of one source."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from image_classifier.evaluate.holm import holm
from image_classifier.evaluate.proportions import proportion
from image_classifier.evaluate.report.measures import DIGITS
from image_classifier.evaluate.report.model import Segment
from image_classifier.evaluate.report.scored import ScoredImage, Table

ALPHA = 0.05
FEWEST_IMAGES = 20
MOST_SOURCES = 20
QUARTER = 0.25
MOST_OF_ALL = 0.5  # ties may make a quarter larger; a much larger one is not used


@dataclass(frozen=True)
class _Part:
    kind: Literal["dark", "small", "source"]
    name: str
    members: frozenset[int]


def segments(table: Table) -> tuple[Segment, ...]:
    """Return every segment with enough images inside and outside, the weakest first.

    Images whose brightness, size or source folder is unknown are left out of the segments that need it.
    """
    parts = [part for part in _parts(table.images) if _is_comparable(part, len(table.images))]
    p_values = [_p_value(table, part) for part in parts]
    found = [
        _segment(table, part, p_value=p_value, weak=corrected < ALPHA)
        for part, p_value, corrected in zip(parts, p_values, holm(p_values), strict=True)
    ]
    return tuple(sorted(found, key=lambda segment: (segment.p_value, segment.name)))


def source_of(name: str) -> str | None:
    """Return the folder below the class, ``cam1`` of ``cat/cam1/7.jpg``, or the name's part before ``_`` or ``-``."""
    _, *below = name.split("/")
    if not below:
        return None
    *folders, file = below
    if folders:
        return folders[0]
    found = re.match(r"([A-Za-z][A-Za-z0-9]*)[_-]", file)
    return found[1] if found else None


def _parts(images: Sequence[ScoredImage]) -> Iterator[_Part]:
    brightness = {place: image.brightness for place, image in enumerate(images) if image.brightness is not None}
    sides = {place: float(max(image.width or 0, image.height or 0)) for place, image in enumerate(images)}
    yield from _lowest_quarter("dark", brightness, "Darkest quarter: mean brightness at most {:.0f} of 255")
    known = {place: side for place, side in sides.items() if side}
    yield from _lowest_quarter("small", known, "Smallest quarter: longer side at most {:.0f} pixels")
    yield from _sources(images)


def _lowest_quarter(kind: Literal["dark", "small"], values: dict[int, float], name: str) -> Iterator[_Part]:
    if values:
        limit = sorted(values.values())[int(QUARTER * (len(values) - 1))]
        members = [place for place, value in values.items() if value <= limit]
        if len(members) > MOST_OF_ALL * len(values):  # many images have exactly this value
            members = [place for place, value in values.items() if value < limit]
        if members:
            yield _Part(kind, name.format(max(values[place] for place in members)), frozenset(members))


def _sources(images: Sequence[ScoredImage]) -> Iterator[_Part]:
    """Yield the sources with several classes: if it has one class, a weak source is the same as a weak class."""
    members, labels = defaultdict[str, set[int]](set), defaultdict[str, set[int]](set)
    for place, image in enumerate(images):
        if (source := source_of(image.name)) is not None:
            members[source].add(place)
            labels[source].add(image.label)
    shared = Counter({source: len(found) for source, found in members.items() if len(labels[source]) > 1})
    for source, _ in shared.most_common(MOST_SOURCES):
        yield _Part("source", source, frozenset(members[source]))


def _is_comparable(part: _Part, total: int) -> bool:
    return FEWEST_IMAGES <= len(part.members) <= total - FEWEST_IMAGES


def _rights(table: Table, part: _Part) -> tuple[int, int, int, int]:
    """Return (right inside, images inside, right outside, images outside) of a segment."""
    inside = sum(bool(table.right[place]) for place in part.members)
    size, total = len(part.members), len(table.images)
    return inside, size, int(table.right.sum()) - inside, total - size


def _p_value(table: Table, part: _Part) -> float:
    from scipy.stats import fisher_exact

    inside, size, outside, rest = _rights(table, part)
    return float(fisher_exact([[inside, size - inside], [outside, rest - outside]], alternative="less").pvalue)


def _segment(table: Table, part: _Part, *, p_value: float, weak: bool) -> Segment:
    inside, size, outside, rest = _rights(table, part)
    return Segment(
        kind=part.kind,
        name=part.name,
        accuracy=proportion(inside, size),
        rest=proportion(outside, rest),
        p_value=round(p_value, DIGITS),
        weak=weak,
    )
