"""Checks the accuracy of the live model by the answers of the blind random sample."""

import pytest

from image_classifier.contracts.corrections import Correction
from image_classifier.evaluate.live_accuracy import live_accuracy


def answer(name, label="cat", *, reason="random", job="job-1", kind="label"):
    return Correction(f"cats/incoming/{name}", "v1", "0" * 64, kind, label, "cat", job, reason, "anna", "2026-11-28")


def found(*, right, of):
    given = [answer(str(number), "cat" if number < right else "dog") for number in range(of)]
    return live_accuracy(given, training_job="job-1")


def test_only_answers_with_a_class_about_this_model_count():
    given = [
        answer("a"),
        answer("b", "dog"),
        answer("c", "bird", kind="proposed"),
        answer("d", None, kind="unclear"),
        answer("e", reason="search"),
        answer("f", job="job-0"),
    ]

    accuracy = live_accuracy(given, training_job="job-1").accuracy

    assert (accuracy.right, accuracy.of) == (1, 3)


@pytest.mark.parametrize(("right", "of", "more"), [(0, 0, 1068), (95, 100, 166), (960, 1000, 0), (1, 1, 1021)])
def test_it_says_how_many_more_answers_are_wanted(right, of, more):
    assert found(right=right, of=of).more == more


@pytest.mark.parametrize(
    ("right", "of", "is_below"), [(0, 0, False), (0, 29, False), (0, 30, True), (85, 100, False), (80, 100, True)]
)
def test_an_accuracy_is_below_a_floor_if_its_whole_interval_is(right, of, is_below):
    assert found(right=right, of=of).is_below(0.9) is is_below
