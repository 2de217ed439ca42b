"""Checks which messages CloudWatch's filter patterns match."""

import pytest

from local_aws.ministack.log_patterns import PatternError, matcher


@pytest.mark.parametrize(
    ("pattern", "matched", "other"),
    [
        ("ERROR", "an ERROR", "an error"),
        ("ERROR image", "image: ERROR", "ERROR"),
        ("?ERROR ?WARN", "WARN", "INFO"),
        ("ERROR -timeout", "ERROR", "ERROR timeout"),
        ("-ERROR", "INFO", "ERROR"),
        ('"no such image"', "there is no such image", "no image such"),
        ('-"Task timed out" ERROR', "ERROR timed out", "ERROR Task timed out"),
        (r'"say \"a\""', 'say "a"', "say a"),
        ("%a[0-9]+%", "a12", "ab"),
        ('{ $.level = "ERROR" }', '{"level": "ERROR"}', '{"level": "INFO"}'),
        ('{ $.level = "ERROR" }', '{"level": "ERROR"}', 'level = "ERROR"'),
        ('{ $.level != "INFO" }', '{"level": "ERROR"}', '{"other": 1}'),
        ("{ $.level = ERR* }", '{"level": "ERROR"}', '{"level": "INFO"}'),
        ("{ $.a.b >= 5 }", '{"a": {"b": 5}}', '{"a": {"b": 4.9}}'),
        ("{ $.a < 5 }", '{"a": 4}', '{"a": "4"}'),
        ("{ $.a = 5 }", '{"a": 5.0}', '{"a": true}'),
        ("{ $.a[1] = 2 }", '{"a": [1, 2]}', '{"a": [2]}'),
        ("{ $.a IS NULL }", '{"a": null}', "{}"),
        ("{ $.a IS TRUE }", '{"a": true}', '{"a": 1}'),
        ("{ $.a NOT EXISTS }", '{"b": 1}', '{"a": null}'),
        ("{ $.a = 1 && $.b = 2 }", '{"a": 1, "b": 2}', '{"a": 1}'),
        ("{ ($.a = 1 || $.a = 2) && $.b = 3 }", '{"a": 2, "b": 3}', '{"a": 1}'),
        ("{ $.a = 1 || $.a = 2 && $.b = 3 }", '{"a": 1}', '{"a": 2}'),
    ],
)
def test_a_pattern_matches_one_message_and_not_the_other(pattern: str, matched: str, other: str) -> None:
    matches = matcher(pattern)
    assert matches(matched)
    assert not matches(other)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("[ip, user]", "space-delimited"),
        ("{ $.a }", "a selector, an operator and a value"),
        ("{ $.a = 1", "closing brace"),
        ("{ ($.a = 1 }", "parenthesis"),
        ("{ $.a = 1 $.b = 2 }", "not expected"),
        ("{ $.a IS 5 }", "NULL, TRUE or FALSE"),
        ("{ $.a > text }", "not a comparison"),
        ("{ a = 1 }", "a selector"),
        ('"open', "not a term"),
        ("%(%", "unterminated"),
    ],
)
def test_a_pattern_that_cannot_be_read_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(PatternError, match=words):
        matcher(pattern)


def test_an_empty_pattern_matches_every_message() -> None:
    assert matcher(" ")("anything")
