"""Checks requests to a serving process: kept connections, and errors when the process ends."""

import asyncio

import pytest

from local_aws.sagemaker.hosting.connections import Connections, NoAnswerError, NobodyListensError
from local_aws.sagemaker.hosting.instance import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n[]"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n1\r\n]\r\n0\r\n\r\n"
LAST = b"HTTP/1.1 400 Bad\r\nConnection: close\r\n\r\nno image"


class Program:
    """Answers each request of each connection from a script; an empty answer closes the connection."""

    def __init__(self, *scripts):
        self.scripts = list(scripts)
        self.requests = []

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def serve(self, reader, writer):
        script = self.scripts.pop(0)
        for answer in script:
            try:
                self.requests.append(await reader.readuntil(b"body"))
            except asyncio.IncompleteReadError:
                break
            if callable(answer):
                await answer()
            else:
                writer.write(answer)
                await writer.drain()
        writer.close()


def post(program_scripts, *, times=1, timeout_s=5.0, between=0.0):
    async def run():
        connections, answers = Connections(), []
        async with Program(*program_scripts) as program:
            try:
                for _ in range(times):
                    answers.append(
                        await connections.post(
                            program.port,
                            path="/invocations",
                            headers={"accept": "a/b"},
                            body=b"body",
                            timeout_s=timeout_s,
                        )
                    )
                    await asyncio.sleep(between)
            finally:
                connections.close()
        return answers, program

    return asyncio.run(run())


def test_a_connection_is_kept_for_the_next_request():
    answers, program = post([[OK, CHUNKED]], times=2)

    assert [(answer.status, answer.body) for answer in answers] == [(200, b"[]"), (200, b"[1]")]
    assert answers[0].headers["content-type"] == "application/json"
    assert program.requests[0].startswith(b"POST /invocations HTTP/1.1\r\n")
    assert b"\r\naccept: a/b\r\n" in program.requests[0]
    assert program.scripts == []


def test_an_answer_that_ends_with_its_connection_is_complete():
    answers, _ = post([[LAST], [OK]], times=2)

    assert [(answer.status, answer.text) for answer in answers] == [(400, "no image"), (200, "[]")]


def test_a_kept_connection_that_was_closed_is_replaced():
    answers, program = post([[OK], [OK]], times=2, between=0.05)

    assert [answer.status for answer in answers] == [200, 200]
    assert len(program.requests) == 2


def test_a_request_on_a_closed_connection_is_sent_on_a_new_one():
    answers, program = post([[OK, b""], [OK]], times=2)

    assert [answer.status for answer in answers] == [200, 200]
    assert len(program.requests) == 3


@pytest.mark.parametrize("answer", [b"", OK[:-1], b"not http\r\n\r\n"])
def test_an_answer_that_does_not_come_is_reported_and_not_asked_for_again(answer):
    with pytest.raises(NoAnswerError):
        post([[answer], [OK]])


def test_a_process_that_is_not_there_is_distinguished():
    async def run():
        await Connections().post(free_port(), path="/", headers={}, body=b"", timeout_s=5)

    with pytest.raises(NobodyListensError):
        asyncio.run(run())


def test_an_answer_that_takes_too_long_is_given_up():
    async def forever():
        await asyncio.sleep(60)

    with pytest.raises(TimeoutError):
        post([[forever]], timeout_s=0.05)
