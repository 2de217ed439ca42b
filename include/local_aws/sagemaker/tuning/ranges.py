"""Reads the ranges that a tuning job searches from the API's texts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_aws.sagemaker.documents import Document

MOST_RANGES = 30
AUTO_LOGARITHMIC_RATIO = 100  # AWS does not say when Auto is logarithmic; from two orders of magnitude on it is here


@dataclass(frozen=True)
class Range:
    """One hyperparameter and its possible values.

    Attributes:
        kind: ``Integer``, ``Continuous`` or ``Categorical``.
        low: the smallest value; 0 of a categorical range.
        high: the largest value; 0 of a categorical range.
        scaling: ``Linear``, ``Logarithmic`` or ``ReverseLogarithmic``.
        values: of a categorical range.

    """

    name: str
    kind: str
    low: float = 0.0
    high: float = 0.0
    scaling: str = "Linear"
    values: tuple[str, ...] = ()


def read_ranges(parameter_ranges: Document) -> list[Range]:
    """Return the ranges of ``ParameterRanges``.

    Raises:
        ServiceError: a range is invalid, or there is no range.

    """
    if parameter_ranges.get("AutoParameters"):
        raise validation_error("This local SageMaker does not have AutoParameters; AWS does.")
    ranges = [*_numbers(parameter_ranges, "Integer", int), *_numbers(parameter_ranges, "Continuous", float)]
    for given in parameter_ranges.get("CategoricalParameterRanges", []):
        ranges.append(Range(given["Name"], "Categorical", values=tuple(given["Values"])))
    names = [item.name for item in ranges]
    if not names:
        raise validation_error("A tuning job needs ParameterRanges with at least one hyperparameter.")
    if len(names) != len(set(names)):
        raise validation_error(f"Duplicate hyperparameter names in ParameterRanges: {', '.join(sorted(names))}.")
    if len(names) > MOST_RANGES:
        raise validation_error(f"A tuning job can search {MOST_RANGES} hyperparameters; found {len(names)}.")
    return ranges


def _numbers(parameter_ranges: Document, kind: str, read: Callable[[str], float]) -> Iterator[Range]:
    for given in parameter_ranges.get(f"{kind}ParameterRanges", []):
        name = given["Name"]
        low, high = (_number(given[member], name=name, kind=kind, read=read) for member in ("MinValue", "MaxValue"))
        if low > high:
            raise validation_error(
                f"MinValue {given['MinValue']} of {name} is greater than MaxValue {given['MaxValue']}."
            )
        yield Range(name, kind, low, high, _scaling(given.get("ScalingType", "Auto"), low, high, name=name, kind=kind))


def _number(text: str, *, name: str, kind: str, read: Callable[[str], float]) -> float:
    try:
        value = read(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise validation_error(f"{text!r} in the range of {name} is not a value of type {kind}.")
    return value


def _scaling(scaling: str, low: float, high: float, *, name: str, kind: str) -> str:
    if scaling == "Auto":
        return "Logarithmic" if low > 0 and high / low >= AUTO_LOGARITHMIC_RATIO else "Linear"
    if scaling == "Logarithmic" and low <= 0:
        raise validation_error(f"Logarithmic scaling needs values greater than 0; the range of {name} begins at {low}.")
    if scaling == "ReverseLogarithmic" and (kind != "Continuous" or low < 0 or high >= 1):
        raise validation_error(
            "ReverseLogarithmic scaling needs a continuous range within 0<=x<1.0; "
            f"the range of {name} is {kind}, from {low} to {high}."
        )
    return scaling
