"""The prediction record says what the model said, reads back unchanged, and the later upload wins."""

import dataclasses
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


def upload(*, sequencer=None, uploaded="2026-01-01T00:00:00.000Z"):
    times = dataclasses.replace(TIMES, uploaded=uploaded)
    image = dataclasses.replace(IMAGE, sequencer=sequencer)
    return predictions.rejected(image, code="empty", sentence="The file is empty.", times=times)


def key(image_key):
    return predictions.record_key(image_key, incoming_prefix="pets/incoming/", predictions_prefix="pets/predictions/")


def test_the_label_is_the_most_likely_class():
    record = answer([0.1, 0.6, 0.1, 0.1, 0.05, 0.05])

    assert (record.status, record.label, record.confidence) == ("predicted", "bee", 0.6)


def test_the_five_most_likely_classes_are_named_in_order():
    record = answer([0.1, 0.5, 0.2, 0.05, 0.12, 0.03])

    assert [candidate.label for candidate in record.top] == ["bee", "cat", "eel", "ant", "dog"]


def test_of_equally_likely_classes_the_lower_index_comes_first():
    assert answer([0.4, 0.1, 0.4, 0.1, 0.0, 0.0]).label == "ant"


def test_a_probability_below_the_threshold_is_unsure_and_keeps_what_it_leans_to():
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


@pytest.mark.parametrize("body", [b"[0.25, 0.75]", b'{"prediction": [0.25, 0.75]}', b'{"prediction": [0.25, 0.75]}\n'])
def test_both_shapes_of_an_answer_are_read(body):
    assert predictions.parse_probabilities(body) == [0.25, 0.75]


@pytest.mark.parametrize(
    "body", [b"", b"ok", b"\xff\xfe", b'"a"', b"{}", b"[]", b'["a"]', b"[true]", b"[[0.1]]", b'{"prediction": 1}']
)
def test_any_other_answer_is_an_error(body):
    with pytest.raises(PredictionError, match="answer is not"):
        predictions.parse_probabilities(body)


def test_a_record_lies_below_predictions_under_the_images_own_name():
    assert key("pets/incoming/2026/ü (1).jpg") == "pets/predictions/2026/ü (1).jpg.json"


def test_two_images_never_share_a_record():
    assert key("pets/incoming/a") != key("pets/incoming/a.json")


def test_the_longest_key_that_fits_keeps_its_name():
    record = key("pets/incoming/" + "é" * 501)

    assert record == "pets/predictions/" + "é" * 501 + ".json"
    assert len(record.encode()) == 1024


@pytest.mark.parametrize("name", ["x" * 1003, "é" * 502])
def test_the_record_of_a_longer_key_is_found_by_the_hash_of_the_image_key(name):
    record = key(f"pets/incoming/{name}")

    assert record.startswith("pets/predictions/.long/")
    assert len(record) == len("pets/predictions/.long/") + 64 + len(".json")


def test_an_image_outside_incoming_has_no_record():
    with pytest.raises(PredictionError, match=r"pets/predictions/a\.jpg\.json"):
        key("pets/predictions/a.jpg.json")


@pytest.mark.parametrize(
    ("new", "stored", "wins"),
    [
        ("0055AED6DCD90281E6", "0055AED6DCD90281E5", True),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E6", False),
        ("0055AED6DCD90281E5", "0055AED6DCD90281E5", False),  # delivered twice
        ("0055AED6DD", "0055AED6DCD90281E5", True),  # the shorter is padded on the right
        ("0055AED6DCD90281E5", "0055AED6DD", False),
        ("0055AED6DC", "0055AED6DC00", False),
        ("0055aed6dcd90281e6", "0055AED6DCD90281E5", True),
    ],
)
def test_the_later_sequencer_supersedes(new, stored, wins):
    assert predictions.supersedes(upload(sequencer=new), upload(sequencer=stored)) is wins


@pytest.mark.parametrize(("stored_sequencer", "new_sequencer"), [(None, None), ("0A", None), (None, "0A")])
def test_without_two_sequencers_the_time_of_the_upload_decides(stored_sequencer, new_sequencer):
    stored = upload(sequencer=stored_sequencer, uploaded="2026-01-01T00:00:00.000Z")
    later = upload(sequencer=new_sequencer, uploaded="2026-01-01T00:00:00.001Z")
    same = upload(sequencer=new_sequencer, uploaded="2026-01-01T00:00:00.000Z")

    assert predictions.supersedes(later, stored)
    assert not predictions.supersedes(same, stored)
