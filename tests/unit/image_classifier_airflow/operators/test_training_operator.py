"""Checks that the training task starts, adopts or reuses a job, and when it stops one."""

import json
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace

import boto3
import pytest
from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator
from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowRuntimeError, AirflowTaskTimeout, ErrorType, TaskDeferred
from airflow.sdk.execution_time.comms import ErrorResponse
from botocore.stub import Stubber

from image_classifier.aws.jobs.owners import Owner
from image_classifier.contracts import errors
from image_classifier.train import job_log
from image_classifier.train.training_jobs import MARGIN_S
from image_classifier_airflow.operators import jobs as jobs_module
from image_classifier_airflow.operators import training as module
from image_classifier_airflow.operators.training import TrainingJobOperator
from image_classifier_airflow.task_states import GOES_ON

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = {
    "TrainingJobName": "job",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/sagemaker",
    "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
    "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}
OTHER = {**CONFIG, "ResourceConfig": {**CONFIG["ResourceConfig"], "InstanceType": "ml.g5.xlarge"}}
CAPACITY = {"FailureReason": "CapacityError: Unable to provision requested ML compute capacity."}
TIMED_OUT = {"SecondaryStatus": "MaxRuntimeExceeded"}
LOG = ["Epoch[0] Validation-accuracy=0.8", "Epoch[1] Validation-accuracy=0.7"]
FINISHED = {"status": "finished", "job_name": "job"}
TAGS = {"image-classifier-dag": "dag", "image-classifier-run": "run", "image-classifier-task": "train"}


SESSION = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
CLIENTS = {service: SESSION.client(service) for service in ("s3", "logs")}  # making one takes a second


@pytest.fixture(autouse=True)
def no_account(monkeypatch):
    monkeypatch.setattr(module, "client", lambda _, service: CLIENTS[service])


class TaskInstance:
    """What Airflow says of the task; `state` is what a user, or Airflow, has made of it."""

    dag_id, run_id, task_id, map_index = "dag", "run", "train", -1
    state = "running"

    def get_task_states(self, dag_id, run_ids):
        if isinstance(self.state, Exception):
            raise self.state
        assert (dag_id, run_ids) == ("dag", ["run"])
        return {} if self.state == "no such run" else {"run": {"train": self.state}}


@pytest.fixture
def instance():
    return TaskInstance()


@pytest.fixture
def operator(monkeypatch, jobs):
    def make(**arguments):
        made = TrainingJobOperator(task_id="t", config=CONFIG, **arguments)
        monkeypatch.setitem(made.__dict__, "hook", SimpleNamespace(conn=jobs))
        return made

    return make


@pytest.fixture
def artifact():
    """The model artifact exists."""
    with Stubber(CLIENTS["s3"]) as stubber:
        stubber.add_response("head_object", {})
        yield


@pytest.fixture
def reads(monkeypatch):
    """The job's log has these lines, given to each reader whole."""

    def log_events(_logs, _job_name, after=job_log.START):
        return ([] if after != job_log.START else LOG), job_log.Cursor({"stream": "token"})

    monkeypatch.setattr(job_log, "log_events", log_events)


@pytest.fixture
def deferred(instance):
    def execute(operator, event=None, **kwargs):
        context = {"ti": instance}
        go_on = partial(operator.execute_complete, event=event, **kwargs) if event else operator.execute
        with pytest.raises(TaskDeferred) as caught:
            go_on(context)
        return caught.value

    return execute


@pytest.fixture
def complete(instance):
    def execute_complete(operator, event=FINISHED, **kwargs):
        return operator.execute_complete({"ti": instance}, event=event, **kwargs)

    return execute_complete


def test_it_is_the_providers_operator():
    assert issubclass(TrainingJobOperator, SageMakerTrainingOperator)


def test_a_new_job_is_started_and_waited_for_in_the_triggerer(operator, jobs, deferred):
    waits = deferred(operator())

    assert jobs.created == ["job"]
    assert jobs.tags_of("job") == TAGS
    assert waits.kwargs == {"begun": "started"}
    assert waits.trigger.job_name == "job"
    assert waits.trigger.deadline == CREATED.timestamp() + 600 + MARGIN_S
    assert waits.timeout is None


def test_managed_spot_is_waited_for_as_long_as_it_may_wait(operator, jobs, deferred):
    jobs.has("job", StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 86400})

    assert deferred(operator()).trigger.deadline == CREATED.timestamp() + 86400 + MARGIN_S


def test_a_retry_adopts_the_job_that_runs_and_says_so_on_it(operator, jobs, deferred):
    jobs.has("job", tags={"image-classifier-run": "the run before"})

    assert deferred(operator()).kwargs == {"begun": "adopted"}
    assert jobs.calls == [("add_tags", "job")]
    assert jobs.tags_of("job") == TAGS


def test_a_job_created_by_another_try_meanwhile_is_adopted(operator, jobs, deferred, refused):
    def another_was_faster(_request):
        jobs.has("job")
        raise refused("ResourceInUse", "exists")

    jobs.refuses["create_training_job"] = another_was_faster

    assert deferred(operator()).kwargs == {"begun": "adopted"}
    assert jobs.tags_of("job") == TAGS


def test_a_completed_job_is_reused_with_its_best_epoch(operator, jobs, instance, artifact, reads):
    jobs.has("job", "Completed", BillableTimeInSeconds=90, TrainingTimeInSeconds=100)
    result = operator().execute({"ti": instance})

    assert jobs.calls == []
    assert (result["training_job"], result["outcome"], result["attempt"]) == ("job", "reused", 1)
    assert (result["best_validation_accuracy"], result["billable_s"]) == (0.8, 90)
    assert json.loads(json.dumps(result)) == result


@pytest.mark.parametrize(("run", "outcome"), [("run", "adopted"), ("earlier", "reused")])
def test_the_completed_job_of_a_cleared_task_is_one_of_its_run(operator, jobs, instance, artifact, reads, run, outcome):
    job = jobs.has("job", "Completed", BillableTimeInSeconds=90, TrainingTimeInSeconds=100)
    jobs.add_tags(ResourceArn=job["TrainingJobArn"], Tags=Owner("dag", run, "train").tags())

    assert operator().execute({"ti": instance})["outcome"] == outcome
    assert jobs.created == []


def test_a_forced_run_gets_the_next_attempt_and_its_retry_finds_it(operator, jobs, deferred):
    jobs.has("job", "Completed")

    assert deferred(operator(force=True)).kwargs == {"begun": "started"}
    assert deferred(operator(force=True)).kwargs == {"begun": "adopted"}
    assert jobs.created == ["job-2"]


def test_the_end_of_a_stopping_job_is_awaited_before_the_next_attempt(operator, jobs, deferred):
    job = jobs.has("job", "Stopping")
    task = operator()

    assert deferred(task).kwargs == {"begun": "awaited"}
    job |= {"TrainingJobStatus": "Stopped", "SecondaryStatus": "Stopped"}
    assert deferred(task, FINISHED, begun="awaited").trigger.job_name == "job-2"
    assert jobs.created == ["job-2"]


def test_after_an_adopted_job_stopped_as_orphan_the_next_attempt_starts(operator, jobs, deferred):
    job = jobs.has("job")
    task = operator()
    deferred(task)
    module.TRAINING_JOB.stop_orphaned(jobs, "job", why="the kill came late")
    job |= {"TrainingJobStatus": "Stopped", "SecondaryStatus": "Stopped"}

    assert deferred(task, FINISHED).trigger.job_name == "job-2"


def test_the_result_after_waiting_has_the_outcome_and_the_attempt(operator, jobs, complete, reads):
    jobs.has("job-2", "Completed")
    result = complete(operator(), {"status": "finished", "job_name": "job-2"}, begun="started")

    assert (result["outcome"], result["attempt"]) == ("started", 2)


def test_a_log_that_may_not_be_read_leaves_the_accuracy_unknown(operator, jobs, complete):
    jobs.has("job", "Completed")
    with Stubber(CLIENTS["logs"]) as log:
        log.add_client_error("describe_log_streams", "AccessDeniedException", "no")

        assert complete(operator())["best_validation_accuracy"] is None


def test_what_managed_spot_saved_is_reported(operator, jobs, complete, reads, monkeypatch):
    jobs.has("job", "Completed", EnableManagedSpotTraining=True, BillableTimeInSeconds=37, TrainingTimeInSeconds=100)
    task, told = operator(), []
    monkeypatch.setattr(task.log, "info", lambda text, *values: told.append(text % values))
    complete(task)

    assert told[-1] == "Managed spot saved 63 % of the price"


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        ("Failed", "ClientError: bad images", errors.TrainingInputError),
        ("Failed", "InternalServerError: ours", errors.TrainingServiceError),
        ("Stopped", "", errors.TrainingStoppedError),
    ],
)
def test_a_job_that_ends_without_a_model_fails_the_task(operator, jobs, complete, status, reason, error):
    jobs.has("job", status, FailureReason=reason)

    with pytest.raises(error):
        complete(operator())
    assert jobs.calls == []


def test_a_want_of_machines_is_followed_by_a_job_on_the_next_one(operator, jobs, deferred):
    jobs.has("job", "Failed", **CAPACITY)

    assert deferred(operator(alternatives=[OTHER]), FINISHED).trigger.job_name == "job-2"
    assert jobs.jobs["job-2"]["ResourceConfig"]["InstanceType"] == "ml.g5.xlarge"


def test_when_no_machine_is_left_it_is_tried_later(operator, jobs, complete):
    jobs.has("job-2", "Failed", **CAPACITY, ResourceConfig=OTHER["ResourceConfig"])

    with pytest.raises(errors.TrainingServiceError, match=r"no ml\.g5\.xlarge free"):
        complete(operator(alternatives=[OTHER]), {"status": "finished", "job_name": "job-2"})
    assert jobs.created == []


def test_a_job_that_its_time_limit_stopped_is_a_failure(operator, jobs, complete, artifact):
    jobs.has("job", "Stopped", **TIMED_OUT)

    with pytest.raises(errors.TrainingStoppedError, match="time limit"):
        complete(operator())


def test_unless_its_model_is_accepted_and_there(operator, jobs, complete, artifact, reads):
    jobs.has("job", "Stopped", **TIMED_OUT)

    assert complete(operator(accept_time_limit=True))["ended"] == "time_limit"


def test_a_later_run_reuses_the_accepted_model_of_a_time_limit(operator, jobs, instance, artifact, reads, monkeypatch):
    monkeypatch.setattr(
        "image_classifier.train.attempts.has_model", lambda *_, accept_time_limit, **__: accept_time_limit
    )
    jobs.has("job", "Stopped", **TIMED_OUT)

    assert operator(accept_time_limit=True).execute({"ti": instance})["outcome"] == "reused"
    assert jobs.created == []


def test_a_job_past_its_deadline_is_stopped(operator, jobs, complete):
    jobs.has("job")

    with pytest.raises(errors.TrainingStoppedError, match="job ran past its limits"):
        complete(operator(), {"status": "overdue", "job_name": "job"})
    assert jobs.stopped == ["job"]


def test_a_job_that_is_gone_is_an_error(operator, complete):
    with pytest.raises(errors.TrainingError, match="job is gone"):
        complete(operator(), {"status": "absent", "job_name": "job"})


def test_execution_timeout_is_the_triggers_deadline(operator, jobs, deferred, monkeypatch):
    monkeypatch.setattr(module.time, "time", lambda: CREATED.timestamp() + 10)
    jobs.has("job")

    assert deferred(operator(execution_timeout=timedelta(seconds=60))).trigger.deadline == CREATED.timestamp() + 70


def test_on_a_worker_it_waits_and_shows_every_line_once(operator, jobs, instance, reads, monkeypatch):
    job, pauses, shown = jobs.has("job"), [], []

    def sleep(seconds):
        pauses.append(seconds)
        job["TrainingJobStatus"] = "Completed"

    monkeypatch.setattr(module.time, "time", CREATED.timestamp)
    monkeypatch.setattr(module.time, "sleep", sleep)
    task = operator(deferrable=False, poll_interval_s=7)
    monkeypatch.setattr(task.log, "info", lambda text, *values: shown.append(text % values))
    result = task.execute({"ti": instance})

    assert (result["outcome"], pauses) == ("adopted", [7])
    assert [line for line in shown if line in LOG] == LOG


def test_on_a_worker_too_a_want_of_machines_is_followed_by_the_next(operator, jobs, instance, reads, monkeypatch):
    job = jobs.has("job")

    def sleep(_seconds):
        if job["TrainingJobStatus"] == "InProgress":
            job.update(TrainingJobStatus="Failed", **CAPACITY)
        else:
            jobs.jobs["job-2"]["TrainingJobStatus"] = "Completed"

    monkeypatch.setattr(module.time, "time", CREATED.timestamp)
    monkeypatch.setattr(module.time, "sleep", sleep)

    assert operator(deferrable=False, alternatives=[OTHER]).execute({"ti": instance})["training_job"] == "job-2"


def test_on_a_worker_too_a_job_past_its_deadline_is_stopped(operator, jobs, instance, reads, monkeypatch):
    monkeypatch.setattr(module.time, "time", lambda: CREATED.timestamp() + 5000)
    jobs.has("job")

    with pytest.raises(errors.TrainingStoppedError):
        operator(deferrable=False).execute({"ti": instance})
    assert jobs.stopped == ["job"]


def test_an_execution_timeout_on_a_worker_stops_the_job_once(operator, jobs, instance, reads, monkeypatch):
    def time_is_up(_seconds):
        raise AirflowTaskTimeout

    monkeypatch.setattr(module.time, "time", CREATED.timestamp)
    monkeypatch.setattr(time, "sleep", time_is_up)
    jobs.has("job")
    task = operator(deferrable=False)
    with pytest.raises(AirflowTaskTimeout):
        task.execute({"ti": instance})
    task.on_kill()  # Airflow calls it after a timeout

    assert jobs.stopped == ["job"]


def test_a_user_who_ends_a_task_on_a_worker_gets_no_next_attempt_from_it(operator, jobs, instance, reads, monkeypatch):
    job, task = jobs.has("job"), operator(deferrable=False)

    def the_user_ends_it(_seconds):
        instance.state = "success"
        task.on_kill()
        job["TrainingJobStatus"] = "Stopped"

    monkeypatch.setattr(module.time, "time", CREATED.timestamp)
    monkeypatch.setattr(module.time, "sleep", the_user_ends_it)

    with pytest.raises(errors.TrainingError, match="was ended, and training job job was stopped"):
        task.execute({"ti": instance})
    assert jobs.stopped == ["job"]
    assert list(jobs.jobs) == ["job"]


UNREACHABLE = AirflowRuntimeError(ErrorResponse(error=ErrorType.GENERIC_ERROR))


@pytest.mark.parametrize("state", ["failed", "success", "restarting", "skipped", "removed", "no such run"])
def test_a_users_kill_of_the_running_task_stops_the_job(operator, jobs, instance, deferred, state):
    task = operator()
    deferred(task)
    instance.state = state
    task.on_kill()

    assert jobs.stopped == ["job"]
    assert module.owners.stopped_as_orphan(jobs.tags_of("job"))


@pytest.mark.parametrize("wanted", [False, True])
@pytest.mark.parametrize("state", [*sorted(GOES_ON - {None}), None, UNREACHABLE])
def test_a_worker_that_goes_down_stops_the_job_only_if_that_is_wanted(
    operator, jobs, instance, deferred, state, wanted
):
    task = operator(stop_on_kill=wanted)
    deferred(task)
    instance.state = state
    task.on_kill()

    assert jobs.stopped == (["job"] if wanted else [])


def test_a_kill_before_there_is_a_job_stops_nothing(operator, jobs):
    operator().on_kill()

    assert jobs.calls == []


def test_a_signal_that_finds_the_task_asking_airflow_does_not_lock_it_up(
    operator, jobs, instance, deferred, monkeypatch
):
    """Airflow has one line to a task, under a lock that a signal's handler would wait for in vain."""
    monkeypatch.setattr(jobs_module, "MOST_KILL_S", 0.1)
    line, task = threading.Lock(), operator()
    deferred(task)
    answer = instance.get_task_states

    def ask(**question):
        with line:
            return answer(**question)

    instance.state, instance.get_task_states = "failed", ask
    before = signal.signal(signal.SIGTERM, lambda *_: task.on_kill())
    with line:
        signal.raise_signal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, before)
    for thread in threading.enumerate():
        if thread.daemon and thread.name.startswith("image-classifier"):
            thread.join()

    assert jobs.stopped == ["job"]


@pytest.mark.parametrize("state", ["failed", "success", "restarting"])
def test_a_user_who_ends_the_task_during_creation_leaves_no_orphan(operator, jobs, instance, state):
    def meanwhile(_request):
        instance.state = state

    jobs.refuses["create_training_job"] = meanwhile

    with pytest.raises(errors.TrainingStoppedError, match="ended the task while training job job was starting"):
        operator().execute({"ti": instance})
    assert jobs.stopped == ["job"]


def test_the_request_may_be_another_tasks_result():
    @task(multiple_outputs=True)
    def plan():
        return {"request": CONFIG, "force": True}

    with DAG("d", schedule=None):
        planned = plan()
        train = TrainingJobOperator(task_id="train", config=planned["request"], force=planned["force"])

    assert train.upstream_task_ids == {"plan"}
