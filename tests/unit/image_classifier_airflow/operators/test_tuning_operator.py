"""Checks that the tuning task starts, adopts or reuses a job, and when it stops one."""

import time
from types import SimpleNamespace

import pytest
from airflow.sdk.exceptions import TaskDeferred

from image_classifier.aws.jobs import owners
from image_classifier.contracts.errors import (
    TrainingError,
    TrainingInputError,
    TrainingServiceError,
    TrainingStoppedError,
)
from image_classifier.train.tuning import tuning_jobs
from image_classifier_airflow.operators import jobs as jobs_module
from image_classifier_airflow.operators import tuning as module
from image_classifier_airflow.operators.tuning import TuningJobOperator

REQUEST = {
    "HyperParameterTuningJobName": "image-classifier-0123456789abcde",
    "HyperParameterTuningJobConfig": {
        "Strategy": "Random",
        "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
    },
    "TrainingJobDefinition": {
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
        "StoppingCondition": {"MaxRuntimeInSeconds": 600},
    },
    "Tags": [],
}
CONFIG = {"request": REQUEST, "alternatives": [], "classifier": "cats", "training_job": "first", "force": False}


class TaskInstance:
    dag_id, run_id, task_id, map_index = "dag", "run", "tune", -1
    state = "running"

    def get_task_states(self, dag_id, run_ids):
        return {run_ids[0]: {"tune": self.state}}


@pytest.fixture
def instance():
    return TaskInstance()


@pytest.fixture
def first(jobs):
    """The name that the operator computes for the first attempt."""
    return tuning_jobs.plan_attempt(jobs, REQUEST, s3=None, classifier="cats", training_job="first").job_name


@pytest.fixture
def operator(jobs, monkeypatch):
    monkeypatch.setattr(module, "client", lambda operator, service: service)
    monkeypatch.setattr(tuning_jobs, "has_best_model", lambda sagemaker, job, s3: job.get("has_model", True))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)

    def make(config=CONFIG, **arguments):
        made = TuningJobOperator(task_id="t", config=config, **arguments)
        monkeypatch.setitem(made.__dict__, "hook", SimpleNamespace(conn=jobs))
        return made

    return make


def created(jobs):
    return [name for method, name in jobs.calls if method == "create_hyper_parameter_tuning_job"]


def stopped(jobs):
    return [name for method, name in jobs.calls if method == "stop_hyper_parameter_tuning_job"]


def test_a_run_that_does_not_tune_starts_nothing(operator, jobs, instance):
    assert operator({}).execute({"ti": instance}) is None
    assert (jobs.calls, operator({}).job_name) == ([], "")


def test_a_job_is_started_once_and_waited_for_in_the_triggerer(operator, jobs, instance, first):
    for _ in range(2):
        with pytest.raises(TaskDeferred) as deferred:
            operator().execute({"ti": instance})

    assert created(jobs) == [first]
    assert deferred.value.trigger.job_name == first
    assert deferred.value.trigger.deadline == tuning_jobs.deadline(jobs.others["tuning"][first])


def test_the_jobs_tags_name_the_task_that_waits_for_it_or_adopted_it(operator, jobs, instance, first):
    for run in ("run", "later"):
        instance.run_id = run
        with pytest.raises(TaskDeferred):
            operator().execute({"ti": instance})
        assert owners.owner_of(jobs.tags_of(first)) == owners.Owner("dag", run, "tune")


def test_a_job_that_has_its_models_is_reused(operator, jobs, instance, first):
    jobs.has_other("tuning", first, "Completed")

    assert operator().execute({"ti": instance}) == first
    assert jobs.calls == []


def test_a_forced_run_starts_a_job_of_its_own(operator, jobs, instance, first):
    jobs.has_other("tuning", first, "Completed")

    for _ in range(2):  # a retry adopts it
        with pytest.raises(TaskDeferred):
            operator({**CONFIG, "force": True}).execute({"ti": instance})
    assert len(created(jobs)) == 1
    assert created(jobs) != [first]


def test_without_deferring_the_task_waits_itself(operator, jobs, instance, first, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "sleep", lambda seconds: jobs.has_other("tuning", first, "Completed"))

    assert operator(deferrable=False).execute({"ti": instance}) == first


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        ("Stopped", "", TrainingStoppedError),
        ("Failed", "No training job succeeded after 4 attempts.", TrainingInputError),
        ("Failed", "InternalServerError: no", TrainingServiceError),
    ],
)
def test_a_job_that_did_not_complete_fails_the_task(operator, jobs, instance, first, status, reason, error):
    jobs.has_other("tuning", first, status, FailureReason=reason)

    with pytest.raises(error):
        operator().execute_complete({"ti": instance}, {"status": "finished", "job_name": first})


def test_after_a_stop_that_was_awaited_another_job_is_started(operator, jobs, instance, first):
    jobs.has_other("tuning", first, "Stopping", **{key: REQUEST[key] for key in REQUEST if key.endswith(("ig", "ion"))})
    with pytest.raises(TaskDeferred) as deferred:
        operator().execute({"ti": instance})
    jobs.has_other("tuning", first, "Stopped")

    with pytest.raises(TaskDeferred):
        operator().execute_complete(
            {"ti": instance}, {"status": "finished", "job_name": first}, **deferred.value.kwargs
        )
    assert len(created(jobs)) == 1


def test_after_a_stop_as_orphaned_the_adopting_task_starts_another(operator, jobs, instance, first):
    note = owners.stop_note("its task is over")
    jobs.has_other("tuning", first, "Stopped", tags={tag["Key"]: tag["Value"] for tag in note})

    with pytest.raises(TaskDeferred):
        operator().execute_complete({"ti": instance}, {"status": "finished", "job_name": first})
    assert len(created(jobs)) == 1


def test_a_job_that_takes_too_long_is_stopped(operator, jobs, instance, first):
    jobs.has_other("tuning", first)

    task = operator()
    with pytest.raises(TrainingStoppedError, match="limits of its training jobs"):
        task.execute_complete({"ti": instance}, {"status": "overdue", "job_name": first})
    assert stopped(jobs) == [first]
    instance.state = "failed"
    task.on_kill()
    assert not owners.stopped_as_orphan(jobs.tags_of(first))  # else the next try would start another


def test_on_a_worker_too_a_job_that_takes_too_long_is_stopped(operator, jobs, instance, first, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 1e11)

    with pytest.raises(TrainingStoppedError, match="limits of its training jobs"):
        operator(deferrable=False).execute({"ti": instance})
    assert stopped(jobs) == [first]


def test_on_a_worker_too_another_job_follows_a_stop_that_was_awaited(operator, jobs, instance, first, monkeypatch):
    values = {key: REQUEST[key] for key in REQUEST if key.endswith(("ig", "ion"))}
    jobs.has_other("tuning", first, "Stopping", **values)

    def later(_seconds):
        name = created(jobs)[-1] if created(jobs) else first
        jobs.has_other("tuning", name, "Completed" if created(jobs) else "Stopped", **values)

    monkeypatch.setattr(time, "time", lambda: 0.0)
    monkeypatch.setattr(time, "sleep", later)

    assert operator(deferrable=False).execute({"ti": instance}) == created(jobs)[0] != first


def test_a_job_that_another_try_created_meanwhile_gets_this_task_as_owner(operator, jobs, instance, first, refused):
    def another_was_faster(_request):
        jobs.has_other("tuning", first, **{key: REQUEST[key] for key in REQUEST if key.endswith(("ig", "ion"))})
        raise refused("ResourceInUse", "exists")

    jobs.refuses["create_hyper_parameter_tuning_job"] = another_was_faster

    with pytest.raises(TaskDeferred):
        operator().execute({"ti": instance})
    assert owners.owner_of(jobs.tags_of(first)) == owners.Owner("dag", "run", "tune")


def test_without_a_quota_for_the_first_machine_the_next_is_taken(operator, jobs, instance, first, refused):
    resources = {**REQUEST["TrainingJobDefinition"]["ResourceConfig"], "InstanceType": "ml.g5.xlarge"}
    other = {**REQUEST, "TrainingJobDefinition": {**REQUEST["TrainingJobDefinition"], "ResourceConfig": resources}}
    jobs.refuses["create_hyper_parameter_tuning_job"] = [refused("ResourceLimitExceeded", "no quota")]

    with pytest.raises(TaskDeferred):
        operator({**CONFIG, "alternatives": [other]}).execute({"ti": instance})
    assert jobs.others["tuning"][first]["TrainingJobDefinition"]["ResourceConfig"] == resources


def test_a_job_that_completed_before_its_stop_is_taken(operator, jobs, instance, first):
    note = owners.stop_note("its task is over")
    jobs.has_other("tuning", first, "Completed", tags={tag["Key"]: tag["Value"] for tag in note})

    assert operator().execute_complete({"ti": instance}, {"status": "finished", "job_name": first}) == first


def test_a_kill_waits_until_the_job_is_stopped(operator, jobs, instance, first, monkeypatch):
    class Late:
        def __init__(self, *, target, **_):
            self.join = lambda timeout: target()

        def start(self):
            pass

    monkeypatch.setattr(jobs_module, "Thread", Late)
    task = operator()
    with pytest.raises(TaskDeferred):
        task.execute({"ti": instance})
    instance.state = "failed"

    task.on_kill()

    assert stopped(jobs) == [first]


def test_a_users_kill_stops_the_job_and_a_workers_end_does_not(operator, jobs, instance, first):
    for state, names in (("running", []), ("failed", [first])):
        instance.state = "running"
        task = operator()
        with pytest.raises(TaskDeferred):
            task.execute({"ti": instance})
        instance.state = state
        task.on_kill()
        assert stopped(jobs) == names


def test_a_task_that_a_user_ended_while_the_job_began_stops_it(operator, jobs, instance, first):
    instance.state = "failed"

    with pytest.raises(TrainingStoppedError, match="A user ended the task while"):
        operator().execute({"ti": instance})
    assert stopped(jobs) == [first]


def test_a_trigger_without_an_event_and_a_deleted_job_are_errors(operator, instance):
    with pytest.raises(TrainingError, match="without an event"):
        operator().execute_complete({"ti": instance}, None)
    with pytest.raises(TrainingError, match="is gone"):
        operator().execute_complete({"ti": instance}, {"status": "absent", "job_name": "x"})
