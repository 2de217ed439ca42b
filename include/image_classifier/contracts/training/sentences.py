"""Converts pydantic's validation errors of a file, a form or a job's hyperparameters into sentences for people."""

from collections.abc import Mapping

from pydantic import ValidationError

LONGEST_QUOTE = 100  # in characters, of a wrong value
_WORDS: dict[str, str] = {}  # a field's regular expression -> a sentence that says which values it accepts


def pattern(expression: str, words: str) -> str:
    """Register the sentence that an error shows for a value which does not match `expression`; return `expression`."""
    _WORDS[expression] = words
    return expression


def problems_of(error: ValidationError) -> list[str]:
    """Return one sentence per problem that pydantic found; each names the field and the value."""
    return [_sentence(".".join(map(str, problem["loc"])), problem) for problem in error.errors()]


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
    return _WORDS.get(str(expression), str(problem["msg"]))


def _quoted(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}... ({len(text):,} characters)"
