"""Converts pydantic's validation errors of a file, a form or a job's hyperparameters into sentences for people."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

_KINDS: Final[Mapping[str, str]] = {
    "tuple_type": "It must be a list: [a, b]",
    "dict_type": "It must have fields of its own: {name: value}",
    "model_type": "It must have fields of its own: {name: value}",
    "string_type": "It must be text; a number needs quotes",
}
# What pydantic adds to the place of a value that may be of two kinds: the kind that was tried.
_TRIED = re.compile(r"constrained-float|(literal|tuple|function-after)\[.*\]")
LONGEST_QUOTE = 100  # in characters, of a wrong value
_WORDS: dict[str, str] = {}  # a field's regular expression -> a sentence that says which values it accepts


def pattern(expression: str, words: str) -> str:
    """Register the sentence that an error shows for a value which does not match `expression`; return `expression`."""
    _WORDS[expression] = words
    return expression


def problems_of(error: ValidationError) -> list[str]:
    """Return one sentence per problem that pydantic found; each names the field and the value."""
    problems = error.errors()
    return [_sentence(_field(one["loc"]), one) for one in problems if not any(_explains(it, one) for it in problems)]


def _explains(other: Mapping[str, Any], problem: Mapping[str, Any]) -> bool:
    """Return whether another problem is the reason: a wrong value in a list, or one of the kind that was written."""
    place = problem["loc"]
    if problem["type"] == "too_short":
        return len(other["loc"]) > len(place) and other["loc"][: len(place)] == place
    is_other_kind = problem["type"] in _KINDS and _TRIED.fullmatch(str(place[-1])) is not None
    return is_other_kind and other["type"] not in _KINDS and other["loc"][: len(place) - 1] == place[:-1]


def _field(place: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in place if not _TRIED.fullmatch(str(part)))


def _sentence(name: str, problem: Mapping[str, object]) -> str:
    if problem["type"] == "missing":
        return f"'{name}' is a required property."
    if problem["type"] == "extra_forbidden":
        return f"Additional properties are not allowed ('{name}' was unexpected)."
    if problem["type"] == "value_error":
        return str(problem["msg"]).removeprefix("Value error, ")
    return f"{name} is {_quoted(problem['input'])}. {_advice(problem)}."


def _advice(problem: Mapping[str, object]) -> str:
    context = problem.get("ctx")
    expression = context.get("pattern") if isinstance(context, Mapping) else None
    return _WORDS.get(str(expression)) or _KINDS.get(str(problem["type"])) or str(problem["msg"])


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}... ({len(text):,} characters)"
