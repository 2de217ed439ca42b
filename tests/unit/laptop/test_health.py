"""Checks how the health of Airflow's components is read from the API server."""

import http.server
import json
import sys
import threading
from dataclasses import dataclass

import pytest

from laptop import health
from laptop.containers.health import main
from laptop.containers.place import ContainerPlace
from laptop.place import LaptopError, Place


@dataclass
class ApiServer:
    """A running server, and the answer of its health page."""

    place: Place
    status: int
    components: dict[str, dict[str, str | None]]


@pytest.fixture
def api_server(tmp_path):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer.status if self.path == "/api/v2/monitor/health" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answer.components).encode())

        def log_message(self, *_) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        components = {"metadatabase": {"status": None}, "scheduler": {"status": "healthy"}}
        answer = ApiServer(Place(tmp_path, airflow_port=server.server_port), 200, components)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield answer
        server.shutdown()
        thread.join()


def test_components_with_heartbeats_are_healthy(api_server):
    assert health.component_states(api_server.place.airflow_url)["scheduler"] == "healthy"
    assert health.airflow_is_healthy(api_server.place)


def test_each_unhealthy_component_is_named(api_server):
    api_server.components |= {"dag_processor": {"status": None}, "triggerer": {"status": "unhealthy"}}

    assert health.unhealthy_components(api_server.place) == ["dag processor is None", "triggerer is unhealthy"]
    assert not health.airflow_is_healthy(api_server.place)


def test_an_api_server_that_fails_is_an_unhealthy_component(api_server):
    api_server.status = 503

    assert health.unhealthy_components(api_server.place) == ["the API server answered 503 Service Unavailable"]


def test_an_api_server_that_does_not_answer_raises():
    with pytest.raises(LaptopError, match="the API server does not answer"):
        health.component_states("http://127.0.0.1:1")


def test_a_local_aws_without_ready_json_is_not_ready(api_server):
    assert health.unhealthy_services(api_server.place) == ["the local AWS is not ready"]


@pytest.mark.parametrize(
    ("component", "status", "message"),
    [
        ("scheduler", 200, None),
        ("triggerer", 200, "triggerer is None"),
        ("scheduler", 503, "The state of scheduler is unknown: the API server answered 503 Service Unavailable"),
    ],
)
def test_a_containers_check_exits_with_the_state(api_server, monkeypatch, component, status, message):
    api_server.status = status
    monkeypatch.setattr(ContainerPlace, "airflow_url", api_server.place.airflow_url)
    monkeypatch.setattr(sys, "argv", ["health", component])

    if message is None:
        main()
    else:
        with pytest.raises(SystemExit, match=f"^{message}$"):
            main()
