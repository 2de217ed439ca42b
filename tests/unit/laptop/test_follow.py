"""Checks the lines about a training job before its first epoch and after each epoch, and those about tasks."""

import boto3
import pytest
from botocore.stub import Stubber

from laptop.follow import EpochLines, Run

JOB = "image-classifier-pets-0123abcd-4567cdef"
LINES = [
    "[INFO] Read 0 of 8000 images",
    "[INFO] Read 900 of 8000 images",
    "[INFO] Read 1900 of 8000 images",
    "[INFO] Read 4100 of 8000 images",
    "[INFO] Features of 4200 of 8000 images",
    "[INFO] Features of 4400 of 8000 images",
    "[INFO] Epoch[0] Train-accuracy=0.500000",
    "[INFO] Epoch[0] Validation-accuracy=0.750000",
]


@pytest.fixture
def clients():
    made = [boto3.client(name, region_name="us-east-1") for name in ("sagemaker", "logs")]
    stubs = [Stubber(client) for client in made]
    for stub in stubs:
        stub.activate()
    yield made, stubs
    for stub in stubs:
        stub.assert_no_pending_responses()


def test_a_long_reading_is_reported_by_quarters_and_then_each_epoch(clients):
    (sagemaker, logs), (jobs, events) = clients
    summary = {
        "TrainingJobName": JOB,
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{JOB}",
        "CreationTime": 0,
        "TrainingJobStatus": "InProgress",
    }
    for found in ([], [summary]):
        jobs.add_response("list_training_jobs", {"TrainingJobSummaries": found})
    stream = f"{JOB}/algo-1-1"
    events.add_response("describe_log_streams", {"logStreams": [{"logStreamName": stream}]})
    told = [{"timestamp": 1, "message": line, "ingestionTime": 1} for line in LINES]
    for found in (told, []):  # the same token again: there is no more
        events.add_response("get_log_events", {"events": found, "nextForwardToken": "f/1"})
    lines = EpochLines(sagemaker, logs, "pets")

    assert list(lines()) == [
        f"training job {JOB}",
        "read 900 of 8000 images",
        "read 4100 of 8000 images",
        "features of 4200 of 8000 images",
        "epoch   1   accuracy: training 0.500, validation 0.750",
    ]


class Airflow:
    """A run with two mapped tasks, one of which fails."""

    def __init__(self) -> None:
        self.polls = 0

    def run_state(self, dag_id, run_id):
        self.polls += 1
        return "running" if self.polls < 3 else "failed"

    def tasks(self, dag_id, run_id):
        common = {
            "task_id": "prepare_shard",
            "start_date": "2026",
            "end_date": "2026",
            "try_number": 1,
            "duration": 2.0,
        }
        states = enumerate(("success", "failed"))
        return [{**common, "map_index": number, "state": state} for number, state in states]

    def log(self, dag_id, run_id, task_id, *, try_number, map_index):
        return [f"the log of {task_id} {map_index}"]


def test_each_mapped_task_is_shown_once(monkeypatch, capsys):
    monkeypatch.setattr("laptop.follow.POLL_S", 0)

    assert Run(Airflow(), "pets", "run").follow(epochs=lambda: iter(())) == "failed"

    lines = capsys.readouterr().out.splitlines()
    assert [line.split("s  ", 1)[1].split() for line in lines] == [
        ["prepare_shard[0]", "success", "2.0", "s"],
        ["prepare_shard[1]", "failed", "2.0", "s"],
    ]


def test_a_failed_mapped_task_is_explained_by_its_own_log():
    said = str(Run(Airflow(), "pets", "run").explain_failure())

    assert said.startswith("The task prepare_shard[1] of pets failed.")
    assert said.endswith("the log of prepare_shard 1")
