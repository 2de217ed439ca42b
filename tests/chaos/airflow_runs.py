"""Does to a run what a user does in Airflow's pages (trigger, mark, clear), and kills the process of a task."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from laptop import follow
from laptop.airflow_api import AirflowApi
from laptop.place import LaptopError

T = TypeVar("T")
POLL_S = 0.5
LOOKS = 4
READING = timedelta(seconds=10)
FINISHED = ("success", "failed", "skipped", "upstream_failed", "removed")


def until(look: Callable[[], T], *, seconds: float, what: str) -> T:
    """What `look` gives as soon as it gives something.

    Raises:
        TimeoutError: says what did not happen, and in how long.

    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")
        time.sleep(POLL_S)
    return found


def now() -> datetime:
    return datetime.now(UTC)


class Airflow(AirflowApi):
    """The API, with what a person may do to a task."""

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Look again when nobody had time to answer: this machine may have much to do."""
        for _ in range(LOOKS):
            try:
                return super().call(method, path, body)
            except LaptopError as error:
                if method != "GET" or "does not answer" not in str(error):
                    raise
        return super().call(method, path, body)

    def await_dag(self, dag_id: str) -> None:
        """Have more patience than a demonstration."""
        for _ in range(LOOKS):
            with contextlib.suppress(LaptopError):
                return super().await_dag(dag_id)
        return super().await_dag(dag_id)

    def parse_again(self, dag_id: str) -> None:
        """Have the Dag processor read the Dag's file again, as it does by itself every few minutes."""
        dag, path = self.call("GET", f"/api/v2/dags/{dag_id}"), f"/api/v2/dags/{dag_id}"
        self.call("PUT", f"/api/v2/parseDagFile/{dag['file_token']}")
        before = dag["last_parsed_time"]
        what = f"the Dag processor reading {dag_id} again"
        until(lambda: self.call("GET", path)["last_parsed_time"] != before, seconds=300, what=what)

    @contextlib.contextmanager
    def paused(self, dag_id: str) -> Iterator[None]:
        """Have no scheduled run of a Dag begin."""
        path = f"/api/v2/dags/{dag_id}?update_mask=is_paused"
        self.call("PATCH", path, {"is_paused": True})
        try:
            yield
        finally:
            self.call("PATCH", path, {"is_paused": False})

    def mark(self, dag_id: str, run_id: str, task_id: str, *, state: str) -> None:
        """Mark a task as `success` or `failed`."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        self.call("PATCH", path, {"new_state": state})

    def clear(self, dag_id: str, run_id: str, task_id: str) -> None:
        """Clear one task, so that it runs again."""
        body = {"dag_run_id": run_id, "task_ids": [task_id], "dry_run": False, "only_failed": False}
        self.call("POST", f"/api/v2/dags/{dag_id}/clearTaskInstances", body)

    def mark_run(self, dag_id: str, run_id: str, *, state: str) -> None:
        """End a whole run."""
        self.call("PATCH", f"/api/v2/dags/{dag_id}/dagRuns/{run_id}", {"state": state})

    def question(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        """What a person is asked."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        return dict(self.call("GET", path))

    def answer(self, dag_id: str, run_id: str, task_id: str, *, option: str) -> None:
        """Answer it."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}/-1/hitlDetails"
        self.call("PATCH", path, {"chosen_options": [option], "params_input": {}})

    def runs(self, dag_id: str) -> list["Run"]:
        """Every run of a Dag, the oldest first."""
        found = self.call("GET", f"/api/v2/dags/{dag_id}/dagRuns?order_by=run_after&limit=100")["dag_runs"]
        return [Run(self, dag_id, run["dag_run_id"]) for run in found]

    def asset_events(self, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
        """The extra of the Asset events that a run has added, by the Asset's name."""
        path = f"/api/v2/assets/events?source_dag_id={dag_id}&source_run_id={run_id}&limit=100"
        return {event["name"]: event["extra"] for event in self.call("GET", path)["asset_events"]}

    def ordered_run(self, dag_id: str, run_id: str, *, conf: dict[str, Any]) -> "Run":
        """A run under a name of ours, so that its address needs no quoting."""
        self.await_dag(dag_id)
        self.call("POST", f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "dag_run_id": run_id, "conf": conf})
        return Run(self, dag_id, run_id)


@dataclass(frozen=True)
class Run:
    """One run of one Dag."""

    api: Airflow
    dag_id: str
    run_id: str

    @property
    def state(self) -> str:
        return self.api.run_state(self.dag_id, self.run_id)

    def task(self, task_id: str, *, map_index: int | None = None) -> dict[str, Any]:
        """The task instance of this index; without one, the only or first one."""
        return next(task for task in self.all(task_id) if map_index in (None, task["map_index"]))

    def all(self, task_id: str) -> list[dict[str, Any]]:
        """Every task instance of a task: several if it is mapped."""
        return [task for task in self.api.tasks(self.dag_id, self.run_id) if task["task_id"] == task_id]

    def await_task(self, task_id: str, states: Iterable[str], *, seconds: float = 300, tries: int = 1) -> str:
        """The task's state once it is one of `states`, in its try number `tries` or a later one."""
        wanted = tuple(states)

        def reached() -> str:
            task = self.task(task_id)
            return task["state"] if task["state"] in wanted and task["try_number"] >= tries else ""

        return until(reached, seconds=seconds, what=f"{self.dag_id}.{task_id} becoming {' or '.join(wanted)}")

    def await_question(self, task_id: str, *, seconds: float = 900) -> None:
        """Wait until a person is asked, and for as long as one needs to read; see the README about faster ones."""
        self.await_task(task_id, ["awaiting_input"], seconds=seconds)
        since = now()
        until(lambda: now() - since > READING, seconds=60, what="a person reading the question")

    def await_end(self, *, seconds: float = 600) -> str:
        return until(
            lambda: self.state if self.state in FINISHED else "", seconds=seconds, what=f"the end of {self.dag_id}"
        )

    def mark(self, task_id: str, *, state: str) -> None:
        self.api.mark(self.dag_id, self.run_id, task_id, state=state)

    def clear(self, task_id: str) -> None:
        self.api.clear(self.dag_id, self.run_id, task_id)

    def give_up(self) -> None:
        """End the run if it has not ended: what it waits for is not wanted any more."""
        if self.state not in FINISHED:
            self.api.mark_run(self.dag_id, self.run_id, state="failed")

    def log(self, task_id: str, *, map_index: int | None = None) -> str:
        """The log of all tries."""
        task = self.task(task_id, map_index=map_index)
        tries = range(1, task["try_number"] + 1)
        read = partial(self.api.log, self.dag_id, self.run_id, task_id, map_index=task["map_index"])
        return "\n".join(line for number in tries for line in read(try_number=number))

    def explain(self) -> str:
        """The end of the first failed task's log."""
        return str(follow.Run(self.api, self.dag_id, self.run_id).explain_failure())

    def kill_process(self, task_id: str, *, map_index: int | None = None) -> None:
        """SIGKILL the process that executes the task, not the one that watches it."""
        pid = until(lambda: self.task(task_id, map_index=map_index)["pid"], seconds=30, what=f"a process for {task_id}")
        os.kill(_executes(pid), signal.SIGKILL)


def _executes(pid: int) -> int:
    """Airflow notes the process that runs the task's code; make sure that it is none of its parents."""
    title = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    if "airflow" not in title:
        raise LookupError(f"Process {pid} is no task of Airflow: {title}")
    return pid
