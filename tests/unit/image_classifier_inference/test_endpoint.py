"""Checks that the endpoint is invoked again after temporary errors, only while there is time."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from image_classifier.contracts.errors import EndpointError, EndpointGoneError, ModelRefusalError, PredictionError
from image_classifier_inference.endpoint import LONGEST_PAUSE_S, Endpoint


@pytest.fixture
def endpoint(runtime):
    return Endpoint(runtime.client, name="image-classifier-pets", pause=runtime.pauses_s.append)


def ask(endpoint, remaining_s=60.0):
    return replace(endpoint, remaining_s=lambda: remaining_s).ask(b"jpeg")


@pytest.mark.parametrize(
    "failure",
    [
        ("ThrottlingException", 400),
        ("ModelNotReadyException", 429),
        ("ServiceUnavailable", 503),
        ("InternalFailure", 500),
    ],
)
def test_what_passes_is_asked_again(endpoint, runtime, failure):
    runtime.fails(*failure)
    runtime.answers([0.2, 0.8], variant="job-2")

    answer = ask(endpoint)

    assert (answer.probabilities, answer.variant) == ([0.2, 0.8], "job-2")
    assert len(runtime.pauses_s) == 1


def test_a_container_that_fails_is_asked_again(endpoint, runtime):
    runtime.fails("ModelError", 424, original_status=500)
    runtime.answers([0.2, 0.8])

    assert ask(endpoint).probabilities == [0.2, 0.8]


@pytest.mark.parametrize("failure", [("ValidationError", 400), ("AccessDeniedException", 403)])
def test_what_does_not_pass_is_not_asked_again(endpoint, runtime, failure):
    runtime.fails(*failure)

    with pytest.raises(EndpointError, match=rf"image-classifier-pets gave no answer in 1 attempt.*{failure[0]}"):
        ask(endpoint)


def test_an_endpoint_that_was_deleted_is_an_error_of_its_own(endpoint, runtime):
    runtime.fails("ValidationError", 400, message="Endpoint image-classifier-pets of account 1 not found.")

    with pytest.raises(EndpointGoneError, match="1 attempt"):
        ask(endpoint)


def test_an_image_that_the_container_refuses_is_not_sent_again(endpoint, runtime):
    runtime.fails("ModelError", 424, original_status=400)

    with pytest.raises(ModelRefusalError, match="refuses the image: no"):
        ask(endpoint)

    assert runtime.pauses_s == []


def test_the_attempts_end(endpoint, runtime):
    for _ in range(5):
        runtime.fails("ThrottlingException")

    with pytest.raises(EndpointError, match="5 attempt") as raised:
        ask(endpoint)

    assert type(raised.value) is EndpointError  # it is not gone
    assert len(runtime.pauses_s) == 4


def test_the_time_of_the_answer_is_in_milliseconds(endpoint, runtime, monkeypatch):
    runtime.answers([0.2, 0.8])
    seconds = iter((1000.0, 1000.25))
    monkeypatch.setattr("image_classifier_inference.endpoint.time", SimpleNamespace(perf_counter=lambda: next(seconds)))

    assert ask(endpoint).endpoint_ms == 250.0


def test_pauses_grow_and_end_growing(endpoint, runtime):
    for _ in range(5):
        runtime.fails("ThrottlingException")

    with pytest.raises(EndpointError):
        ask(endpoint)

    assert runtime.pauses_s[0] <= 0.4 < runtime.pauses_s[2]
    assert max(runtime.pauses_s) <= LONGEST_PAUSE_S


def test_there_is_no_other_attempt_without_time_for_it(endpoint, runtime):
    runtime.fails("ThrottlingException")

    with pytest.raises(EndpointError, match="1 attempt"):
        ask(endpoint, remaining_s=25.0)


def test_a_connection_that_breaks_is_tried_again(endpoint, runtime, monkeypatch):
    from botocore.exceptions import ReadTimeoutError

    runtime.answers([0.2, 0.8])
    real, calls = runtime.client.invoke_endpoint, []

    def breaks_once(**request):
        calls.append(request)
        if len(calls) == 1:
            raise ReadTimeoutError(endpoint_url="https://runtime")
        return real(**request)

    monkeypatch.setattr(runtime.client, "invoke_endpoint", breaks_once)

    assert ask(endpoint).probabilities == [0.2, 0.8]


def test_an_answer_that_is_no_vector_is_an_error(endpoint, runtime):
    runtime.answers(b"<html>")

    with pytest.raises(PredictionError, match="not JSON"):
        ask(endpoint)
