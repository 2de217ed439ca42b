"""Checks that a trigger retries temporary errors, shows the log once, sends one event, and stops the job on a kill."""

import asyncio
import json
from contextlib import asynccontextmanager
from types import SimpleNamespace

import botocore.session
import pytest
from airflow.providers.amazon.aws.hooks.logs import AwsLogsHook
from airflow.sdk.module_loading import import_string
from airflow.triggers.base import BaseTrigger
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.validate import ParamValidator

from image_classifier.aws.jobs.owners import stop_note
from image_classifier_airflow.triggers import polling
from image_classifier_airflow.triggers.hosting import EndpointTrigger
from image_classifier_airflow.triggers.processing import ProcessingJobTrigger
from image_classifier_airflow.triggers.training import TrainingJobTrigger
from image_classifier_airflow.triggers.transform import TransformJobTrigger
from image_classifier_airflow.triggers.tuning import TuningJobTrigger

SESSION = botocore.session.get_session()
WAITING = {"poll_interval_s": 7, "deadline": 2000.0, "aws_conn_id": "aws_default"}
FINISHED = {"status": "finished", "job_name": "job"}


def refused(code, message="", status=400):
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "operation")


ABSENT = refused("ValidationException", "Requested resource not found.")
PASSING = [
    refused("ThrottlingException"),
    refused("InternalFailure", status=500),
    EndpointConnectionError(endpoint_url="https://aws"),
]


class AsyncClient:
    """Answers each call with the next of its answers; checks every request against AWS's own model."""

    def __init__(self, service, **answers):
        self.model = SESSION.get_service_model(service)
        self.answers = {method: list(listed) for method, listed in answers.items()}
        self.calls = []

    def __getattr__(self, method):
        operation = next(o for o in self.model.operation_names if botocore.xform_name(o) == method)

        async def call(**arguments):
            shape = self.model.operation_model(operation).input_shape
            assert ParamValidator().validate(arguments, shape).generate_report() == ""
            self.calls.append((method, arguments))
            answer = self.answers[method].pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return call

    @asynccontextmanager
    async def connected(self):
        yield self


@pytest.fixture
def run(monkeypatch):
    """Run a trigger with these clients to its event; also what it logged and how often it waited."""
    pauses, lines = [], []

    async def sleep(seconds):
        pauses.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(polling.time, "time", lambda: 1000.0)
    monkeypatch.setattr(polling, "monotonic", lambda: float(sum(pauses)))

    def start(trigger, sagemaker, logs=None):
        async def client(hook_class):
            return (logs if hook_class is AwsLogsHook else sagemaker).connected()

        monkeypatch.setattr(trigger, "client", client)
        monkeypatch.setattr(trigger.log, "info", lambda text, *values: lines.append(text % values))

        async def events():
            return [event.payload async for event in trigger.run()]

        [event] = asyncio.run(events())
        return event

    start.pauses, start.lines = pauses, lines
    return start


def job(status, secondary=None):
    return {"TrainingJobName": "job", "TrainingJobStatus": status, "SecondaryStatus": secondary or status}


def no_log(count=20):
    return AsyncClient("logs", describe_log_streams=[refused("ResourceNotFoundException")] * count)


def training_trigger():
    return TrainingJobTrigger(job_name="job", **WAITING)


def transform_trigger():
    return TransformJobTrigger(job_name="job", **WAITING)


def page(*messages, token):
    events = [{"timestamp": number, "message": message} for number, message in enumerate(messages)]
    return {"events": events, "nextForwardToken": token}


@pytest.mark.parametrize(
    "trigger", [training_trigger(), transform_trigger(), EndpointTrigger(endpoint="cats", **WAITING)]
)
def test_the_triggerer_makes_the_same_trigger_again(trigger):
    path, arguments = trigger.serialize()
    again = import_string(path)(**json.loads(json.dumps(arguments)))

    assert again.serialize() == trigger.serialize()


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_the_one_event_comes_when_the_job_has_ended(run, status):
    sagemaker = AsyncClient("sagemaker", describe_training_job=[job("InProgress"), job("Stopping"), job(status)])

    assert run(training_trigger(), sagemaker, no_log()) == FINISHED
    assert run.pauses == [7, 7]


def test_every_stage_is_reported_once(run):
    stages = ["Starting", "Training", "Training", "Completed"]
    answers = [job("InProgress", stage) for stage in stages[:3]] + [job("Completed", "Completed")]
    run(training_trigger(), AsyncClient("sagemaker", describe_training_job=answers), no_log())

    assert run.lines == [f"Training job job: {stage}" for stage in ("Starting", "Training", "Completed")]


def test_each_line_of_the_log_is_shown_once_also_the_last_ones(run):
    sagemaker = AsyncClient("sagemaker", describe_training_job=[job("InProgress")] * 3 + [job("Completed")])
    stream = {"logStreams": [{"logStreamName": "job/algo-1-1"}]}
    logs = AsyncClient(
        "logs",
        describe_log_streams=[refused("ResourceNotFoundException"), stream, stream, stream],
        get_log_events=[
            page("one", "two", token="t1"),
            page(token="t1"),
            refused("ThrottlingException"),
            page("three", token="t2"),
            page(token="t2"),
        ],
    )
    run(training_trigger(), sagemaker, logs)

    assert [line for line in run.lines if not line.startswith("Training job")] == ["one", "two", "three"]
    assert logs.calls[0][1] == {"logGroupName": "/aws/sagemaker/TrainingJobs", "logStreamNamePrefix": "job/"}


@pytest.mark.parametrize("trouble", PASSING)
def test_trouble_that_passes_is_sat_out(run, trouble):
    sagemaker = AsyncClient("sagemaker", describe_training_job=[trouble, trouble, job("Completed")])
    logs = AsyncClient("logs", describe_log_streams=[trouble] * 3)

    assert run(training_trigger(), sagemaker, logs) == FINISHED


def test_a_log_that_may_not_be_read_is_asked_for_once_and_fails_nothing(run):
    sagemaker = AsyncClient("sagemaker", describe_training_job=[job("InProgress"), job("Completed")])
    logs = AsyncClient("logs", describe_log_streams=[refused("AccessDeniedException")])

    assert run(training_trigger(), sagemaker, logs) == FINISHED


def test_a_job_that_may_not_be_described_fails_the_task(run):
    sagemaker = AsyncClient("sagemaker", describe_training_job=[refused("AccessDeniedException")])

    with pytest.raises(ClientError, match="AccessDenied"):
        run(training_trigger(), sagemaker, no_log())


def test_expired_credentials_are_fetched_again(run):
    answers = [job("InProgress"), refused("ExpiredTokenException"), job("Completed")]

    assert run(training_trigger(), AsyncClient("sagemaker", describe_training_job=answers), no_log()) == FINISHED


def test_expired_credentials_do_not_end_the_log(run):
    sagemaker = AsyncClient("sagemaker", describe_training_job=[job("InProgress")] * 2 + [job("Completed")])
    stream = {"logStreams": [{"logStreamName": "job/algo-1-1"}]}
    logs = AsyncClient(
        "logs",
        describe_log_streams=[refused("ExpiredTokenException"), stream, stream],
        get_log_events=[page("one", token="t1"), page(token="t1"), page(token="t1")],
    )

    assert run(training_trigger(), sagemaker, logs) == FINISHED
    assert "The credentials expired; reconnecting" in run.lines
    assert "one" in run.lines


def test_a_job_that_is_gone_is_reported(run):
    sagemaker = AsyncClient("sagemaker", describe_training_job=[ABSENT])

    assert run(training_trigger(), sagemaker, no_log()) == {"status": "absent", "job_name": "job"}


def test_waiting_ends_at_the_deadline(run, monkeypatch):
    clock = iter([1990.0, 2001.0])
    monkeypatch.setattr(polling.time, "time", lambda: next(clock))
    sagemaker = AsyncClient("sagemaker", describe_training_job=[job("InProgress")] * 2)

    assert run(training_trigger(), sagemaker, no_log()) == {"status": "overdue", "job_name": "job"}


def test_waiting_ends_at_the_deadline_also_if_credentials_stay_expired(run, monkeypatch):
    clock = iter([1990.0, 2001.0])
    monkeypatch.setattr(polling.time, "time", lambda: next(clock))
    sagemaker = AsyncClient("sagemaker", describe_training_job=[refused("ExpiredToken")] * 2)

    assert run(training_trigger(), sagemaker, no_log())["status"] == "overdue"


def kill(trigger, sagemaker, monkeypatch):
    async def client(_hook_class):
        return sagemaker.connected()

    monkeypatch.setattr(trigger, "client", client)
    asyncio.run(trigger.on_kill())
    return sagemaker.calls


ARN = "arn:aws:sagemaker:us-east-1:123456789012:training-job/job"
KILLED = {"describe_training_job": [{"TrainingJobArn": ARN}], "add_tags": [{}]}


@pytest.mark.parametrize("answer", [{}, ABSENT, refused("ValidationException", "the job is in status Completed")])
def test_a_users_kill_stops_the_job_or_finds_it_ended(monkeypatch, answer):
    sagemaker = AsyncClient("sagemaker", **KILLED, stop_training_job=[answer])

    assert kill(training_trigger(), sagemaker, monkeypatch)[-1] == ("stop_training_job", {"TrainingJobName": "job"})


def test_a_users_kill_is_noted_on_the_job_before_it_stops(monkeypatch):
    calls = kill(training_trigger(), AsyncClient("sagemaker", **KILLED, stop_training_job=[{}]), monkeypatch)

    assert [method for method, _ in calls] == ["describe_training_job", "add_tags", "stop_training_job"]
    assert calls[1][1]["Tags"] == [{"Key": "image-classifier-stopped", "Value": "a user ended its task"}]


@pytest.mark.parametrize("trouble", [refused("AccessDeniedException"), PASSING[2]])
def test_a_job_that_cannot_be_tagged_is_stopped_all_the_same(monkeypatch, trouble):
    for answers in ({"describe_training_job": [trouble]}, {**KILLED, "add_tags": [trouble]}):
        sagemaker = AsyncClient("sagemaker", **answers, stop_training_job=[{}])

        assert kill(training_trigger(), sagemaker, monkeypatch)[-1][0] == "stop_training_job"


def test_a_kill_is_not_cut_short_by_airflow_which_cancels_again_and_again(monkeypatch):
    sagemaker, trigger, is_open = AsyncClient("sagemaker", **KILLED, stop_training_job=[{}]), training_trigger(), []

    async def client(_hook_class):
        await is_open[0].wait()
        return sagemaker.connected()

    async def kill_again_and_again():
        is_open.append(asyncio.Event())
        killing = asyncio.create_task(trigger.on_kill())
        for _ in range(3):
            await asyncio.sleep(0)
            killing.cancel()
        await asyncio.sleep(0)
        is_open[0].set()
        await killing

    monkeypatch.setattr(trigger, "client", client)
    asyncio.run(kill_again_and_again())

    assert sagemaker.calls[-1] == ("stop_training_job", {"TrainingJobName": "job"})


def test_a_kill_that_aws_refuses_is_reported(monkeypatch):
    sagemaker = AsyncClient("sagemaker", **KILLED, stop_training_job=[refused("AccessDenied")])

    with pytest.raises(ClientError, match="AccessDenied"):
        kill(training_trigger(), sagemaker, monkeypatch)


def test_a_triggerer_that_goes_down_leaves_the_job_running():
    assert TrainingJobTrigger.cleanup is BaseTrigger.cleanup


def endpoint(status):
    return {"EndpointName": "cats", "EndpointStatus": status}


@pytest.mark.parametrize("status", ["InService", "Failed", "OutOfService", "UpdateRollbackFailed"])
def test_an_endpoint_is_waited_for_until_it_has_settled(run, status):
    answers = [endpoint("Creating"), *PASSING, endpoint("Updating"), endpoint(status)]
    trigger = EndpointTrigger(endpoint="cats", **WAITING)

    assert run(trigger, AsyncClient("sagemaker", describe_endpoint=answers)) == {
        "status": "finished",
        "endpoint": "cats",
    }
    assert run.lines[0] == "Endpoint cats: Creating"
    assert run.pauses == [7] * 5


def test_no_event_comes_before_the_scheduler_has_noted_the_deferral(run):
    run(
        EndpointTrigger(endpoint="cats", **WAITING), AsyncClient("sagemaker", describe_endpoint=[endpoint("InService")])
    )

    assert run.pauses == [polling.EARLIEST_EVENT_S]


def test_an_endpoint_that_is_gone_has_settled(run):
    gone = refused("ValidationException", 'Could not find endpoint "arn".')
    sagemaker = AsyncClient("sagemaker", describe_endpoint=[endpoint("Deleting"), gone])

    assert run(EndpointTrigger(endpoint="cats", **WAITING), sagemaker)["status"] == "finished"


def test_an_endpoint_is_not_waited_for_for_ever(run, monkeypatch):
    monkeypatch.setattr(polling.time, "time", lambda: 2001.0)
    sagemaker = AsyncClient("sagemaker", describe_endpoint=[endpoint("Updating")])

    assert run(EndpointTrigger(endpoint="cats", **WAITING), sagemaker) == {"status": "overdue", "endpoint": "cats"}


JOBS = {  # trigger, what requests and methods call its kind of job
    TransformJobTrigger: ("TransformJob", "transform_job"),
    ProcessingJobTrigger: ("ProcessingJob", "processing_job"),
    TuningJobTrigger: ("HyperParameterTuningJob", "hyper_parameter_tuning_job"),
}


@pytest.fixture(params=JOBS, ids=lambda trigger: trigger.__name__)
def job_trigger(request):
    named, method = JOBS[request.param]
    return SimpleNamespace(make=request.param, named=named, method=method)


@pytest.mark.parametrize("status", ["Completed", "Failed", "Stopped"])
def test_a_job_is_waited_for_until_it_has_ended(run, job_trigger, status):
    answers = [{f"{job_trigger.named}Status": found} for found in ("InProgress", "Stopping", status)]
    sagemaker = AsyncClient("sagemaker", **{f"describe_{job_trigger.method}": [*PASSING, *answers]})

    assert run(job_trigger.make(job_name="job", **WAITING), sagemaker) == FINISHED
    assert len(run.pauses) == 5


def test_a_job_that_is_gone_or_takes_too_long_is_reported(run, job_trigger):
    describe = f"describe_{job_trigger.method}"
    gone = AsyncClient("sagemaker", **{describe: [ABSENT]})
    late = AsyncClient("sagemaker", **{describe: [{f"{job_trigger.named}Status": "InProgress"}]})

    assert run(job_trigger.make(job_name="job", **WAITING), gone)["status"] == "absent"
    overdue = job_trigger.make(job_name="job", **{**WAITING, "deadline": 999.0})
    assert run(overdue, late)["status"] == "overdue"


@pytest.mark.parametrize("answer", [{}, refused("ValidationException", "is in status Completed"), ABSENT])
def test_a_users_kill_tags_and_stops_the_job_or_finds_that_it_has_ended(monkeypatch, job_trigger, answer):
    trigger, named = job_trigger.make(job_name="job", **WAITING), {f"{job_trigger.named}Name": "job"}
    describe, stop = f"describe_{job_trigger.method}", f"stop_{job_trigger.method}"
    described = {f"{job_trigger.named}Arn": "arn"}
    sagemaker = AsyncClient("sagemaker", **{describe: [described], "add_tags": [{}], stop: [answer]})

    async def client(hook_class):
        return sagemaker.connected()

    monkeypatch.setattr(trigger, "client", client)
    asyncio.run(trigger.on_kill())

    tags = stop_note("a user ended its task")
    assert sagemaker.calls == [(describe, named), ("add_tags", {"ResourceArn": "arn", "Tags": tags}), (stop, named)]


def test_a_job_of_any_kind_that_cannot_be_tagged_is_stopped(monkeypatch, job_trigger):
    trigger, stop = job_trigger.make(job_name="job", **WAITING), f"stop_{job_trigger.method}"
    described = {f"{job_trigger.named}Arn": "arn"}
    answers = {f"describe_{job_trigger.method}": [described], "add_tags": [refused("AccessDenied")], stop: [{}]}
    sagemaker = AsyncClient("sagemaker", **answers)

    async def client(hook_class):
        return sagemaker.connected()

    monkeypatch.setattr(trigger, "client", client)
    asyncio.run(trigger.on_kill())

    assert sagemaker.calls[-1][0] == stop
