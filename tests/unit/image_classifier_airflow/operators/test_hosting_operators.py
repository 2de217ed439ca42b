"""Checks that hosting tasks can run twice, wait for a change in progress, and fail after a rollback."""

import json
from datetime import UTC, datetime
from types import SimpleNamespace

import boto3
import pytest
from airflow.providers.amazon.aws.operators import sagemaker as provider
from airflow.sdk.exceptions import TaskDeferred
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from image_classifier.contracts import errors
from image_classifier_airflow.operators import hosting as module
from image_classifier_airflow.operators.hosting import EndpointConfigOperator, EndpointOperator, ModelOperator

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/cats"
CONFIG = {"EndpointName": "cats", "EndpointConfigName": "new", "Tags": [{"Key": "image-classifier", "Value": "cats"}]}
SESSION = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="us-east-1")
CLIENT = SESSION.client("sagemaker")  # making one takes a second


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    monkeypatch.setattr(module.time, "time", lambda: 1000.0)


@pytest.fixture(autouse=True)
def log_groups(monkeypatch):
    """The log groups that were given a retention, with their tags."""
    made = {}
    monkeypatch.setattr(module, "client", lambda _, service: service)
    monkeypatch.setattr(
        "image_classifier.aws.log_groups.ensure_log_group", lambda logs, name, *, tags: made.update({name: tags})
    )
    return made


def made(operator_class, **arguments):
    task = operator_class(task_id="t", **arguments)
    task.__dict__["hook"] = SimpleNamespace(conn=CLIENT)
    return task


@pytest.fixture
def pauses(monkeypatch):
    made = []
    monkeypatch.setattr(module.time, "sleep", made.append)
    return made


def operator(**arguments):
    return made(EndpointOperator, config=CONFIG, **arguments)


def has(aws, status, serves="new", **values):
    aws.add_response(
        "describe_endpoint",
        {
            "EndpointName": "cats",
            "EndpointArn": ARN,
            "EndpointConfigName": serves,
            "EndpointStatus": status,
            "CreationTime": NOW,
            "LastModifiedTime": NOW,
            **values,
        },
        {"EndpointName": "cats"},
    )


def absent(aws):
    aws.add_client_error("describe_endpoint", "ValidationException", 'Could not find endpoint "arn".')


def creates(aws):
    aws.add_response("create_endpoint", {"EndpointArn": ARN}, CONFIG)


def updates(aws):
    aws.add_response("update_endpoint", {"EndpointArn": ARN}, {"EndpointName": "cats", "EndpointConfigName": "new"})


def deferred(call, *args, **kwargs):
    with pytest.raises(TaskDeferred) as caught:
        call(*args, **kwargs)
    return caught.value


def test_they_are_the_providers_operators():
    assert issubclass(ModelOperator, provider.SageMakerModelOperator)
    assert issubclass(EndpointConfigOperator, provider.SageMakerEndpointConfigOperator)
    assert issubclass(EndpointOperator, provider.SageMakerEndpointOperator)


def test_a_model_is_created_once():
    container = {"Image": "image", "ModelDataUrl": "s3://b/m.tar.gz"}
    task = made(ModelOperator, config={"ModelName": "job", "PrimaryContainer": container})
    with Stubber(CLIENT) as aws:
        aws.add_client_error("describe_model", "ValidationException", 'Could not find model "arn".')
        aws.add_response("create_model", {"ModelArn": ARN}, task.config)
        aws.add_response("describe_model", {**task.config, "CreationTime": NOW, "ModelArn": ARN})

        assert task.execute({}) == {"name": "job", "outcome": "created"}
        assert task.execute({}) == {"name": "job", "outcome": "unchanged"}


def test_an_endpoint_config_is_created_once():
    variants = [{"VariantName": "job", "ModelName": "job", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}]
    config = {"EndpointConfigName": "new", "ProductionVariants": variants}
    task = made(EndpointConfigOperator, config=config)
    with Stubber(CLIENT) as aws:
        aws.add_client_error("describe_endpoint_config", "ValidationException", "Could not find endpoint configuration")
        aws.add_response("create_endpoint_config", {"EndpointConfigArn": ARN}, config)
        aws.add_response("describe_endpoint_config", {**config, "CreationTime": NOW, "EndpointConfigArn": ARN})

        assert task.execute({}) == {"name": "new", "outcome": "created"}
        assert task.execute({}) == {"name": "new", "outcome": "unchanged"}


def test_an_endpoint_that_serves_the_config_is_left_alone():
    task = operator()
    with Stubber(CLIENT) as aws:
        has(aws, "InService")
        result = task.execute({})

    assert result == {"name": "cats", "outcome": "unchanged"}
    assert json.loads(json.dumps(result)) == result


def test_a_new_endpoint_is_waited_for_in_the_triggerer():
    task = operator(time_limit_s=60)
    with Stubber(CLIENT) as aws:
        absent(aws)
        creates(aws)
        waits = deferred(task.execute, {})

    assert waits.kwargs == {"step": "created", "deadline": 1060.0}
    assert (waits.trigger.endpoint, waits.trigger.deadline) == ("cats", 1060.0)


def test_an_update_that_serves_is_a_success():
    task = operator()
    with Stubber(CLIENT) as aws:
        has(aws, "InService", "new")
        event = {"status": "finished", "endpoint": "cats"}

        assert task.execute_complete({}, event=event, step="updated") == {"name": "cats", "outcome": "updated"}


def test_an_update_that_aws_rolled_back_is_an_error():
    task = operator()
    with Stubber(CLIENT) as aws:
        has(aws, "InService", "old")
        with pytest.raises(errors.EndpointRolledBackError):
            task.execute_complete({}, event={"status": "finished", "endpoint": "cats"}, step="updated")


def test_a_resumed_task_keeps_the_deadline_of_its_start():
    with Stubber(CLIENT) as aws:
        has(aws, "InService", "old")
        updates(aws)
        event = {"status": "stable"}
        waits = deferred(operator().execute_complete, {}, event, step="waiting", deadline=1234.0)

    assert (waits.kwargs["deadline"], waits.trigger.deadline) == (1234.0, 1234.0)


def test_after_a_change_in_progress_it_continues_with_the_same_deadline():
    task = operator()
    with Stubber(CLIENT) as aws:
        has(aws, "Updating", "old")
        first = deferred(task.execute, {})
        has(aws, "InService", "old")
        updates(aws)
        second = deferred(task.execute_complete, {}, event={"status": "finished", "endpoint": "cats"}, **first.kwargs)
        aws.assert_no_pending_responses()

    assert (first.kwargs["step"], second.kwargs["step"]) == ("waiting", "updated")
    assert first.kwargs["deadline"] == second.kwargs["deadline"]


def test_a_failed_endpoint_is_deleted_then_created():
    task = operator()
    with Stubber(CLIENT) as aws:
        has(aws, "Failed")
        aws.add_response("delete_endpoint", {}, {"EndpointName": "cats"})
        first = deferred(task.execute, {})
        absent(aws)
        creates(aws)
        second = deferred(task.execute_complete, {}, event={"status": "finished", "endpoint": "cats"}, **first.kwargs)
        aws.assert_no_pending_responses()

    assert (first.kwargs["step"], second.kwargs["step"]) == ("deleted", "created")


def test_a_change_that_takes_too_long_is_left_to_a_person():
    with pytest.raises(errors.ResourceBusyError, match="still being changed after 3600 s"):
        operator().execute_complete({}, event={"status": "overdue", "endpoint": "cats"})


def test_on_a_worker_it_waits_as_well(pauses):
    task = operator(deferrable=False, poll_interval_s=7)
    with Stubber(CLIENT) as aws:
        has(aws, "Updating", "old")
        has(aws, "Updating", "old")
        has(aws, "InService", "old")
        has(aws, "InService", "old")
        updates(aws)
        has(aws, "Updating", "old")
        has(aws, "InService", "new")
        has(aws, "InService", "new")

        assert task.execute({}) == {"name": "cats", "outcome": "updated"}
        aws.assert_no_pending_responses()

    assert pauses == [7, 7]


def test_on_a_worker_too_waiting_comes_to_an_end(pauses):
    task = operator(deferrable=False, time_limit_s=-1)
    with Stubber(CLIENT) as aws:
        has(aws, "Updating", "old")
        has(aws, "Updating", "old")
        with pytest.raises(errors.ResourceBusyError):
            task.execute({})


def test_an_adopted_change_that_was_rolled_back_fails_and_is_not_repeated():
    task = operator()
    with Stubber(CLIENT) as aws:
        has(aws, "Updating", "old", PendingDeploymentSummary={"EndpointConfigName": "new"})
        first = deferred(task.execute, {})
        has(aws, "InService", "old", FailureReason="ping failed")
        with pytest.raises(errors.EndpointRolledBackError, match="ping failed It still serves old"):
            task.execute_complete({}, event={"status": "finished", "endpoint": "cats"}, **first.kwargs)
        aws.assert_no_pending_responses()

    assert first.kwargs["step"] == "adopted"


def test_a_rollout_has_its_own_time_beside_the_tasks():
    policy = {"MaximumExecutionTimeoutInSeconds": 600, "TrafficRoutingConfiguration": {}}
    config = {**CONFIG, "DeploymentConfig": {"BlueGreenUpdatePolicy": policy}}
    task = made(EndpointOperator, config=config, time_limit_s=60)
    with Stubber(CLIENT) as aws:
        has(aws, "Creating", "new")
        waits = deferred(task.execute, {})

    assert waits.kwargs["deadline"] == 1660.0


class Sampled:
    """An endpoint that serves the config, and a sample image; remembers what it was asked."""

    def __init__(self, monkeypatch, answer):
        self.asked = []
        body = SimpleNamespace(read=lambda: b"jpeg")
        s3 = SimpleNamespace(get_object=lambda **place: self.asked.append(place) or {"Body": body, "ETag": "1"})
        runtime = SimpleNamespace(invoke_endpoint=self._invoke)
        clients = {"s3": s3, "sagemaker-runtime": runtime, "logs": "logs"}
        monkeypatch.setattr(module, "client", lambda _, service: clients[service])
        self.answer = answer
        self.task = operator(sample={"bucket": "b", "key": "one.jpg", "num_classes": 2})

    def _invoke(self, **request):
        self.asked.append(request["Body"])
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"Body": SimpleNamespace(read=lambda: self.answer), "InvokedProductionVariant": "job"}

    def execute(self):
        with Stubber(CLIENT) as aws:
            has(aws, "InService", "new")
            has(aws, "InService", "new", ProductionVariants=[{"VariantName": "job"}])
            return self.task.execute({})


def test_a_sample_image_is_asked_about_before_the_task_succeeds(monkeypatch):
    sampled = Sampled(monkeypatch, b"[0.25, 0.75]")

    assert sampled.execute() == {"name": "cats", "outcome": "unchanged"}
    assert sampled.asked == [{"Bucket": "b", "Key": "one.jpg"}, b"jpeg"]


def test_an_answer_with_too_few_probabilities_is_an_error(monkeypatch):
    with pytest.raises(errors.PredictionError, match="1 probabilities for 2 labels"):
        Sampled(monkeypatch, b"[1.0]").execute()


def test_an_endpoint_that_does_not_answer_is_an_error(monkeypatch):
    refusal = ClientError({"Error": {"Code": "ModelError", "Message": "out of memory"}}, "InvokeEndpoint")

    with pytest.raises(errors.EndpointError, match=r"does not answer about s3://b/one\.jpg: .*out of memory"):
        Sampled(monkeypatch, refusal).execute()


def test_the_sample_may_be_another_tasks_result():
    assert "sample" in EndpointOperator.template_fields


def test_the_endpoints_logs_expire(log_groups):
    with Stubber(CLIENT) as aws:
        has(aws, "InService", "new")
        made(EndpointOperator, config={**CONFIG, "Tags": [{"Key": "image-classifier", "Value": "cats"}]}).execute({})

    assert log_groups == {"/aws/sagemaker/Endpoints/cats": {"image-classifier": "cats"}}


def test_another_refusal_of_the_log_group_is_an_error(monkeypatch):
    def refuse(*_, **__):
        raise ClientError({"Error": {"Code": "LimitExceededException", "Message": "no"}}, "CreateLogGroup")

    monkeypatch.setattr("image_classifier.aws.log_groups.ensure_log_group", refuse)

    with pytest.raises(errors.ImageClassifierError, match="LimitExceeded"):
        operator().execute({})


def test_a_role_that_may_not_change_log_groups_still_deploys(monkeypatch):
    def refuse(*_, **__):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "CreateLogGroup")

    monkeypatch.setattr("image_classifier.aws.log_groups.ensure_log_group", refuse)
    with Stubber(CLIENT) as aws:
        has(aws, "InService", "new")
        assert operator().execute({})["outcome"] == "unchanged"
