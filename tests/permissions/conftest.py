"""Starts a laptop whose local AWS records every call that IAM allows."""

import json
import os
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.chaos.classifiers import write_classifier, write_images
from tests.ports import free_port

from laptop import supervisor
from laptop.airflow_api import AirflowApi
from laptop.follow import Run
from laptop.place import Place

CLASSIFIER = "shades"
DAG_ID = f"{CLASSIFIER}_train_and_deploy"


class Laptop:
    """A running laptop, and what the tests do with it."""

    def __init__(self, place: Place) -> None:
        self.place, self.api = place, AirflowApi(place)
        ready, keys = (json.loads((place.aws_state / name).read_text()) for name in ("ready.json", "keys.json"))
        self.bucket: str = ready["settings"]["IMAGE_CLASSIFIER_BUCKET"]
        root = keys["root"]
        session = boto3.Session(root["access_key"], root["secret"], region_name=ready["region"])
        self.iam = session.client("iam", endpoint_url=ready["endpoint_url"])
        self.sqs = session.client("sqs", endpoint_url=ready["endpoint_url"])
        self.sagemaker = session.client("sagemaker", endpoint_url=ready["sagemaker_endpoint_url"])

    def write_classifier(self, *, epochs: int = 2, trigger: str = "direct") -> None:
        write_classifier(self.place, CLASSIFIER, epochs=epochs, trigger=trigger)

    def run_and_check(self, dag_id: str = DAG_ID, *, expected: str = "success", **params: Any) -> Run:
        """Trigger a run, wait for its end, and check its state."""
        self.api.await_dag(dag_id)
        run = Run(self.api, dag_id, self.api.trigger(dag_id, params))
        state = run.follow(epochs=lambda: iter(()))
        assert state == expected, run.explain_failure()
        return run

    def page(self, path: str) -> str:
        """One of the pages, as the API server serves it to the admin."""
        request = urllib.request.Request(
            f"{self.place.airflow_url}/image-classifier/{path}", headers={"Authorization": f"Bearer {self.api.token}"}
        )
        with urllib.request.urlopen(request) as answer:
            return str(answer.read().decode())

    def task(self, run_id: str, task_id: str) -> str:
        """The state of a task, about once a second."""
        time.sleep(1)
        return next(str(task["state"]) for task in self.api.tasks(DAG_ID, run_id) if task["task_id"] == task_id)

    def mark_failed(self, run_id: str, task_id: str) -> None:
        path = f"/api/v2/dags/{DAG_ID}/dagRuns/{run_id}/taskInstances/{task_id}"
        self.api.call("PATCH", path, {"new_state": "failed"})

    def job_status(self) -> str:
        """The status of the newest training job, about once a second."""
        time.sleep(1)
        newest = self.sagemaker.list_training_jobs(SortBy="CreationTime", SortOrder="Descending", MaxResults=1)
        return str(newest["TrainingJobSummaries"][0]["TrainingJobStatus"])


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    os.environ.update({"LOCAL_AWS_RECORD_CALLS": "1", "NO_PROXY": "127.0.0.1,localhost"})
    state = tmp_path_factory.mktemp("laptop")
    place = Place(state=state, aws_port=free_port(), sagemaker_port=free_port(), airflow_port=free_port())
    write_images(place)
    supervisor.start(place)
    try:
        yield Laptop(place)
    finally:
        supervisor.stop(place)


@pytest.fixture(scope="session")
def recorded(laptop: Laptop) -> Path:
    return laptop.place.aws_state / "calls.jsonl"
