"""Checks the requests to Airflow's REST API, and the handling of errors."""

import http.server
import json
import threading
from collections.abc import Iterator

import pytest

from laptop import airflow_api
from laptop.airflow_api import AirflowApi
from laptop.place import LaptopError, Place

# As Airflow 3.3.2 answers when SQLite is locked (api_fastapi/common/exceptions.py).
LOCKED = 500, {"detail": {"reason": "Database error", "statement": "hidden", "message": "Serious error"}}
TOKEN = 201, {"access_token": "a-token"}
TRIGGERED = 200, {"dag_run_id": "manual__1"}
RUNNING = 200, {"state": "running"}
NOTHING = 0, {}  # no answer before the client gives up


class Airflow(http.server.HTTPServer):
    """Gives its answers one after the other, and keeps what was asked."""

    def __init__(self, answers: list[tuple[int, dict[str, object]]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = answers
        self.asked: list[str] = []


class Handler(http.server.BaseHTTPRequestHandler):
    server: Airflow

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        self.server.asked.append(self.path)
        code, body = self.server.answers.pop(0)
        if (code, body) == NOTHING:
            self.rfile.read(1)  # until the client closes the connection
            self.close_connection = True
            return
        content = json.dumps(body).encode()
        self.send_response(code)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def airflow(monkeypatch: pytest.MonkeyPatch) -> Iterator[Airflow]:
    monkeypatch.setattr(airflow_api, "PAUSES_S", (0, 0))
    with Airflow([TOKEN]) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def logged_in(airflow, tmp_path) -> AirflowApi:
    return AirflowApi(Place(state=tmp_path, airflow_port=airflow.server_port))


def test_a_run_is_asked_for_again_while_the_database_is_locked(airflow, tmp_path):
    airflow.answers += [LOCKED, LOCKED, TRIGGERED]

    run_id = logged_in(airflow, tmp_path).trigger("digits", {})

    assert run_id == "manual__1"
    assert airflow.asked == ["/auth/token", *["/api/v2/dags/digits/dagRuns"] * 3]


def test_a_database_that_stays_locked_is_reported(airflow, tmp_path):
    airflow.answers += [LOCKED] * 3

    with pytest.raises(LaptopError, match=r"Airflow answered 500 to POST .*Database error"):
        logged_in(airflow, tmp_path).trigger("digits", {})


@pytest.mark.parametrize("refusal", [(404, {"detail": "no such Dag"}), (500, {"detail": "Internal Server Error"})])
def test_any_other_refusal_is_reported_at_once(airflow, tmp_path, refusal):
    airflow.answers += [refusal, TRIGGERED]

    with pytest.raises(LaptopError, match=f"Airflow answered {refusal[0]}"):
        logged_in(airflow, tmp_path).trigger("digits", {})
    assert airflow.answers == [TRIGGERED]


def test_a_late_answer_to_what_only_reads_is_asked_for_again(airflow, tmp_path, monkeypatch):
    airflow.answers += [NOTHING, RUNNING]
    api = logged_in(airflow, tmp_path)
    monkeypatch.setattr(airflow_api, "ANSWER_LIMIT_S", 0.5)

    assert api.run_state("digits", "manual__1") == "running"


def test_a_run_is_not_started_again_if_the_answer_is_late(airflow, tmp_path, monkeypatch):
    airflow.answers += [NOTHING, TRIGGERED]
    api = logged_in(airflow, tmp_path)
    monkeypatch.setattr(airflow_api, "ANSWER_LIMIT_S", 0.5)

    with pytest.raises(LaptopError, match="does not answer"):
        api.trigger("digits", {})


def test_all_tasks_of_a_run_are_read_page_by_page(airflow, tmp_path):
    tasks = [{"task_id": "prepare.prepare_shard", "map_index": number} for number in range(130)]
    airflow.answers += [(200, {"task_instances": page, "total_entries": 130}) for page in (tasks[:100], tasks[100:])]

    assert logged_in(airflow, tmp_path).tasks("digits", "run") == tasks
    assert [path.rpartition("?")[2] for path in airflow.asked[1:]] == ["limit=100&offset=0", "limit=100&offset=100"]


def test_the_log_of_a_mapped_task_is_asked_for_by_its_map_index(airflow, tmp_path):
    airflow.answers += [(200, {"content": ["the line"]})]

    assert logged_in(airflow, tmp_path).log("digits", "run", "shard", try_number=2, map_index=3) == ["the line"]
    assert airflow.asked[-1].endswith("/taskInstances/shard/logs/2?map_index=3")
