"""Matches records with the filter patterns of event source mappings; MiniStack knew no arrays, ``$or`` or ignored case.

The rules are those of "Control which events Lambda sends to your function": a pattern names fields, each with a list of
values or comparisons of which one must hold; an array in the record holds if one of its elements does.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda value, wanted: isinstance(value, str) and value.startswith(wanted),
    "suffix": lambda value, wanted: isinstance(value, str) and value.endswith(wanted),
    "equals-ignore-case": lambda value, wanted: isinstance(value, str) and value.casefold() == wanted.casefold(),
    "anything-but": lambda value, unwanted: not _is_any_of(value, unwanted),
    "numeric": lambda value, wanted: _is_number(value) and _is_in_range(value, wanted),
}


def matches(record: Mapping[str, Any], pattern: Mapping[str, Any]) -> bool:
    """Return whether every field of the pattern holds for the record."""
    return all(_holds(record, name=name, wanted=wanted) for name, wanted in pattern.items())


def is_pattern(pattern: object) -> bool:
    """Return whether every branch of a pattern ends in a list of values and of comparisons that are known."""
    return isinstance(pattern, dict) and all(map(_is_branch, pattern, pattern.values()))


def _is_branch(name: str, wanted: object) -> bool:
    if isinstance(wanted, dict):
        return is_pattern(wanted)
    if not isinstance(wanted, list) or not wanted:
        return False
    if name == "$or":
        return all(map(is_pattern, wanted))
    return all(len(rule) == 1 and set(rule) <= {"exists", *_TESTS} for rule in wanted if isinstance(rule, dict))


def _holds(record: Mapping[str, Any], *, name: str, wanted: Any) -> bool:
    if name == "$or":
        return any(matches(record, pattern) for pattern in wanted)
    found = _values(record, name)
    if isinstance(wanted, Mapping):
        return any(isinstance(value, Mapping) and matches(value, wanted) for value in found or [{}])
    return any(_allows(rule, found) for rule in wanted)


def _values(record: Mapping[str, Any], name: str) -> list[Any]:
    if name not in record:
        return []
    value = record[name]
    return value if isinstance(value, list) else [value]


def _allows(rule: Any, found: Sequence[Any]) -> bool:
    if not isinstance(rule, Mapping):
        return any(_is_any_of(value, rule) for value in found)
    [(name, wanted)] = rule.items()
    if name == "exists":
        return bool(found) == bool(wanted)
    return any(_TESTS[name](value, wanted) for value in found)


def _is_any_of(value: Any, wanted: Any) -> bool:
    """Return whether a value is the wanted one, or one of a list; true is not 1."""
    choices = wanted if isinstance(wanted, list) else [wanted]
    return any(value == choice and isinstance(value, bool) == isinstance(choice, bool) for choice in choices)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_in_range(value: float, wanted: Sequence[Any]) -> bool:
    pairs = zip(wanted[::2], wanted[1::2], strict=True)
    return all(_COMPARE[name](value, limit) for name, limit in pairs)
