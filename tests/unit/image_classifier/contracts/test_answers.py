"""Checks that an endpoint's answer has one probability per label, or is an error that describes it."""

import numpy
import pytest

from image_classifier.contracts import answers
from image_classifier.contracts.answers import at_temperature, ranked
from image_classifier.contracts.errors import PredictionError
from image_classifier.evaluate.report import calibration


@pytest.mark.parametrize("body", [b"[0.25, 0.75]", b'{"prediction": [0.25, 0.75]}', b'{"prediction": [0.25, 0.75]}\n'])
def test_both_shapes_of_an_answer_are_read(body):
    assert answers.parse_probabilities(body) == [0.25, 0.75]


@pytest.mark.parametrize(
    "body", [b"", b"ok", b"\xff\xfe", b'"a"', b"{}", b"[]", b'["a"]', b"[true]", b"[[0.1]]", b'{"prediction": 1}']
)
def test_any_other_answer_is_an_error(body):
    with pytest.raises(PredictionError, match="answer is not"):
        answers.parse_probabilities(body)


@pytest.mark.parametrize(
    ("probabilities", "num_labels", "message"),
    [
        ([0.5, 0.5], 3, "answered 2 probabilities for 3 labels"),
        ([], 0, "answered 0 probabilities for 0 labels"),
        ([0.5, float("nan")], 2, "not probabilities"),
        ([-0.1, 1.1], 2, "not probabilities"),
    ],
)
def test_an_answer_that_does_not_fit_the_labels_is_an_error(probabilities, num_labels, message):
    with pytest.raises(PredictionError, match=message):
        answers.check_probabilities(probabilities, num_labels=num_labels, training_job="job-1")


def test_of_equal_probabilities_the_lower_index_comes_first():
    assert answers.ranked([0.4, 0.2, 0.4], labels=["a", "b", "c"]) == [("a", 0.4), ("c", 0.4), ("b", 0.2)]


@pytest.mark.parametrize("temperature", [0.2, 0.7, 1.0, 1.9, 10.0])
def test_a_temperature_gives_the_reports_values_and_keeps_the_first_class(temperature):
    random = numpy.random.default_rng(5)
    rows = random.dirichlet(numpy.full(6, 0.3), size=200)
    rows[0] = [1, 0, 0, 0, 0, 0]

    expected = calibration.at_temperature(rows, temperature)

    for row, wanted in zip(rows.tolist(), expected, strict=True):
        found = at_temperature(row, temperature)
        assert found == pytest.approx(wanted.tolist(), abs=1e-9)
        assert ranked(found, labels="abcdef")[0][0] == ranked(row, labels="abcdef")[0][0]


def test_a_temperature_of_one_changes_nothing():
    assert at_temperature([0.1 + 0.2, 0.7], 1.0) == [0.1 + 0.2, 0.7]
