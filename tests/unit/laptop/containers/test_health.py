"""A container is healthy when the API server says so of the part of Airflow that it runs."""

import http.server
import json
import threading

import pytest

from laptop.containers.health import state


@pytest.fixture
def api_server():
    """Its address, and what it answers."""
    answer = {"status": 200, "body": {"scheduler": {"status": "healthy"}, "triggerer": {"status": None}}}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            self.end_headers()
            self.wfile.write(json.dumps(answer["body"]).encode())

        def log_message(self, *_) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", answer
        server.shutdown()
        thread.join()


def test_a_part_that_sends_heartbeats_is_healthy(api_server):
    url, _ = api_server

    assert state("scheduler", url=url) == "healthy"


def test_a_part_that_never_started_is_not(api_server):
    url, _ = api_server

    assert state("triggerer", url=url) == "None"
    assert state("dag_processor", url=url) == "None"


def test_an_api_server_that_fails_or_is_gone_is_named(api_server):
    url, answer = api_server
    answer["status"] = 503

    assert state("scheduler", url=url) == "unknown: the API server answered 503 Service Unavailable"
    assert "does not answer" in state("scheduler", url="http://127.0.0.1:1/")
