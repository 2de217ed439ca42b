"""Computes figures of the newest predictions: numbers per day, class and status, and latencies."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from image_classifier.gallery.rows import Row

MOST_DAYS = 30


@dataclass
class Day:
    """The predictions of one UTC day.

    Attributes:
        day: ``YYYY-MM-DD``.
        statuses: number of records by status.
        labels: number of records by class.

    """

    day: str
    statuses: Counter[str] = field(default_factory=Counter)
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.statuses.total()


@dataclass(frozen=True)
class LabelFigures:
    """The predictions of one class: their number, the number of unsure ones, and the mean confidence."""

    label: str
    predictions: int
    unsure: int
    confidence: float


@dataclass(frozen=True)
class Overview:
    """The figures of the newest predictions.

    Attributes:
        days: at most `MOST_DAYS`, the newest first.
        labels: the classes, the most frequent first.
        statuses: number of records by status, of all days.
        reasons: number of rejected and failed records by reason, the most frequent first.
        p50_s: median time from upload to record, in seconds; None if there are no predictions of uploads.
        p99_s: 99th percentile of the same time.

    """

    days: tuple[Day, ...]
    labels: tuple[LabelFigures, ...]
    statuses: Mapping[str, int]
    reasons: tuple[tuple[str, int], ...]
    p50_s: float | None
    p99_s: float | None

    @property
    def total(self) -> int:
        return sum(self.statuses.values())

    def share(self, status: str) -> float:
        """Return the share of the records with the status, from 0 to 1."""
        return self.statuses.get(status, 0) / self.total if self.total else 0.0


def overview(rows: Sequence[Row]) -> Overview:
    """Compute the figures of these rows."""
    days: dict[str, Day] = {}
    for row in rows:
        day = days.setdefault(row.predicted[:10], Day(row.predicted[:10]))
        day.statuses[row.status] += 1
        if row.label is not None:
            day.labels[row.label] += 1
    # Records of a run over existing images, which have a generation, count from old uploads.
    times = sorted(row.total_ms / 1000 for row in rows if row.generation == 0)
    return Overview(
        days=tuple(sorted(days.values(), key=lambda day: day.day, reverse=True)[:MOST_DAYS]),
        labels=_labels(rows),
        statuses=Counter(row.status for row in rows),
        reasons=tuple(Counter(row.reason for row in rows if row.reason).most_common()),
        p50_s=percentile(times, 0.5),
        p99_s=percentile(times, 0.99),
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Return the percentile of sorted values by the nearest-rank method; `share` is from 0 to 1."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _labels(rows: Iterable[Row]) -> tuple[LabelFigures, ...]:
    confidences, unsure = defaultdict[str, list[float]](list), Counter[str]()
    for row in rows:
        if row.label is not None:
            confidences[row.label].append(row.confidence or 0.0)
            unsure[row.label] += row.status == "unsure"
    figures = (
        LabelFigures(label, len(values), unsure[label], sum(values) / len(values))
        for label, values in confidences.items()
    )
    return tuple(sorted(figures, key=lambda one: (-one.predictions, one.label)))
