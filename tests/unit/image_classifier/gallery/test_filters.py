"""Checks which predictions a filter selects, and in which order."""

import pytest

from image_classifier.gallery.filters import Filter, ordered, selected
from image_classifier.gallery.rows import OtherAnswer, Row

AT = "2026-11-28T05:00:00.000Z"
INCOMING = "cats/incoming/"


def row(name, confidence=0.9, *, label="cat", other=None, job="job-1", status="predicted", margin=0.5):
    return Row(
        key=f"{INCOMING}{name}",
        version_id="v1",
        sequencer=None,
        status=status,
        label=None if confidence is None else label,
        confidence=confidence,
        margin=None if confidence is None else margin,
        likeliest=(),
        uploaded=AT,
        predicted=AT,
        total_ms=1.0,
        training_job=job,
        reason=None,
        sentence=None,
        has_thumbnail=True,
        generation=0,
        other=OtherAnswer(*other, "job-0") if other else None,
    )


ROWS = [
    row("a/sure.jpg", 0.9),
    row("a/half.jpg", 0.5, status="unsure"),
    row("b/Dog.jpg", 0.7, label="dog", job="job-2"),
    row("b/broken.jpg", None, status="rejected", job=None),
]


def found(**fields):
    chosen = selected(ROWS, Filter(**fields), incoming=INCOMING, corrected={f"{INCOMING}a/half.jpg"})
    return [one.key.removeprefix(INCOMING) for one in chosen]


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, ["a/sure.jpg", "a/half.jpg", "b/Dog.jpg", "b/broken.jpg"]),
        ({"label": "dog"}, ["b/Dog.jpg"]),
        ({"status": "rejected"}, ["b/broken.jpg"]),
        ({"model": "job-2"}, ["b/Dog.jpg"]),
        ({"prefix": "a/"}, ["a/sure.jpg", "a/half.jpg"]),
        ({"text": "dOG"}, ["b/Dog.jpg"]),
        ({"text": "incoming"}, []),
        ({"at_least": 0.7}, ["a/sure.jpg", "b/Dog.jpg"]),
        ({"at_most": 0.7}, ["a/half.jpg", "b/Dog.jpg"]),
        ({"at_least": 0.5, "at_most": 0.5}, ["a/half.jpg"]),
        ({"label": "cat", "at_most": 0.6}, ["a/half.jpg"]),
    ],
)
def test_a_row_is_selected_if_every_field_fits(fields, names):
    assert found(**fields) == names


@pytest.mark.parametrize(
    ("wanted", "names"), [("yes", ["a/half.jpg"]), ("no", ["a/sure.jpg", "b/Dog.jpg", "b/broken.jpg"])]
)
def test_corrected_images_are_told_from_the_others(wanted, names):
    assert found(corrected=wanted) == names


def order(rows, by):
    return [one.key.removeprefix(INCOMING) for one in ordered(rows, by)]


def test_the_order_is_by_margin_or_by_confidence():
    rows = [row("a", 0.6, margin=0.3), row("b", 0.8, margin=0.7), row("c", 0.5, margin=0.1), row("d", None)]

    assert order(rows, "newest") == ["a", "b", "c", "d"]
    assert order(rows, "least_sure") == ["c", "a", "b"]
    assert order(rows, "most_sure") == ["b", "a", "c"]


def test_a_confidence_far_below_its_class_is_a_likely_mistake():
    """Class dog has low confidences in general, so its images do not come before the odd cat."""
    cats = [row("odd cat", 0.7), *(row(f"cat {number}", 0.99) for number in range(3))]
    dogs = [row(f"dog {number}", 0.5, label="dog") for number in range(3)]

    assert order([*dogs, *cats], "likely_mistakes")[0] == "odd cat"


def test_models_that_disagree_come_in_the_order_of_their_confidence():
    rows = [
        row("weak", 0.6, other=("dog", 0.5)),
        row("same", 0.9, other=("cat", 0.9)),
        row("strong", 0.8, other=("dog", 0.9)),
        row("alone", 0.9),
    ]

    assert order(rows, "disagreement") == ["strong", "weak"]


def test_a_filter_goes_through_the_pages_address():
    asked = Filter(label="cat", at_most=0.5, order="least_sure")

    assert asked.as_query() == {"label": "cat", "at_most": "0.5", "order": "least_sure"}
    assert Filter(**asked.as_query()) == asked
    assert (Filter().is_plain, asked.is_plain) == (True, False)
