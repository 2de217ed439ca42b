"""Checks the invocation with known images: a wrong class is logged, a wrong model or vector is an error."""

import pytest

from image_classifier.contracts.errors import EndpointError, PredictionError
from image_classifier.deploy import invocation

IMAGES = (
    invocation.LabelledImage("digits/dataset/validation/7/a.jpg", "7"),
    invocation.LabelledImage("b.jpg", "8"),
)
MODEL = invocation.DeployedModel("job-1", ("7", "8"))


def ask(classify, *, images=IMAGES):
    return invocation.check_endpoint(classify, read=lambda key: key.encode(), images=images, model=MODEL)


def test_the_table_tells_what_the_endpoint_takes_each_image_for():
    rows = ask(lambda _: ([0.25, 0.75], "job-1")).splitlines()

    assert [row.split() for row in rows] == [
        ["labelled", "predicted", "confidence", "image"],
        ["7", "8", "0.750", "digits/dataset/validation/7/a.jpg"],  # wrong, and no error: a model may err
        ["8", "8", "0.750", "b.jpg"],
    ]


def test_each_image_is_sent_as_it_is_stored():
    sent = []
    ask(lambda image: (sent.append(image), ([1.0, 0.0], "job-1"))[1])

    assert sent == [b"digits/dataset/validation/7/a.jpg", b"b.jpg"]


def test_another_models_answer_is_an_error():
    with pytest.raises(EndpointError, match="model of job-0, expected job-1"):
        ask(lambda _: ([0.5, 0.5], "job-0"))


def test_a_vector_of_another_length_is_an_error():
    with pytest.raises(PredictionError, match="3 probabilities for 2 labels"):
        ask(lambda _: ([0.2, 0.2, 0.6], "job-1"))


def test_nothing_to_ask_about_is_an_error():
    with pytest.raises(EndpointError, match="No validation image"):
        ask(lambda _: ([1.0, 0.0], "job-1"), images=())
