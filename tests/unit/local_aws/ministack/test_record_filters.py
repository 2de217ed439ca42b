"""Checks which records the filter patterns of event source mappings let through."""

from typing import Any

import pytest

from local_aws.ministack.record_filters import is_pattern, matches

S3_EVENT = {"Records": [{"s3": {"object": {"key": "incoming/a.jpg", "size": 5}}}]}


@pytest.mark.parametrize(
    ("pattern", "matched", "other"),
    [
        ({"k": ["a", "b"]}, {"k": "b"}, {"k": "c"}),
        ({"k": ["a"], "n": [1]}, {"k": "a", "n": 1}, {"k": "a"}),
        ({"n": [1]}, {"n": 1.0}, {"n": True}),
        ({"n": [None]}, {"n": None}, {}),
        ({"k": ["a"]}, {"k": ["b", "a"]}, {"k": ["b"]}),
        ({"k": [{"exists": True}]}, {"k": None}, {}),
        ({"a": {"k": [{"exists": False}]}}, {}, {"a": {"k": 1}}),
        ({"k": [{"prefix": "yes"}]}, {"k": "yes-a"}, {"k": "no"}),
        ({"k": [{"suffix": ".jpg"}]}, {"k": "a.jpg"}, {"k": "a.png"}),
        ({"k": [{"equals-ignore-case": "YES"}]}, {"k": "yes"}, {"k": "no"}),
        ({"k": [{"anything-but": ["x", "y"]}]}, {"k": "z"}, {"k": "x"}),
        ({"k": [{"anything-but": "x"}]}, {"k": "z"}, {}),
        ({"n": [{"numeric": [">=", 1, "<", 5]}]}, {"n": 1}, {"n": 5}),
        ({"n": [{"numeric": ["=", 1]}]}, {"n": 1}, {"n": "1"}),
        ({"$or": [{"a": ["1"]}, {"b": ["2"]}]}, {"b": "2"}, {"b": "3"}),
        ({"body": {"k": ["a"]}}, {"body": {"k": "a"}}, {"body": "a"}),
        ({"Records": {"s3": {"object": {"key": [{"suffix": ".jpg"}]}}}}, S3_EVENT, {"Records": []}),
    ],
)
def test_a_pattern_matches_one_record_and_not_the_other(
    pattern: dict[str, Any], matched: dict[str, Any], other: dict[str, Any]
) -> None:
    assert is_pattern(pattern)
    assert matches(matched, pattern)
    assert not matches(other, pattern)


@pytest.mark.parametrize(
    "pattern", [None, "text", {"k": "a"}, {"k": []}, {"k": [{"wildcard": "a*"}]}, {"$or": ["a"]}, {"a": {"k": 1}}]
)
def test_what_is_no_pattern_is_told_apart(pattern: object) -> None:
    assert not is_pattern(pattern)
