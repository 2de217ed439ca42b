"""Checks that the processing task starts, adopts or reuses a job, and when it stops one."""

import time
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import TaskDeferred

from image_classifier.aws.jobs import owners
from image_classifier.contracts.errors import PreparationInputError, PreparationStoppedError
from image_classifier.prepare.processing import work
from image_classifier.prepare.processing.jobs import PROCESSING_JOBS
from image_classifier_airflow.operators import processing as module
from image_classifier_airflow.operators.processing import ProcessingJobOperator

SPEC = {
    "ProcessingResources": {
        "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 30}
    },
    "AppSpecification": {"ImageUri": "image"},
    "RoleArn": "arn:aws:iam::123456789012:role/preparation",
}
REQUEST = PROCESSING_JOBS.request(SPEC, classifier="cats", tags=[])
CONFIG = {"request": REQUEST, "classifier": "cats", "time_limit_s": 600}
NAME = REQUEST["ProcessingJobName"]


class TaskInstance:
    dag_id, run_id, task_id, map_index = "dag", "run", "prepare", -1
    state = "running"

    def get_task_states(self, dag_id, run_ids):
        return {run_ids[0]: {"prepare": self.state}}


@pytest.fixture
def instance():
    return TaskInstance()


@pytest.fixture
def parts(monkeypatch):
    """Replace the check for the parts of the shards: all exist while `all` is True."""
    there = SimpleNamespace(all=True)
    monkeypatch.setattr(work, "has_parts", lambda s3, request: there.all)
    return there


@pytest.fixture
def operator(jobs, parts, monkeypatch):
    monkeypatch.setattr(module, "client", lambda _, service: service)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

    def make(config=CONFIG, **arguments):
        made = ProcessingJobOperator(task_id="t", config=config, **arguments)
        monkeypatch.setitem(made.__dict__, "hook", SimpleNamespace(conn=jobs))
        return made

    return make


def created(jobs):
    return [name for method, name in jobs.calls if method == "create_processing_job"]


def stopped(jobs):
    return [name for method, name in jobs.calls if method == "stop_processing_job"]


def test_no_image_to_read_starts_nothing(operator, jobs, instance):
    assert operator({}).execute({"ti": instance}) is None
    assert jobs.calls == []


def test_a_job_is_started_once_and_waited_for_in_the_triggerer(operator, jobs, instance):
    for _ in range(2):
        with pytest.raises(TaskDeferred) as deferred:
            operator().execute({"ti": instance})

    assert created(jobs) == [NAME]
    trigger = deferred.value.trigger
    assert (type(trigger).__name__, trigger.job_name) == ("ProcessingJobTrigger", NAME)
    assert trigger.deadline == jobs.others["processing"][NAME]["CreationTime"].timestamp() + 600


def test_the_job_names_the_task_that_waits_and_later_its_adopter(operator, jobs, instance):
    for run in ("run", "later"):
        instance.run_id = run
        with pytest.raises(TaskDeferred):
            operator().execute({"ti": instance})
        assert owners.owner_of(jobs.tags_of(NAME)) == owners.Owner("dag", run, "prepare")


def test_a_completed_job_is_not_paid_again_while_its_parts_are_there(operator, jobs, instance, parts):
    jobs.has_other("processing", NAME, "Completed")

    assert operator().execute({"ti": instance}) == NAME
    assert created(jobs) == []
    parts.all = False
    with pytest.raises(TaskDeferred):
        operator().execute({"ti": instance})
    assert len(created(jobs)) == 1


def test_without_deferring_the_task_waits_itself(operator, jobs, instance, monkeypatch):
    created_at = jobs.has_other("processing", "another")["CreationTime"].timestamp()
    monkeypatch.setattr(time, "time", lambda: created_at)
    monkeypatch.setattr(time, "sleep", lambda seconds: jobs.has_other("processing", NAME, "Completed"))

    assert operator(deferrable=False).execute({"ti": instance}) == NAME


@pytest.mark.parametrize(
    ("status", "fields", "error"),
    [
        ("Stopped", {}, PreparationStoppedError),
        ("Failed", {"FailureReason": "AlgorithmError: See job logs"}, PreparationInputError),
    ],
)
def test_a_job_that_did_not_complete_fails_the_task(operator, jobs, instance, status, fields, error):
    jobs.has_other("processing", NAME, status, **SPEC, **fields)

    with pytest.raises(error):
        operator().execute_complete({"ti": instance}, {"status": "finished", "job_name": NAME})


def test_only_a_new_run_repeats_a_job_whose_program_failed(operator, jobs, instance):
    tags = {tag["Key"]: tag["Value"] for tag in owners.Owner("dag", "run", "prepare").tags()}
    jobs.has_other("processing", NAME, "Failed", tags=tags, ExitMessage="no", FailureReason="AlgorithmError: 1")

    with pytest.raises(PreparationInputError):
        operator().execute({"ti": instance})
    assert created(jobs) == []
    instance.run_id = "later"
    with pytest.raises(TaskDeferred):
        operator().execute({"ti": instance})
    assert len(created(jobs)) == 1


def test_a_job_that_takes_too_long_is_stopped(operator, jobs, instance):
    jobs.has_other("processing", NAME)

    with pytest.raises(PreparationStoppedError, match="time_limit_s"):
        operator().execute_complete({"ti": instance}, {"status": "overdue", "job_name": NAME})
    assert stopped(jobs) == [NAME]


def test_a_users_kill_stops_the_job_and_a_workers_end_does_not(operator, jobs, instance):
    for state, ended in (("running", []), ("failed", [NAME])):
        task = operator()
        with pytest.raises(TaskDeferred):
            task.execute({"ti": instance})
        instance.state = state
        task.on_kill()
        assert stopped(jobs) == ended


def test_a_task_that_a_user_ended_while_the_job_began_stops_it(operator, jobs, instance):
    instance.state = "failed"

    with pytest.raises(PreparationStoppedError, match="user ended the task while"):
        operator().execute({"ti": instance})
    assert stopped(jobs) == [NAME]
