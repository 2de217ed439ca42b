"""Checks the trigger modes direct, queue and paused, and that changing the mode loses no upload."""

import json
from types import SimpleNamespace

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from image_classifier.connect import trigger as module
from image_classifier.connect.concurrency import LEAST_UNRESERVED, concurrency_of, ensure_concurrency
from image_classifier.connect.trigger import TriggerConfiguration, set_trigger, upload_trigger
from image_classifier.connect.upload_queue import (
    VISIBILITY_S,
    delete_upload_queue,
    ensure_mapping,
    ensure_upload_queue,
    our_upload_queues,
    takes_uploads,
)
from image_classifier.contracts.errors import ResourceClashError

ALIAS = "arn:aws:lambda:us-east-1:123456789012:function:image-classifier-pets:live"
QUEUE = "arn:aws:sqs:us-east-1:123456789012:image-classifier-pets"
FAILURES = "arn:aws:sqs:us-east-1:123456789012:failures"


@pytest.fixture
def sqs():
    with mock_aws():
        client = boto3.Session("testing", "testing", region_name="us-east-1").client("sqs")
        client.create_queue(QueueName="failures")
        yield client


def ensure_queue(sqs):
    return ensure_upload_queue(
        sqs,
        classifier="pets",
        bucket_arn="arn:aws:s3:::pictures",
        account="123456789012",
        failure_queue_arn=FAILURES,
        tags={"image-classifier": "pets"},
    )


def test_the_queue_is_created_once_and_lets_only_the_bucket_send(sqs):
    assert ensure_queue(sqs) == (QUEUE, "created")
    assert ensure_queue(sqs) == (QUEUE, "unchanged")

    url = sqs.get_queue_url(QueueName="image-classifier-pets")["QueueUrl"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    [statement] = json.loads(found["Policy"])["Statement"]
    assert statement["Condition"] == {
        "ArnEquals": {"aws:SourceArn": "arn:aws:s3:::pictures"},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }
    assert json.loads(found["RedrivePolicy"])["deadLetterTargetArn"] == FAILURES
    assert int(found["VisibilityTimeout"]) == VISIBILITY_S == 6 * 60


def test_an_attribute_that_somebody_changed_is_set_again(sqs):
    ensure_queue(sqs)
    url = sqs.get_queue_url(QueueName="image-classifier-pets")["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})

    assert ensure_queue(sqs) == (QUEUE, "updated")


def test_a_queue_is_created_again_once_sqs_takes_its_name(sqs, pauses, monkeypatch):
    create, refused = sqs.create_queue, iter([client_error("AWS.SimpleQueueService.QueueDeletedRecently")] * 12)

    def after_a_minute(**request):
        if error := next(refused, None):
            raise error
        return create(**request)

    monkeypatch.setattr(sqs, "create_queue", after_a_minute)

    assert ensure_queue(sqs) == (QUEUE, "created")
    assert sum(pauses) == 60


def client_error(code, message="Wait."):
    return ClientError({"Error": {"Code": code, "Message": message}}, "Any")


class Functions:
    """Lambda's event source mappings and reserved concurrency; the first requests are answered by `refusals`."""

    def __init__(self, *, mapping=None, unreserved=1000, reserved=None, refusals=()):
        self.mapping, self.unreserved, self.reserved, self.calls = mapping, unreserved, reserved, []
        self.refusals = list(refusals)

    def get_paginator(self, _):
        page = {"EventSourceMappings": [self.mapping] if self.mapping else []}
        return SimpleNamespace(paginate=lambda **_: [page])

    def _called(self, name, request):
        self.calls.append((name, request))
        if self.refusals:
            raise self.refusals.pop(0)

    def create_event_source_mapping(self, **request):
        self._called("create", request)
        self.mapping = {"UUID": "1", "FunctionArn": ALIAS, "State": "Enabled", **request}

    def update_event_source_mapping(self, **request):
        if self.mapping["State"] == "Deleting":
            self.mapping = None
        self._called("update", request)

    def delete_event_source_mapping(self, **request):
        self._called("delete", request)

    def get_function_concurrency(self, **_):
        return {} if self.reserved is None else {"ReservedConcurrentExecutions": self.reserved}

    def get_account_settings(self):
        return {"AccountLimit": {"UnreservedConcurrentExecutions": self.unreserved}}

    def put_function_concurrency(self, **request):
        self.calls.append(("reserve", request["ReservedConcurrentExecutions"]))


def test_lambda_polls_the_queue_with_partial_failures_and_a_limit():
    functions = Functions()

    assert ensure_mapping(functions, queue_arn=QUEUE, alias_arn=ALIAS, concurrency=8) == "created"
    assert ensure_mapping(functions, queue_arn=QUEUE, alias_arn=ALIAS, concurrency=8) == "unchanged"
    [(_, request)] = functions.calls
    assert request["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert request["ScalingConfig"] == {"MaximumConcurrency": 8}


@pytest.mark.parametrize("change", [{"State": "Disabled"}, {"ScalingConfig": {"MaximumConcurrency": 3}}])
def test_a_mapping_that_somebody_changed_is_set_again(change):
    functions = Functions()
    ensure_mapping(functions, queue_arn=QUEUE, alias_arn=ALIAS, concurrency=8)
    functions.mapping |= change

    assert ensure_mapping(functions, queue_arn=QUEUE, alias_arn=ALIAS, concurrency=8) == "updated"
    assert functions.calls[-1][1]["Enabled"] is True


@pytest.mark.parametrize(
    "words",
    [
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue.",
        "The provided execution role does not have permissions to call ReceiveMessage on SQS",
    ],
)
def test_a_mapping_waits_until_lambda_sees_the_new_queue(words, pauses):
    functions = Functions(refusals=[client_error("InvalidParameterValueException", words)])

    assert ensure_mapping(functions, queue_arn=QUEUE, alias_arn=ALIAS, concurrency=8) == "created"
    assert pauses == [5.0]


def test_a_mapping_that_is_being_deleted_is_created_again(pauses):
    functions = Functions(
        mapping={"UUID": "1", "FunctionArn": ALIAS, "State": "Deleting"},
        refusals=[client_error("ResourceInUseException", "Cannot update the mapping because it is in use.")],
    )

    assert ensure_mapping(functions, queue_arn=QUEUE, alias_arn=ALIAS, concurrency=8) == "created"
    assert ([name for name, _ in functions.calls], len(pauses)) == (["update", "create"], 1)


@pytest.mark.parametrize(("code", "calls"), [("ResourceInUseException", 2), ("ResourceNotFoundException", 1)])
def test_a_mapping_that_is_being_changed_is_deleted_later(sqs, code, calls):
    functions = Functions(mapping={"UUID": "1", "FunctionArn": ALIAS}, refusals=[client_error(code)])
    ensure_queue(sqs)

    assert delete_upload_queue(sqs, functions, classifier="pets")
    assert len(functions.calls) == calls


def test_deleting_the_queue_deletes_its_mappings_first(sqs):
    functions = Functions(mapping={"UUID": "1", "FunctionArn": ALIAS})
    ensure_queue(sqs)

    assert delete_upload_queue(sqs, functions, classifier="pets")
    assert our_upload_queues(sqs, classifier="pets") == ()
    assert not delete_upload_queue(sqs, functions, classifier="pets")
    assert functions.calls == [("delete", {"UUID": "1"})]


@pytest.mark.parametrize("tags", [{}, {"image-classifier": "pets-2"}, {"team": "others"}])
def test_somebody_elses_queue_is_neither_changed_nor_deleted(sqs, tags):
    url = sqs.create_queue(QueueName="image-classifier-pets", tags=tags)["QueueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    with pytest.raises(ResourceClashError, match="exists without the tag image-classifier: pets"):
        ensure_queue(sqs)
    assert not delete_upload_queue(sqs, Functions(), classifier="pets")
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"] == before


def test_a_queue_without_its_policy_is_ours_and_takes_no_uploads(sqs):
    ensure_queue(sqs)
    [url] = our_upload_queues(sqs, classifier="pets")
    assert takes_uploads(sqs, classifier="pets")
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})

    assert not takes_uploads(sqs, classifier="pets")
    assert our_upload_queues(sqs, classifier="pets") == (url,)


def test_a_deleted_queue_is_absent_though_sqs_gives_its_url():
    def gone(**_):
        raise client_error("AWS.SimpleQueueService.NonExistentQueue")

    deleted = SimpleNamespace(get_queue_url=lambda **_: {"QueueUrl": "url"}, list_queue_tags=gone)

    assert our_upload_queues(deleted, classifier="pets") == ()
    assert not takes_uploads(deleted, classifier="pets")


def test_concurrency_is_reserved_in_proportion_to_the_endpoints_instances():
    functions = Functions()

    assert ensure_concurrency(functions, classifier="pets", instance_count=3) == "reserved"
    assert functions.calls == [("reserve", concurrency_of(3))]
    functions.reserved = concurrency_of(3)
    assert ensure_concurrency(functions, classifier="pets", instance_count=3) == "unchanged"


def test_without_free_concurrency_the_run_continues_and_names_the_quota(caplog):
    functions = Functions(unreserved=LEAST_UNRESERVED + 5)

    assert ensure_concurrency(functions, classifier="pets", instance_count=1) == "not possible"
    assert functions.calls == []
    assert "L-B99A9384" in caplog.text


def test_lambdas_own_refusal_is_no_failure_either():
    functions = Functions()

    def refuse(**_):
        raise ClientError({"Error": {"Code": "InvalidParameterValueException", "Message": "below its minimum"}}, "Put")

    functions.put_function_concurrency = refuse

    assert ensure_concurrency(functions, classifier="pets", instance_count=1) == "not possible"


@pytest.fixture
def asked(monkeypatch):
    """What the trigger asks of its parts, in order."""
    calls = []
    for name in ("ensure_concurrency", "ensure_upload_queue", "ensure_mapping", "ensure_upload_trigger"):
        outcome = (QUEUE, "created") if name == "ensure_upload_queue" else "created"
        monkeypatch.setattr(module, name, lambda *_, name=name, outcome=outcome, **__: calls.append(name) or outcome)
    monkeypatch.setattr(module, "delete_upload_trigger", lambda *_, **__: calls.append("delete_upload_trigger"))
    return calls


@pytest.mark.parametrize(
    ("mode", "calls", "outcome"),
    [
        ("direct", ["ensure_concurrency", "ensure_upload_trigger"], "created"),
        (
            "queue",
            ["ensure_concurrency", "ensure_upload_queue", "ensure_mapping", "ensure_upload_trigger"],
            "created",
        ),
        ("paused", ["delete_upload_trigger"], "paused"),
    ],
)
def test_a_mode_asks_for_its_parts_and_the_notification_comes_last(asked, mode, calls, outcome):
    wanted = TriggerConfiguration(classifier="pets", bucket="pictures", mode=mode, failure_queue_arn=FAILURES)

    assert set_trigger(None, None, None, wanted=wanted, alias_arn=ALIAS) == outcome
    assert asked == calls


def test_the_notification_names_the_queue_or_the_function():
    assert upload_trigger("queue", classifier="pets", alias_arn=ALIAS).queue_arn == QUEUE
    assert upload_trigger("direct", classifier="pets", alias_arn=ALIAS).queue_arn is None
