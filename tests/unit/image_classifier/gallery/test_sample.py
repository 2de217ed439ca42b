"""The blind random sample and its accuracy."""

import pytest

from image_classifier.contracts.corrections import Correction
from image_classifier.gallery.rows import Row
from image_classifier.gallery.sample import blind_queue, live_accuracy


def row(name, *, job="job-1"):
    at = "2026-11-28T05:00:00+00:00"
    return Row(f"cats/incoming/{name}", "v1", None, "predicted", "cat", 0.9, None, None, at, at, 1.0, job, None, None,
               True, 0)  # fmt: skip


def answer(name, label="cat", *, reason="random", job="job-1", kind="label"):
    return Correction(f"cats/incoming/{name}", "v1", "0" * 64, kind, label, "cat", job, reason, "anna", "2026-11-28")


def names(rows):
    return [found.key.rpartition("/")[2] for found in rows]


def test_the_order_has_nothing_to_do_with_names_or_times():
    rows = [row(f"{number:03d}") for number in range(100)]

    drawn = names(blind_queue(rows, {}, training_job="job-1"))

    assert drawn == names(blind_queue(reversed(rows), {}, training_job="job-1"))
    assert sorted(drawn) == names(rows)
    assert drawn != names(rows)


def test_an_image_leaves_the_queue_only_by_an_answer_of_the_sample():
    given = {
        f"cats/incoming/{name}": found for name, found in (("a", answer("a")), ("b", answer("b", reason="unsure")))
    }

    assert names(blind_queue([row("a"), row("b")], given, training_job="job-1")) == ["b"]


def test_predictions_of_an_earlier_model_are_not_asked_for():
    assert names(blind_queue([row("a"), row("b", job="job-0")], {}, training_job="job-1")) == ["a"]


def test_only_answers_with_a_class_about_this_model_count():
    given = [
        answer("a"),
        answer("b", "dog"),
        answer("c", "bird", kind="proposed"),
        answer("d", None, kind="unclear"),
        answer("e", reason="search"),
        answer("f", job="job-0"),
    ]

    found = live_accuracy(given, training_job="job-1").accuracy

    assert (found.right, found.of) == (1, 3)


@pytest.mark.parametrize(("right", "of", "more"), [(0, 0, 1068), (95, 100, 166), (960, 1000, 0), (1, 1, 1021)])
def test_it_says_how_many_more_answers_are_wanted(right, of, more):
    given = [answer(str(number), "cat" if number < right else "dog") for number in range(of)]

    assert live_accuracy(given, training_job="job-1").more == more
