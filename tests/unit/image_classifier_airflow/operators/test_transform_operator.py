"""Checks that the scoring task starts, adopts or reuses a job, and when it stops one."""

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import TaskDeferred
from botocore.exceptions import ClientError

from image_classifier.aws.jobs import owners
from image_classifier.aws.names import job_name
from image_classifier.contracts.errors import EvaluationError, EvaluationInputError, EvaluationStoppedError
from image_classifier.evaluate import results
from image_classifier_airflow.operators import transform as module
from image_classifier_airflow.operators.transform import TransformJobOperator

NAME = "image-classifier-cats-0123456789abcdef"
REQUEST = {
    "TransformJobName": NAME,
    "ModelName": "m",
    "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "ManifestFile", "S3Uri": "s3://b/in"}}},
    "TransformOutput": {"S3OutputPath": "s3://b/out"},
    "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
    "Tags": [],
}
CONFIG = {"request": REQUEST, "classifier": "cats", "time_limit_s": 600}
CREATED = datetime.now(UTC) + timedelta(hours=1)  # the tests before these may take longer than the job's limit


class SageMaker:
    """Transform jobs by name; a job that is created runs."""

    def __init__(self):
        self.jobs, self.created, self.stopped, self.tags = {}, [], [], {}

    def describe_transform_job(self, TransformJobName):  # noqa: N803
        if TransformJobName not in self.jobs:
            raise ClientError({"Error": {"Code": "ValidationException", "Message": "Could not find it"}}, "Describe")
        return self.jobs[TransformJobName]

    def create_transform_job(self, **request):
        self.created.append(request["TransformJobName"])
        self.add(request["TransformJobName"], "InProgress")
        self.add_tags(request["TransformJobName"], request["Tags"])

    def add_tags(self, ResourceArn, Tags):  # noqa: N803
        self.tags.setdefault(ResourceArn, {}).update({tag["Key"]: tag["Value"] for tag in Tags})

    def get_paginator(self, method):
        assert method == "list_tags"
        pages = lambda ResourceArn: [  # noqa: E731, N803
            {"Tags": [{"Key": key, "Value": value} for key, value in self.tags.get(ResourceArn, {}).items()]}
        ]
        return SimpleNamespace(paginate=pages)

    def stop_transform_job(self, TransformJobName):  # noqa: N803
        self.stopped.append(TransformJobName)

    def add(self, name, status, **fields):
        self.jobs[name] = {
            **{key: value for key, value in REQUEST.items() if key != "Tags"},
            "TransformJobName": name,
            "TransformJobArn": name,
            "TransformJobStatus": status,
            "CreationTime": CREATED,
            **fields,
        }


class TaskInstance:
    dag_id, run_id, task_id, map_index = "dag", "run", "score", -1
    state = "running"

    def get_task_states(self, dag_id, run_ids):
        return {run_ids[0]: {"score": self.state}}


@pytest.fixture
def sagemaker():
    return SageMaker()


@pytest.fixture
def first(sagemaker):
    """The name that the operator computes for the first attempt."""
    spec = {name: value for name, value in REQUEST.items() if name not in ("TransformJobName", "Tags")}
    return job_name("cats", [spec, 1])


@pytest.fixture
def instance():
    return TaskInstance()


@pytest.fixture
def operator(sagemaker, monkeypatch):
    monkeypatch.setattr(module, "client", lambda _, service: service)
    monkeypatch.setattr(results, "has_enough_results", lambda s3, job: job.get("scored", False))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

    def make(config=CONFIG, **arguments):
        made = TransformJobOperator(task_id="t", config=config, **arguments)
        monkeypatch.setitem(made.__dict__, "hook", SimpleNamespace(conn=sagemaker))
        return made

    return make


def test_nothing_to_score_starts_nothing(operator, sagemaker, instance):
    assert operator({}).execute({"ti": instance}) is None
    assert (sagemaker.created, operator({}).job_name) == ([], "")


def test_a_job_is_started_once_and_waited_for_in_the_triggerer(operator, sagemaker, instance, first):
    for _ in range(2):
        with pytest.raises(TaskDeferred) as deferred:
            operator().execute({"ti": instance})

    assert sagemaker.created == [first]
    assert deferred.value.trigger.job_name == first
    assert deferred.value.trigger.deadline == CREATED.timestamp() + 600


def test_the_jobs_tags_name_the_task_that_waits_for_it_or_adopted_it(operator, sagemaker, instance, first):
    for run in ("run", "later"):
        instance.run_id = run
        with pytest.raises(TaskDeferred):
            operator().execute({"ti": instance})
        assert owners.owner_of(sagemaker.tags[first]) == owners.Owner("dag", run, "score")


def test_after_a_stop_as_orphaned_the_adopting_task_starts_another(operator, sagemaker, instance, first):
    sagemaker.add(first, "Stopped")
    sagemaker.add_tags(first, owners.stop_note("its task is over"))

    with pytest.raises(TaskDeferred):
        operator().execute_complete({"ti": instance}, {"status": "finished", "job_name": first})
    assert len(sagemaker.created) == 1


def test_the_results_of_a_job_that_is_done_are_taken(operator, sagemaker, instance, first):
    sagemaker.add(first, "Completed")

    assert operator().execute({"ti": instance}) == first
    assert sagemaker.created == []


def test_without_deferring_the_task_waits_itself(operator, sagemaker, instance, first, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: sagemaker.add(first, "Completed"))

    assert operator(deferrable=False).execute({"ti": instance}) == first


def test_without_deferring_a_job_that_fails_is_left_to_the_next_try(operator, sagemaker, instance, first, monkeypatch):
    def fail(_):
        for name in [*sagemaker.jobs]:
            sagemaker.add(name, "Failed", FailureReason="InternalServerError: no")

    monkeypatch.setattr(time, "sleep", fail)

    with pytest.raises(EvaluationError):
        operator(deferrable=False).execute({"ti": instance})
    assert sagemaker.created == [first]


def test_without_deferring_a_stop_is_awaited_and_another_job_started(operator, sagemaker, instance, first, monkeypatch):
    def go_on(_):
        for name, job in [*sagemaker.jobs.items()]:
            sagemaker.add(name, "Stopped" if job["TransformJobStatus"] in ("Stopping", "Stopped") else "Completed")

    monkeypatch.setattr(time, "sleep", go_on)
    sagemaker.add(first, "Stopping")

    name = operator(deferrable=False).execute({"ti": instance})

    assert name != first
    assert sagemaker.created == [name]


@pytest.mark.parametrize(
    ("status", "fields", "error"),
    [
        ("Stopped", {}, EvaluationStoppedError),
        ("Failed", {"FailureReason": "ClientError: See job logs"}, EvaluationInputError),
        ("Failed", {"FailureReason": "InternalServerError: no"}, EvaluationError),
    ],
)
def test_a_job_that_left_no_results_fails_the_task(operator, sagemaker, instance, first, status, fields, error):
    sagemaker.add(first, status, **fields)

    with pytest.raises(error):
        operator().execute_complete({"ti": instance}, {"status": "finished", "job_name": first})


def test_a_stopped_job_is_no_result_however_many_images_it_scored(operator, sagemaker, instance, first):
    sagemaker.add(first, "Stopped", scored=True)

    with pytest.raises(EvaluationStoppedError):
        operator().execute_complete({"ti": instance}, {"status": "finished", "job_name": first})


def test_the_jobs_time_limit_takes_the_place_of_an_execution_timeout(operator):
    assert operator(execution_timeout=timedelta(minutes=1)).execution_timeout is None


def test_a_job_that_failed_for_one_image_counts_as_done(operator, sagemaker, instance, first):
    sagemaker.add(first, "Failed", FailureReason="ClientError: 400", scored=True)

    assert operator().execute_complete({"ti": instance}, {"status": "finished", "job_name": first}) == first


@pytest.mark.parametrize("reason", ["ClientError: 400", "InternalServerError: one of the instances"])
def test_it_counts_as_done_for_a_cleared_task_and_a_later_run(operator, sagemaker, instance, first, reason):
    sagemaker.add(first, "Failed", FailureReason=reason, scored=True)

    assert operator().execute({"ti": instance}) == first
    assert sagemaker.created == []


def test_after_a_stop_that_was_awaited_another_job_is_started(operator, sagemaker, instance, first):
    sagemaker.add(first, "Stopping")
    with pytest.raises(TaskDeferred) as deferred:
        operator().execute({"ti": instance})
    sagemaker.add(first, "Stopped")

    with pytest.raises(TaskDeferred):
        operator().execute_complete(
            {"ti": instance}, {"status": "finished", "job_name": first}, **deferred.value.kwargs
        )

    assert len(sagemaker.created) == 1
    assert sagemaker.created != [first]


def test_a_job_that_takes_too_long_is_stopped(operator, sagemaker, instance, first):
    sagemaker.add(first, "InProgress")

    with pytest.raises(EvaluationStoppedError, match="time_limit_s"):
        operator().execute_complete({"ti": instance}, {"status": "overdue", "job_name": first})
    assert sagemaker.stopped == [first]


def test_a_users_kill_stops_the_job_and_a_workers_end_does_not(operator, sagemaker, instance, first):
    for state, stopped in (("running", []), ("failed", [first])):
        task = operator()
        with pytest.raises(TaskDeferred):
            task.execute({"ti": instance})
        instance.state = state
        task.on_kill()
        assert sagemaker.stopped == stopped


def test_a_task_that_a_user_ended_while_the_job_began_stops_it(operator, sagemaker, instance, first):
    instance.state = "failed"

    with pytest.raises(EvaluationStoppedError, match="A user ended the task while"):
        operator().execute({"ti": instance})
    assert sagemaker.stopped == [first]


def test_a_trigger_without_an_event_and_a_deleted_job_are_errors(operator, sagemaker, instance):
    with pytest.raises(EvaluationError, match="without an event"):
        operator().execute_complete({"ti": instance}, None)
    with pytest.raises(EvaluationError, match="is gone"):
        operator().execute_complete({"ti": instance}, {"status": "absent", "job_name": "x"})
