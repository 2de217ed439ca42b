"""Corrections that the next data set may use."""

import pytest

from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.errors import CorrectionError
from image_classifier.corrections.store import accepted, count_by_person


def correction(answer="label", label="cat", *, by="anna", at="2026-11-28T05:00:00+00:00"):
    return Correction("cats/incoming/a", "v1", "0" * 64, answer, label, "dog", "job-1", "search", by, at)


def test_only_answers_with_an_accepted_class_are_used():
    given = [correction(), correction("proposed", "bird"), correction("unclear", None), correction("withdrawn", None)]

    assert accepted(given, labels=["cat", "dog"]) == [given[0]]
    assert accepted(given, labels=["cat", "dog", "bird"]) == given[:2]


def test_accepted_corrections_come_oldest_first():
    late, early = correction(at="2026-11-28T06:00:00+00:00"), correction()

    assert accepted([late, early], labels=["cat"]) == [early, late]


def test_corrections_are_counted_by_person():
    assert count_by_person([correction(), correction(by="ben"), correction()]) == {"anna": 2, "ben": 1}


def test_a_stored_correction_is_read_as_it_was_written():
    assert Correction.from_json(correction().as_json()) == correction()


@pytest.mark.parametrize("data", [b"", b"[]", b'{"schema": 2}', correction("unclear", "cat").as_json()])
def test_what_is_no_correction_is_refused(data):
    with pytest.raises(CorrectionError):
        Correction.from_json(data)
