"""Calls Airflow's REST API: triggers a run, reads its state, its tasks' results and their logs."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from laptop.airflow_settings import USER, password
from laptop.place import LaptopError, Place

DAG_WAIT_S = 90
PAGE = 100  # the most that Airflow returns at once (its maximum_page_limit)
PAUSES_S = (1, 2, 4, 8)
ANSWER_LIMIT_S = 30  # a machine with other work may take longer
DATABASE_ERROR = '"Database error"'


class AirflowBusyError(LaptopError):
    """The database was locked, or a request that only reads got no answer in time: it may be repeated."""


class AirflowApi:
    """A logged-in client of one Airflow."""

    def __init__(self, place: Place) -> None:
        """Log in as the administrator; ``token`` is then the JSON web token that the API and the pages take."""
        self._url = place.airflow_url
        self.token = ""
        answer = self.call("POST", "/auth/token", {"username": USER, "password": password(place)})
        self.token = answer["access_token"]

    def await_dag(self, dag_id: str) -> None:
        """Wait until the Dag processor has parsed the Dag, and unpause it.

        Raises:
            LaptopError: the Dag has an import error, or was not loaded in time.

        """
        deadline = time.monotonic() + DAG_WAIT_S
        while True:
            try:
                self.call("PATCH", f"/api/v2/dags/{dag_id}", {"is_paused": False})
            except LaptopError:
                errors = self.call("GET", "/api/v2/importErrors")["import_errors"]
                if time.monotonic() > deadline:
                    traces = "\n".join(error["stack_trace"] for error in errors) or "no import error was reported"
                    raise LaptopError(
                        f"Airflow did not load the Dag {dag_id} within {DAG_WAIT_S} s: {traces}"
                    ) from None
                time.sleep(1)
            else:
                return

    def trigger(self, dag_id: str, params: Mapping[str, Any]) -> str:
        """Start a run; returns its id."""
        body = {"logical_date": None, "conf": dict(params)}
        return str(self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def run_state(self, dag_id: str, run_id: str) -> str:
        return str(self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns/{_quote(run_id)}")["state"])

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return the run's task instances as dicts with task_id, map_index, state, duration (s), try_number ...

        A mapped task has one for each of its map indexes, from 0; any other task has the map index -1.
        """
        path = f"/api/v2/dags/{dag_id}/dagRuns/{_quote(run_id)}/taskInstances?limit={PAGE}"
        tasks: list[dict[str, Any]] = []
        while True:
            answer = self.call("GET", f"{path}&offset={len(tasks)}")
            tasks += answer["task_instances"]
            if not answer["task_instances"] or len(tasks) >= answer["total_entries"]:
                return tasks

    def result(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """Return the task's result (its XCom `return_value`)."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{_quote(run_id)}/taskInstances/{task_id}/xcomEntries/return_value"
        return self.call("GET", f"{path}?deserialize=true")["value"]

    def log(self, dag_id: str, run_id: str, task_id: str, *, try_number: int, map_index: int = -1) -> list[str]:
        """Return the log lines of one try of a task, oldest first."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{_quote(run_id)}/taskInstances/{task_id}/logs/{try_number}"
        path += f"?map_index={map_index}"
        content = self.call("GET", path)["content"]
        return [line if isinstance(line, str) else _text(line) for line in content]

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a request, and repeat it while Airflow's database is locked, which means it had no effect.

        This happens with SQLite: the API server writes its audit log on its event loop, and a request that holds the
        database's lock may wait for that loop, until one of the two times out after five seconds (Airflow 3.3.2,
        `api_fastapi/logging/decorators.py`).
        """
        for pause_s in PAUSES_S:
            try:
                return self._ask(method, path, body)
            except AirflowBusyError:
                time.sleep(pause_s)
        return self._ask(method, path, body)

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        request = urllib.request.Request(self._url + path, method=method)  # noqa: S310 - our own address
        request.add_header("Accept", "application/json")
        if self.token:
            request.add_header("Authorization", f"Bearer {self.token}")
        if body is not None:
            request.add_header("Content-Type", "application/json")
            request.data = json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_LIMIT_S) as answer:  # noqa: S310 - our own address
                return json.load(answer)
        except urllib.error.HTTPError as error:
            detail = error.read().decode(errors="replace")[:500]
            is_busy = error.code == HTTPStatus.INTERNAL_SERVER_ERROR and DATABASE_ERROR in detail
            kind = AirflowBusyError if is_busy else LaptopError
            raise kind(f"Airflow answered {error.code} to {method} {path}: {detail}") from error
        except OSError as error:
            message = f"Airflow does not answer at {self._url} ({error}); `make status` shows what runs"
            is_late_read = method == "GET" and isinstance(error, TimeoutError)
            raise (AirflowBusyError if is_late_read else LaptopError)(message) from error


def _quote(run_id: str) -> str:
    return urllib.parse.quote(run_id, safe="")


def _text(line: Mapping[str, Any]) -> str:
    details = line.get("error_detail") or []
    causes = "; ".join(f"{cause.get('exc_type')}: {cause.get('exc_value')}" for cause in details)
    return f"{line.get('event', '')}{' ' + causes if causes else ''}"
