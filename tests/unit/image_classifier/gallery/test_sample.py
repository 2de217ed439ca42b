"""Checks the order of the blind random sample, and which images are in it."""

from image_classifier.contracts.corrections import Correction
from image_classifier.gallery.rows import Row
from image_classifier.gallery.sample import blind_queue


def row(name, *, job="job-1"):
    at = "2026-11-28T05:00:00+00:00"
    return Row(f"cats/incoming/{name}", "v1", None, "predicted", "cat", 0.9, None, None, at, at, 1.0, job, None, None,
               True, 0)  # fmt: skip


def answer(name, *, reason="random"):
    key, at = f"cats/incoming/{name}", "2026-11-28"
    return Correction(key, "v1", "0" * 64, "label", "cat", "cat", "job-1", reason, "anna", at)


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
