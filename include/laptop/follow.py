"""Shows a Dag run while it runs: each task as it ends, and the accuracy of each training epoch."""

import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from image_classifier.aws import names
from image_classifier.train.job_log import START, log_events, parse_metrics
from laptop.airflow_api import AirflowApi
from laptop.place import LaptopError

if TYPE_CHECKING:
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_sagemaker import SageMakerClient

POLL_S = 1.0
QUEUED_S = 10  # longer than the scheduler takes to start a run
FINISHED = {"success", "failed", "skipped", "upstream_failed", "removed"}
LOG_LINES_OF_A_FAILURE = 15
COUNTED = re.compile(r"(Read|Features of) (\d+) of (\d+) images")  # the open algorithm's, before its first epoch


class Run:
    """One run of one Dag that is shown in the terminal."""

    def __init__(self, api: AirflowApi, dag_id: str, run_id: str) -> None:
        self.api, self.dag_id, self.run_id = api, dag_id, run_id
        self._start = time.monotonic()
        self._shown: dict[str, tuple[str, int]] = {}

    def follow(self, *, epochs: "Callable[[], Iterator[str]]") -> str:
        """Print every change until the run has ended; return its state.

        ``epochs`` returns new lines about the training job; it is called at every poll.
        """
        has_reported_queue = False
        while True:
            state = self.api.run_state(self.dag_id, self.run_id)
            if state == "queued" and not has_reported_queue and time.monotonic() - self._start > QUEUED_S:
                has_reported_queue = True
                self._say("queued: an earlier run of this Dag has to end first")
            for line in epochs():
                self._say(f"    {line}")
            self._show_tasks()
            if state in FINISHED:
                return state
            time.sleep(POLL_S)

    def explain_failure(self) -> LaptopError:
        """Return an error with the last log lines of the first failed task."""
        failed = [task for task in self.api.tasks(self.dag_id, self.run_id) if task["state"] == "failed"]
        if not failed:
            return LaptopError(f"The run {self.run_id} of {self.dag_id} failed; see Airflow's pages.")
        task = min(failed, key=lambda task: task["end_date"] or "")
        which = {"try_number": task["try_number"], "map_index": task["map_index"]}
        log = self.api.log(self.dag_id, self.run_id, task["task_id"], **which)
        end = "\n".join(f"  {line}" for line in log[-LOG_LINES_OF_A_FAILURE:])
        return LaptopError(f"The task {_name(task)} of {self.dag_id} failed. The end of its log:\n{end}")

    def _show_tasks(self) -> None:
        for task in sorted(self.api.tasks(self.dag_id, self.run_id), key=lambda task: task["start_date"] or "~"):
            now = (task["state"] or "", task["try_number"])
            name = _name(task)
            if self._shown.get(name) == now or not _worth_showing(task):
                continue
            self._shown[name] = now
            duration = f"{task['duration']:.1f} s" if task["state"] in FINISHED and task["duration"] else ""
            again = f" (try {task['try_number']})" if task["try_number"] > 1 else ""
            self._say(f"{name:<32}{task['state']}{again}  {duration}".rstrip())

    def _say(self, line: str) -> None:
        print(f"{time.monotonic() - self._start:7.1f} s  {line}", flush=True)


def _name(task: dict[str, Any]) -> str:
    """Return the task's id, with the map index of a mapped task."""
    return f"{task['task_id']}[{task['map_index']}]" if task["map_index"] >= 0 else str(task["task_id"])


def _worth_showing(task: dict[str, Any]) -> bool:
    return task["state"] in FINISHED | {"up_for_retry", "deferred"}


class EpochLines:
    """Yields new lines about the classifier's training job, one per epoch, from its log in CloudWatch.

    Reading many images takes long; before the first epoch its progress is shown in quarters.
    """

    def __init__(self, sagemaker: "SageMakerClient", logs: "CloudWatchLogsClient", classifier: str) -> None:
        self._sagemaker, self._logs = sagemaker, logs
        self._classifier = classifier
        self._known = {job["TrainingJobName"] for job in self._jobs()}
        self._job = ""
        self._cursor = START
        self._training: dict[int, float] = {}
        self._quarter = ""

    def __call__(self) -> Iterator[str]:
        """Yield the lines since the last call; after a failed job those of the next attempt."""
        newest = next((job["TrainingJobName"] for job in self._jobs() if self._is_new(job)), "")
        if newest and newest != self._job:
            self._job, self._cursor, self._training = newest, START, {}
            yield f"training job {newest}"
        if self._job:
            lines, self._cursor = log_events(self._logs, self._job, self._cursor)
            yield from self._quarters(lines)
            yield from self._epochs(lines)

    def _quarters(self, lines: list[str]) -> Iterator[str]:
        for what, done, count in (found.groups() for found in map(COUNTED.search, lines) if found):
            quarter = f"{what} {4 * int(done) // int(count)} {count}"
            if quarter != self._quarter and int(done):
                self._quarter = quarter
                yield f"{what.lower()} {done} of {count} images"

    def _jobs(self) -> list[Any]:
        found = self._sagemaker.list_training_jobs(
            NameContains=f"{names.PREFIX}{self._classifier}-", SortBy="CreationTime", SortOrder="Descending"
        )
        jobs = found["TrainingJobSummaries"]
        return [job for job in jobs if names.is_training_job(job["TrainingJobName"], classifier=self._classifier)]

    def _is_new(self, job: Any) -> bool:
        return job["TrainingJobName"] not in self._known or job["TrainingJobStatus"] == "InProgress"

    def _epochs(self, lines: list[str]) -> Iterator[str]:
        for metric in filter(None, map(parse_metrics, lines)):
            if metric.name != "accuracy":
                continue
            if metric.split == "train":
                self._training[metric.epoch] = metric.value
            else:
                trained = self._training.get(metric.epoch, float("nan"))
                yield f"epoch {metric.epoch + 1:>3}   accuracy: training {trained:.3f}, validation {metric.value:.3f}"
