"""Filters and sorts predictions by the parameters of a page's address."""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Sequence
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from image_classifier.contracts.predictions import Status
from image_classifier.gallery.rows import Row

Order = Literal["newest", "least_sure", "most_sure", "likely_mistakes", "disagreement"]
ORDERS: tuple[str, ...] = get_args(Order)
STATUSES: tuple[str, ...] = get_args(Status)
Text = Annotated[str, Field(max_length=1024)]
Share = Annotated[float, Field(ge=0, le=1)]


class Filter(BaseModel):
    """A filter of predictions; an empty field does not filter.

    Attributes:
        prefix: the key's part after ``incoming/`` begins with it.
        text: the key contains it, regardless of case.
        day: the UTC day of the prediction, ``YYYY-MM-DD``.

    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    label: Text = ""
    status: Literal["", "predicted", "unsure", "rejected", "failed"] = ""
    at_least: Share = 0.0
    at_most: Share = 1.0
    model: Text = ""
    day: Annotated[str, Field(pattern=r"^(\d{4}-\d{2}-\d{2})?$")] = ""
    prefix: Text = ""
    text: Text = ""
    corrected: Literal["", "yes", "no"] = ""
    order: Order = "newest"

    @property
    def is_plain(self) -> bool:
        """Return whether it selects the newest records regardless of their contents."""
        return self == Filter()

    def as_query(self) -> dict[str, str]:
        """Return the fields that differ from an empty filter, as query parameters."""
        return {name: str(value) for name, value in self.model_dump(exclude_defaults=True).items()}


def selected(rows: Iterable[Row], filter_: Filter, *, incoming: str, corrected: Container[str]) -> list[Row]:
    """Return the rows that match the filter, in its order; ``corrected`` holds the keys of corrected images."""
    checks = list(_checks(filter_, incoming=incoming, corrected=corrected))
    found = [row for row in rows if all(check(row) for check in checks)]
    return ordered(found, filter_.order)


def _checks(filter_: Filter, *, incoming: str, corrected: Container[str]) -> Iterable[Callable[[Row], bool]]:
    prefix, text = f"{incoming}{filter_.prefix}", filter_.text.casefold()
    if filter_.label:
        yield lambda row: row.label == filter_.label
    if filter_.status:
        yield lambda row: row.status == filter_.status
    if filter_.at_least > 0 or filter_.at_most < 1:
        yield lambda row: row.confidence is not None and filter_.at_least <= row.confidence <= filter_.at_most
    if filter_.model:
        yield lambda row: row.training_job == filter_.model
    if filter_.prefix:
        yield lambda row: row.key.startswith(prefix)
    if text:
        yield lambda row: text in row.key.removeprefix(incoming).casefold()
    if filter_.corrected:
        yield lambda row: (row.key in corrected) == (filter_.corrected == "yes")


def ordered(rows: Sequence[Row], order: str) -> list[Row]:
    """Sort rows, which come newest first; every order but "newest" leaves out rows without a model's answer."""
    if order == "newest":
        return list(rows)
    answered = [row for row in rows if row.confidence is not None]
    if order == "least_sure":
        return sorted(answered, key=_margin)
    if order == "most_sure":
        return sorted(answered, key=_confidence, reverse=True)
    if order == "disagreement":
        return sorted((row for row in answered if _disagrees(row)), key=_confidence_of_both, reverse=True)
    return _likely_mistakes(answered)


def _likely_mistakes(rows: Sequence[Row]) -> list[Row]:
    """Sort by the difference between the confidence and the mean of its class, the lowest first.

    So a class with low confidence in general does not fill the list: see "adjusted self-confidence" in Northcutt et
    al., Confident Learning (2021).
    """
    of_class: dict[str | None, list[float]] = defaultdict(list)
    for row in rows:
        of_class[row.label].append(_confidence(row))
    means = {label: sum(values) / len(values) for label, values in of_class.items()}
    return sorted(rows, key=lambda row: _confidence(row) - means[row.label])


def _disagrees(row: Row) -> bool:
    return row.other is not None and row.other.label != row.label


def _confidence_of_both(row: Row) -> float:
    return _confidence(row) + (row.other.confidence if row.other else 0.0)


def _confidence(row: Row) -> float:
    return row.confidence or 0.0


def _margin(row: Row) -> float:
    return row.margin or 0.0
