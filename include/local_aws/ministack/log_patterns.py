"""Matches log events with CloudWatch's filter patterns: terms, quoted phrases, alternatives, regular expressions, JSON.

The grammar is that of "Filter pattern syntax for metric filters, subscription filters, filter log events, and Live
Tail" in the guide of CloudWatch Logs, without space-delimited patterns (``[ip, user]``).
"""

import fnmatch
import json
import operator
import re
from collections.abc import Callable, Iterable

Matcher = Callable[[str], bool]
Selector = Callable[[object], bool]

_TERM = re.compile(r'\s*(?P<sign>[?-]?)(?:"(?P<phrase>(?:[^"\\]|\\.)*)"|%(?P<regex>[^%]+)%|(?P<word>[^\s"]+))')
_TOKEN = re.compile(
    r'\s*(?P<token>&&|\|\||[()]|\$\.[^\s=!<>()&|]+|!=|<=|>=|=|<|>|"(?:[^"\\]|\\.)*"|[^\s=!<>()&|"]+)',
)
_NUMBERS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class PatternError(ValueError):
    """The text is not a filter pattern that is known here."""


def matcher(pattern: str) -> Matcher:
    """Return the test of a log event's message.

    Raises:
        PatternError: says what is wrong with the pattern.

    """
    pattern = pattern.strip()
    if pattern.startswith("["):
        raise PatternError("This local AWS does not have space-delimited patterns.")
    return _json_matcher(pattern) if pattern.startswith("{") else _term_matcher(pattern)


def _term_matcher(pattern: str) -> Matcher:
    signed: dict[str, list[Matcher]] = {"": [], "?": [], "-": []}
    position = 0
    while position < len(pattern):
        found = _TERM.match(pattern, position)
        if not found:
            raise PatternError(f"{pattern[position:]!r} is not a term")
        signed[found["sign"]].append(_contains(found))
        position = found.end()
    required, alternatives, excluded = signed[""], signed["?"], signed["-"]
    if required or excluded:
        alternatives = []  # as the guide says of "?" beside other terms

    def matches(message: str) -> bool:
        return (
            all(test(message) for test in required)
            and (not alternatives or any(test(message) for test in alternatives))
            and not any(test(message) for test in excluded)
        )

    return matches


def _contains(found: re.Match[str]) -> Matcher:
    if found["regex"] is not None:
        try:
            regex = re.compile(found["regex"])
        except re.error as error:
            raise PatternError(f"%{found['regex']}%: {error}") from error
        return lambda message: regex.search(message) is not None
    text = found["word"] if found["phrase"] is None else re.sub(r"\\(.)", r"\1", found["phrase"])
    return lambda message: text in message


def _json_matcher(pattern: str) -> Matcher:
    if not pattern.endswith("}"):
        raise PatternError(f"{pattern!r} has no closing brace")
    tokens = _tokens(pattern[1:-1].strip())
    selects = _either(tokens)
    if tokens:
        raise PatternError(f"{tokens[0]!r} is not expected")

    def matches(message: str) -> bool:
        try:
            document = json.loads(message)
        except ValueError:
            return False
        return selects(document)

    return matches


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if not found:
            raise PatternError(f"{text[position:]!r} is not expected")
        tokens.append(found["token"])
        position = found.end()
    return tokens


def _either(tokens: list[str]) -> Selector:
    return _joined(tokens, sign="||", part=_both, combine=any)


def _both(tokens: list[str]) -> Selector:
    return _joined(tokens, sign="&&", part=_condition, combine=all)


def _joined(
    tokens: list[str], *, sign: str, part: Callable[[list[str]], Selector], combine: Callable[[Iterable[bool]], bool]
) -> Selector:
    parts = [part(tokens)]
    while tokens[:1] == [sign]:
        del tokens[0]
        parts.append(part(tokens))
    return lambda document: combine(selects(document) for selects in parts)


def _condition(tokens: list[str]) -> Selector:
    if tokens[:1] == ["("]:
        del tokens[0]
        inner = _either(tokens)
        if tokens[:1] != [")"]:
            raise PatternError("a parenthesis is not closed")
        del tokens[0]
        return inner
    if len(tokens) < 3 or not tokens[0].startswith("$."):
        raise PatternError(f"a condition has a selector, an operator and a value; found {' '.join(tokens)!r}")
    selector, comparison, value = tokens[:3]
    del tokens[:3]
    keys = re.findall(r"[^.\[\]]+", selector[2:])
    test = _comparison(comparison, value)
    return lambda document: test(_selected(document, keys))


_ABSENT = object()


def _selected(document: object, keys: list[str]) -> object:
    for key in keys:
        if isinstance(document, dict) and key in document:
            document = document[key]
        elif isinstance(document, list) and key.isdecimal() and int(key) < len(document):
            document = document[int(key)]
        else:
            return _ABSENT
    return document


def _comparison(comparison: str, value: str) -> Selector:
    if comparison == "IS":
        constants = {"NULL": None, "TRUE": True, "FALSE": False}
        if value not in constants:
            raise PatternError(f"IS is followed by NULL, TRUE or FALSE; found {value!r}")
        return lambda found: found is constants[value]
    if (comparison, value) == ("NOT", "EXISTS"):
        return lambda found: found is _ABSENT
    if comparison in ("=", "!="):
        equal = _equal(value)
        return equal if comparison == "=" else lambda found: found is not _ABSENT and not equal(found)
    if comparison in _NUMBERS:
        compare, limit = _NUMBERS[comparison], _number(value)
        if limit is not None:
            return lambda found: _is_number(found) and compare(found, limit)  # type: ignore[arg-type]
    raise PatternError(f"{comparison} {value} is not a comparison")


def _equal(value: str) -> Selector:
    number = None if value.startswith('"') else _number(value)
    text = re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value

    def equal(found: object) -> bool:
        if _is_number(found):
            return number is not None and found == number
        return isinstance(found, str) and fnmatch.fnmatchcase(found, text.replace("[", "[[]").replace("?", "[?]"))

    return equal


def _is_number(found: object) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
