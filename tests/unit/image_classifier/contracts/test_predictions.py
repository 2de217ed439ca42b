"""Checks that a prediction record keeps the model's answer, can be read back, and that the later upload wins."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classifier.contracts import predictions
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Candidate, Image, Model, Prediction, Times

LABELS = ["ant", "bee", "cat", "dog", "eel", "fox"]
MODEL = Model(training_job="job", endpoint="endpoint", endpoint_config="config", labels_sha256="ab")
TIMES = Times("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:01.500Z", endpoint_ms=12.5, total_ms=1500.0)
IMAGE = Image("bucket", "pets/incoming/a.jpg", "v1", "etag", bytes=10, sequencer="0A", width=3, height=2)


def answer(probabilities, *, labels=LABELS, unsure_below=0.5):
    return predictions.predicted(
        IMAGE, probabilities=probabilities, labels=labels, unsure_below=unsure_below, model=MODEL, times=TIMES
    )


def test_the_label_is_the_most_likely_class():
    record = answer([0.1, 0.6, 0.1, 0.1, 0.05, 0.05])

    assert (record.status, record.label, record.confidence) == ("predicted", "bee", 0.6)


def test_the_five_most_likely_classes_are_named_in_order():
    record = answer([0.1, 0.5, 0.2, 0.05, 0.12, 0.03])

    assert [candidate.label for candidate in record.top] == ["bee", "cat", "eel", "ant", "dog"]


def test_of_equally_likely_classes_the_lower_index_comes_first():
    assert answer([0.4, 0.1, 0.4, 0.1, 0.0, 0.0]).label == "ant"


def test_a_probability_below_the_threshold_is_unsure_and_keeps_its_label():
    record = answer([0.49, 0.21, 0.1, 0.1, 0.05, 0.05])

    assert (record.status, record.label, record.top[0]) == ("unsure", "ant", Candidate("ant", 0.49))


def test_a_probability_at_the_threshold_is_predicted():
    assert answer([0.5, 0.5], labels=["a", "b"]).status == "predicted"


@pytest.mark.parametrize("probabilities", [[0.5, 0.5], [0.1] * 7, []])
def test_a_vector_of_the_wrong_length_is_an_error_that_says_both_lengths(probabilities):
    with pytest.raises(PredictionError, match=rf"{len(probabilities)} probabilities for 6 labels"):
        answer(probabilities)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -0.1, 1.1])
def test_numbers_that_are_not_probabilities_are_an_error(wrong):
    with pytest.raises(PredictionError, match="not probabilities"):
        answer([wrong, 0.0], labels=["a", "b"])


def test_a_rejected_image_has_a_reason_and_no_label():
    record = predictions.rejected(IMAGE, code="empty", sentence="The file is empty.", times=TIMES)

    assert (record.status, record.label, record.top, record.model) == ("rejected", None, (), None)
    assert record.reason == predictions.Reason("empty", "The file is empty.")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9), st.floats(0, 1))
def test_reading_undoes_writing(probabilities, unsure_below):
    record = answer(
        probabilities, labels=[f"ク {index}" for index in range(len(probabilities))], unsure_below=unsure_below
    )

    assert Prediction.from_json(record.as_json()) == record


def test_a_stored_record_has_exactly_the_fields_of_schema_1():
    document = json.loads(answer([0.9, 0.1], labels=["a", "b"]).as_json())

    assert {name: sorted(value) if isinstance(value, dict) else None for name, value in document.items()} == {
        "schema": None,
        "status": None,
        "image": ["bucket", "bytes", "etag", "height", "key", "sequencer", "version_id", "width"],
        "times": ["endpoint_ms", "predicted", "total_ms", "uploaded"],
        "label": None,
        "confidence": None,
        "top": None,
        "reason": None,
        "model": ["endpoint", "endpoint_config", "labels_sha256", "model_package", "training_job"],
        "probabilities": None,
        "rest_probability": None,
        "temperature": None,
        "thumbnail": None,
        "generation": None,
        "traits": None,
    }
    assert (document["schema"], document["top"][0]) == (1, {"label": "a", "probability": 0.9})


def test_a_field_of_a_later_version_is_ignored():
    record = answer([0.9, 0.1], labels=["a", "b"])
    document = {**json.loads(record.as_json()), "explanation": "new"}

    assert Prediction.from_json(json.dumps(document).encode()) == record


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": 2}, "schema 1 can be read, found 2"),
        ({"status": "sure"}, "field status does not fit: found 'sure'"),
        ({"image": {}}, "no field image.bucket"),
        ({"label": 3}, "field label does not fit"),
        ({"confidence": True}, "field confidence does not fit"),
        ({"top": [{"label": "a"}]}, r"no field top\[0\].probability"),
        ({"label": "b"}, "contradicts its status predicted"),
        ({"model": None}, "contradicts its status predicted"),
        ({"status": "rejected"}, "contradicts its status rejected"),
        ({"times": {"uploaded": "noon", "predicted": "2026-01-01", "endpoint_ms": 1, "total_ms": 1}}, "ISO 8601"),
        (
            {"times": {"uploaded": "2026-01-01", "predicted": "2026-01-01", "endpoint_ms": 1, "total_ms": 1}},
            "offset from UTC",
        ),
    ],
)
def test_a_record_that_does_not_fit_names_the_field(change, complaint):
    document = {**json.loads(answer([0.9, 0.1], labels=["a", "b"]).as_json()), **change}

    with pytest.raises(PredictionError, match=complaint):
        Prediction.from_json(json.dumps(document).encode())


@pytest.mark.parametrize("data", [b"", b"<html>", b"[]"])
def test_what_is_not_a_record_is_an_error(data):
    with pytest.raises(PredictionError):
        Prediction.from_json(data)


def test_up_to_fifty_classes_keep_every_probability():
    record = answer([0.1, 0.5, 0.2, 0.05, 0.12, 0.03])

    assert [candidate.label for candidate in record.probabilities] == ["bee", "cat", "eel", "ant", "dog", "fox"]
    assert record.rest_probability == 0


def test_of_more_classes_the_twenty_likeliest_and_the_rest_are_kept():
    labels = [f"class-{number}" for number in range(60)]

    record = answer([0.02] * 40 + [0.01] * 20, labels=labels)

    assert len(record.probabilities) == 20
    assert record.rest_probability == pytest.approx(1 - 20 * 0.02)


def test_a_record_of_an_earlier_release_has_the_new_fields_defaults():
    document = json.loads(answer([0.1, 0.6, 0.1, 0.1, 0.05, 0.05]).as_json())
    for name in ("probabilities", "rest_probability", "temperature", "thumbnail", "generation", "traits"):
        del document[name]

    record = Prediction.from_json(json.dumps(document).encode())

    assert (record.probabilities, record.temperature, record.thumbnail, record.generation) == ((), 1.0, None, 0)
    assert record.traits == ()


def test_a_failed_record_has_a_reason_and_no_label():
    record = predictions.failed(IMAGE, code="endpoint", sentence="It gave no answer.", times=TIMES)

    assert Prediction.from_json(record.as_json()) == record
    assert (record.status, record.label) == ("failed", None)
