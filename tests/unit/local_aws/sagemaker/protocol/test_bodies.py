"""Checks that invalid bodies are refused with AWS's error codes."""

import asyncio

import pytest
from starlette.requests import Request

from local_aws.sagemaker.protocol import bodies
from local_aws.sagemaker.protocol.errors import ServiceError


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"\xff\xfe",
        b'{"TrainingJobName": "\xe9"}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"9" * 5_000 + b"}",
        b'{"a": "\\ud800"}',
        b"{",
        b"not JSON",
    ],
    ids=["deep list", "deep object", "no UTF-8", "latin", "NaN", "Infinity", "digits", "surrogate", "cut off", "text"],
)
def test_a_body_that_is_no_json_of_aws_is_refused(body):
    with pytest.raises(ServiceError) as caught:
        bodies.parse(body)

    assert (caught.value.code, caught.value.status) == ("SerializationException", 400)


@pytest.mark.parametrize(
    ("body", "value"), [(b"", {}), (b"{}", {}), (b'{"a": "\\u00e9"}', {"a": "é"}), ('{"a": "é"}'.encode(), {"a": "é"})]
)
def test_json_is_read(body, value):
    assert bodies.parse(body) == value


class Sent:
    """A request whose body comes in parts; `taken` counts those that were read."""

    def __init__(self, *parts, **headers):
        self.parts, self.taken = list(parts), 0
        encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        self.request = Request({"type": "http", "headers": encoded}, self.receive)

    async def receive(self):
        body = self.parts[self.taken]
        self.taken += 1
        return {"type": "http.request", "body": body, "more_body": self.taken < len(self.parts)}

    def read(self):
        return asyncio.run(bodies.read(self.request, max_bytes=10, refusal=bodies.control_too_large))


def test_a_body_within_the_bound_is_read_whole():
    assert Sent(b"12345", b"67890").read() == b"1234567890"


def test_a_body_without_a_length_is_read_up_to_the_maximum():
    sent = Sent(b"12345", b"678901", b"more", b"more")

    with pytest.raises(ServiceError) as caught:
        sent.read()

    assert (caught.value.code, caught.value.status) == ("RequestEntityTooLargeException", 413)
    assert sent.taken == 2


@pytest.mark.parametrize("length", ["11", "9" * 5_000])
def test_a_body_that_is_announced_too_long_is_not_read(length):
    sent = Sent(b"123", content_length=length)

    with pytest.raises(ServiceError):
        sent.read()

    assert sent.taken == 0
