"""The training task starts, adopts or reuses; it waits, and stops the job only when it should."""

import json
import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import boto3
import pytest
from airflow.providers.amazon.aws.operators.sagemaker import SageMakerTrainingOperator
from airflow.sdk import DAG, task
from airflow.sdk.exceptions import AirflowTaskTimeout, TaskDeferred
from botocore.stub import Stubber

from image_classifier import errors
from image_classifier_airflow.operators import training as module
from image_classifier_airflow.operators.training import TrainingJobOperator

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
CONFIG = {
    "TrainingJobName": "job",
    "AlgorithmSpecification": {"TrainingImage": "image", "TrainingInputMode": "File"},
    "RoleArn": "arn:aws:iam::123456789012:role/sagemaker",
    "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
    "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 50},
    "StoppingCondition": {"MaxRuntimeInSeconds": 600},
}
LOG = ["Epoch[0] Validation-accuracy=0.8", "Epoch[1] Validation-accuracy=0.7"]


SESSION = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
CLIENTS = {service: SESSION.client(service) for service in ("sagemaker", "s3", "logs")}  # making one takes a second


@pytest.fixture(autouse=True)
def no_account(monkeypatch):
    monkeypatch.setattr(module, "S3Hook", lambda **_: SimpleNamespace(conn=CLIENTS["s3"]))
    monkeypatch.setattr(module, "AwsLogsHook", lambda **_: SimpleNamespace(conn=CLIENTS["logs"]))


@pytest.fixture
def operator(monkeypatch):
    def make(**arguments):
        made = TrainingJobOperator(task_id="t", config=CONFIG, **arguments)
        monkeypatch.setitem(made.__dict__, "hook", SimpleNamespace(conn=CLIENTS["sagemaker"]))
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

    def log_events(_logs, _job_name, after=module.training.START):
        return ([] if after != module.training.START else LOG), module.training.Cursor({"stream": "token"})

    monkeypatch.setattr(module.training, "log_events", log_events)


def job(status, **values):
    return {
        "TrainingJobName": "job",
        "TrainingJobArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/job",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://b/models/job/output/model.tar.gz"},
        "TrainingJobStatus": status,
        "SecondaryStatus": status,
        "AlgorithmSpecification": CONFIG["AlgorithmSpecification"],
        "ResourceConfig": CONFIG["ResourceConfig"],
        "StoppingCondition": CONFIG["StoppingCondition"],
        "CreationTime": CREATED,
        **values,
    }


def absent(aws):
    aws.add_client_error("describe_training_job", "ValidationException", "Requested resource not found.")


def finds(aws, status, **values):
    aws.add_response("describe_training_job", job(status, **values), {"TrainingJobName": "job"})


def creates(aws):
    aws.add_response("create_training_job", {"TrainingJobArn": job("InProgress")["TrainingJobArn"]}, CONFIG)


def stops(aws):
    aws.add_response("stop_training_job", {}, {"TrainingJobName": "job"})


def stubbed():
    return Stubber(CLIENTS["sagemaker"])


def deferred(operator):
    with pytest.raises(TaskDeferred) as caught:
        operator.execute({})
    return caught.value


def test_it_is_the_providers_operator():
    assert issubclass(TrainingJobOperator, SageMakerTrainingOperator)


def test_every_client_reaches_aws_as_the_task_says(monkeypatch):
    monkeypatch.undo()  # the real hooks
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    where = {"aws_conn_id": None, "region_name": "eu-west-3", "verify": False, "botocore_config": {"read_timeout": 7}}
    task = TrainingJobOperator(task_id="t", config=CONFIG, **where)

    for client in (task.hook.conn, module.S3Hook(**task._connection).conn, module.AwsLogsHook(**task._connection).conn):
        assert (client.meta.region_name, client.meta.config.read_timeout) == ("eu-west-3", 7)


def test_a_new_job_is_started_and_waited_for_in_the_triggerer(operator):
    task = operator()
    with stubbed() as aws:
        absent(aws)
        creates(aws)
        finds(aws, "InProgress")
        waits = deferred(task)
        aws.assert_no_pending_responses()

    assert waits.kwargs == {"outcome": "started"}
    assert waits.trigger.job_name == "job"
    assert waits.trigger.deadline == CREATED.timestamp() + 600 + 3600
    assert waits.timeout is None


def test_a_retry_adopts_the_job_that_runs(operator):
    task = operator()
    with stubbed() as aws:
        finds(aws, "InProgress")
        finds(aws, "InProgress")
        waits = deferred(task)
        aws.assert_no_pending_responses()

    assert waits.kwargs == {"outcome": "adopted"}


def test_a_job_created_by_another_try_meanwhile_is_adopted(operator):
    task = operator()
    with stubbed() as aws:
        absent(aws)
        aws.add_client_error("create_training_job", "ResourceInUse", "exists")
        finds(aws, "InProgress")

        assert deferred(task).kwargs == {"outcome": "adopted"}


def test_a_completed_job_is_reused_with_its_best_epoch(operator, artifact, reads):
    task = operator()
    with stubbed() as aws:
        finds(aws, "Completed")
        finds(aws, "Completed", BillableTimeInSeconds=90, TrainingTimeInSeconds=100)
        result = task.execute({})
        aws.assert_no_pending_responses()

    assert result == {
        "training_job": "job",
        "model_artifact": "s3://b/models/job/output/model.tar.gz",
        "image": "image",
        "outcome": "reused",
        "best_validation_accuracy": 0.8,
        "billable_s": 90,
        "seconds": 100,
    }
    assert json.loads(json.dumps(result)) == result


def test_the_result_after_waiting_says_how_it_began(operator, reads):
    task = operator()
    with stubbed() as aws:
        finds(aws, "Completed")
        event = {"status": "finished", "job_name": "job"}

        assert task.execute_complete({}, event=event, outcome="started")["outcome"] == "started"


def test_a_log_that_may_not_be_read_leaves_the_accuracy_unknown(operator):
    task = operator()
    with stubbed() as aws, Stubber(CLIENTS["logs"]) as log:
        finds(aws, "Completed")
        log.add_client_error("describe_log_streams", "AccessDeniedException", "no")
        result = task.execute_complete({}, event={"status": "finished", "job_name": "job"})

    assert result["best_validation_accuracy"] is None


@pytest.mark.parametrize(
    ("status", "reason", "error"),
    [
        ("Failed", "ClientError: bad images", errors.TrainingInputError),
        ("Failed", "InternalServerError: ours", errors.TrainingServiceError),
        ("Stopped", "", errors.TrainingStoppedError),
    ],
)
def test_a_job_that_ends_without_a_model_fails_the_task(operator, status, reason, error):
    task = operator()
    with stubbed() as aws:
        finds(aws, status, FailureReason=reason)
        with pytest.raises(error):
            task.execute_complete({}, event={"status": "finished", "job_name": "job"})


def test_a_job_past_its_deadline_is_stopped(operator):
    task = operator()
    with stubbed() as aws:
        stops(aws)
        with pytest.raises(errors.TrainingStoppedError, match="job ran past its limits"):
            task.execute_complete({}, event={"status": "overdue", "job_name": "job"})
        aws.assert_no_pending_responses()


def test_a_job_that_is_gone_is_an_error(operator):
    task = operator()
    with stubbed() as aws:
        absent(aws)
        with pytest.raises(errors.TrainingError, match="job is gone"):
            task.execute_complete({}, event={"status": "absent", "job_name": "job"})


def test_execution_timeout_is_the_triggers_deadline(operator, monkeypatch):
    monkeypatch.setattr(module.time, "time", lambda: CREATED.timestamp() + 10)
    task = operator(execution_timeout=timedelta(seconds=60))
    with stubbed() as aws:
        finds(aws, "InProgress")
        finds(aws, "InProgress")

        assert deferred(task).trigger.deadline == CREATED.timestamp() + 70


def test_on_a_worker_it_waits_and_shows_every_line_once(operator, reads, monkeypatch):
    monkeypatch.setattr(module.time, "time", CREATED.timestamp)
    pauses, shown = [], []
    monkeypatch.setattr(module.time, "sleep", pauses.append)
    task = operator(deferrable=False, poll_interval_s=7)
    monkeypatch.setattr(task.log, "info", lambda text, *values: shown.append(text % values))
    with stubbed() as aws:
        for status in ("InProgress", "InProgress", "InProgress", "Completed", "Completed"):
            finds(aws, status)
        result = task.execute({})
        aws.assert_no_pending_responses()

    assert (result["outcome"], pauses) == ("adopted", [7])
    assert [line for line in shown if line in LOG] == LOG


def test_on_a_worker_too_a_job_past_its_deadline_is_stopped(operator, reads, monkeypatch):
    monkeypatch.setattr(module.time, "time", lambda: CREATED.timestamp() + 5000)
    task = operator(deferrable=False)
    with stubbed() as aws:
        for _ in range(3):
            finds(aws, "InProgress")
        stops(aws)
        with pytest.raises(errors.TrainingStoppedError):
            task.execute({})
        aws.assert_no_pending_responses()


def test_an_execution_timeout_on_a_worker_stops_the_job(operator, reads, monkeypatch):
    def time_is_up(_seconds):
        raise AirflowTaskTimeout

    monkeypatch.setattr(module.time, "time", CREATED.timestamp)
    monkeypatch.setattr(time, "sleep", time_is_up)
    task = operator(deferrable=False)
    with stubbed() as aws:
        for _ in range(3):
            finds(aws, "InProgress")
        stops(aws)
        with pytest.raises(AirflowTaskTimeout):
            task.execute({})
        aws.assert_no_pending_responses()


@pytest.mark.parametrize("wanted", [False, True])
def test_a_worker_that_goes_down_stops_the_job_only_if_that_is_wanted(operator, wanted):
    task = operator(stop_on_kill=wanted)
    with stubbed() as aws:
        finds(aws, "InProgress")
        finds(aws, "InProgress")
        deferred(task)
        if wanted:
            stops(aws)
        task.on_kill()
        aws.assert_no_pending_responses()


def test_the_request_may_be_another_tasks_result():
    @task
    def plan():
        return CONFIG

    with DAG("d", schedule=None):
        planned = plan()
        train = TrainingJobOperator(task_id="train", config=planned)

    assert train.upstream_task_ids == {"plan"}
