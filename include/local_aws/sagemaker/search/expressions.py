"""Evaluates a SearchExpression on a resource (API reference, "SearchExpression" and "Filter")."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import validation_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from local_aws.sagemaker.documents import Document

_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThan": lambda found, wanted: found > wanted,
    "GreaterThanOrEqualTo": lambda found, wanted: found >= wanted,
    "LessThan": lambda found, wanted: found < wanted,
    "LessThanOrEqualTo": lambda found, wanted: found <= wanted,
}


def meets(document: Document, expression: Document) -> bool:
    """Return whether all filters and expressions hold, or any with the Operator Or; an empty expression holds.

    Raises:
        ServiceError: a filter has no Value, or compares with something that is no number and no time.

    """
    results = [_holds(document, item) for item in expression.get("Filters", [])]
    results += [_nested(document, item) for item in expression.get("NestedFilters", [])]
    results += [meets(document, item) for item in expression.get("SubExpressions", [])]
    if not results:
        return True
    return any(results) if expression.get("Operator") == "Or" else all(results)


def values_of(document: Document, name: str) -> list[object]:
    """Return the values of a dotted property, such as `Tags.<key>` or `Metrics.<name>`, for each item of a list."""
    first, _, rest = name.partition(".")
    if first == "Tags" and rest:
        return [tag["Value"] for tag in document.get("Tags", []) if tag["Key"] == rest]
    if first == "Metrics" and rest:
        metrics = document.get("FinalMetricDataList", [])
        return [metric["Value"] for metric in metrics if metric["MetricName"] == rest]
    return list(_below(document, name))


def _below(found: object, path: str) -> Iterator[object]:
    if isinstance(found, list):
        for item in found:
            yield from _below(item, path)
    elif not path:
        yield found
    elif isinstance(found, dict):
        first, _, rest = path.partition(".")
        # The name of a hyperparameter or of a tag may itself have dots.
        for name, remaining in ((path, ""), (first, rest)) if rest else ((first, ""),):
            if name in found:
                yield from _below(found[name], remaining)
                return


def _nested(document: Document, nested: Document) -> bool:
    """Return whether one item of the list meets every filter; filter names begin with the name of the list."""
    name = nested["NestedPropertyName"]
    items = (item for item in values_of(document, name) if isinstance(item, dict))
    filters = [item | {"Name": item["Name"].removeprefix(f"{name}.")} for item in nested["Filters"]]
    return any(all(_holds(item, one) for one in filters) for item in items)


def _holds(document: Document, wanted: Document) -> bool:
    name, operator = wanted["Name"], wanted.get("Operator", "Equals")
    values = values_of(document, name)
    if operator in ("Exists", "NotExists"):
        return bool(values) is (operator == "Exists")
    if "Value" not in wanted:
        raise validation_error(f"The filter {name} with Operator {operator} needs Value.")
    value: str = wanted["Value"]
    if operator in _ORDERS:
        least = _number(value)
        if least is None:
            raise validation_error(f"{operator} needs a number or a time; the filter {name} has {value}.")
        return any((number := _number(found)) is not None and _ORDERS[operator](number, least) for found in values)
    texts = [_text(found) for found in values]
    if operator == "Contains":
        return any(value in text for text in texts)
    if operator == "In":
        return any(text in value.split(",") for text in texts)
    return (value in texts) is (operator == "Equals")


def _text(found: object) -> str:
    return str(found).lower() if isinstance(found, bool) else str(found)


def _number(found: object) -> float | None:
    """Return a number, or a time as seconds since 1970."""
    try:
        return float(found if isinstance(found, int | float) else str(found))
    except ValueError:
        pass
    try:
        moment = datetime.datetime.fromisoformat(str(found))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
