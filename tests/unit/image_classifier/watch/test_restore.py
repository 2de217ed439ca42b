"""Checks which differences from the deployment are restored, and which are reported for a person to restore."""

import json
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from tests.unit.image_classifier.deployments import ALIAS, DEPLOYMENT

from image_classifier.connect.concurrency import LEAST_UNRESERVED, concurrency_of
from image_classifier.connect.deployment import read_deployment, write_deployment
from image_classifier.contracts.errors import NotificationOverlapError, StorageError
from image_classifier.watch import restore
from image_classifier.watch.restore import Difference, differences, restore_or_report


def absent(*_, **__):
    raise ClientError({"Error": {"Code": "ResourceNotFoundException", "Message": "not found"}}, "operation")


def no_queue():
    raise ClientError({"Error": {"Code": "AWS.SimpleQueueService.NonExistentQueue"}}, "GetQueueUrl")


class Account:
    """SageMaker and Lambda with one endpoint, one function and the calls that change them."""

    def __init__(self, monkeypatch):
        self.endpoint = {"EndpointStatus": "InService", "EndpointConfigName": "config-1"}
        self.alias = {"FunctionVersion": "3"}
        self.calls, self.reserved = [], concurrency_of(1)
        self.sagemaker = SimpleNamespace(
            describe_endpoint=lambda **_: self.endpoint or absent(),
            describe_endpoint_config=lambda **_: {},
            update_endpoint=lambda **request: self.calls.append(("update_endpoint", request["EndpointConfigName"])),
        )
        self.functions = SimpleNamespace(
            get_function_configuration=lambda **_: {},
            get_function_concurrency=lambda **_: (
                {"ReservedConcurrentExecutions": self.reserved} if self.has_any else {}
            ),
            get_account_settings=lambda: {"AccountLimit": {"UnreservedConcurrentExecutions": self.unreserved}},
            get_alias=lambda **_: self.alias or absent(),
            create_alias=lambda **request: self.calls.append(("create_alias", request["FunctionVersion"])),
            update_alias=lambda **request: self.calls.append(("update_alias", request["FunctionVersion"])),
        )
        self.s3 = None
        policy = json.dumps({"Statement": [{"Sid": "UploadsOfTheBucket"}]})
        self.sqs = SimpleNamespace(
            get_queue_url=lambda **_: {"QueueUrl": "url"} if self.has_queue else no_queue(),
            get_queue_attributes=lambda **_: {"Attributes": {"Policy": policy} if self.has_policy else {}},
            list_queue_tags=lambda **_: {"Tags": {"image-classifier": "pets"}},
        )
        self.has_queue = self.has_policy = self.has_any = True
        self.unreserved = LEAST_UNRESERVED + concurrency_of(1)
        self.change, self.permitted = "unchanged", True
        monkeypatch.setattr(restore, "upload_trigger_change", lambda *_, **__: self.change)
        monkeypatch.setattr(
            restore, "ensure_concurrency", lambda *_, **__: self.calls.append(("ensure_concurrency", ""))
        )
        monkeypatch.setattr(restore, "is_permitted", lambda *_, **__: self.permitted)
        monkeypatch.setattr(
            restore, "ensure_upload_trigger", lambda *_, **__: self.calls.append(("ensure_upload_trigger", ""))
        )


@pytest.fixture
def account(monkeypatch):
    return Account(monkeypatch)


def left_open(account, reaction="restore"):
    return [
        sentence
        for found in differences(account, DEPLOYMENT)
        if (sentence := restore_or_report(found, reaction=reaction))
    ]


def test_what_is_as_it_was_deployed_is_left_alone(account):
    assert left_open(account) == []
    assert account.calls == []


@pytest.mark.parametrize(
    ("change", "call"),
    [
        ({"endpoint": {"EndpointStatus": "InService", "EndpointConfigName": "other"}}, ("update_endpoint", "config-1")),
        ({"alias": {"FunctionVersion": "2"}}, ("update_alias", "3")),
        ({"alias": None}, ("create_alias", "3")),
        ({"change": "created"}, ("ensure_upload_trigger", "")),
        ({"change": "updated"}, ("ensure_upload_trigger", "")),
        ({"permitted": False}, ("ensure_upload_trigger", "")),
        ({"reserved": 0}, ("ensure_concurrency", "")),
        ({"has_any": False}, ("ensure_concurrency", "")),
    ],
)
def test_what_others_changed_is_restored_or_only_reported(account, change, call):
    vars(account).update(change)

    assert len(left_open(account, reaction="report")) == 1
    assert account.calls == []
    assert left_open(account) == []
    assert account.calls == [call]


@pytest.mark.parametrize(
    "endpoint", [None, {"EndpointStatus": "Failed", "EndpointConfigName": "config-1", "FailureReason": "no memory"}]
)
def test_an_endpoint_that_is_gone_or_failed_is_never_created_again(account, endpoint):
    account.endpoint = endpoint

    assert len(left_open(account)) == 1
    assert account.calls == []


def test_a_deployed_endpoint_config_that_is_gone_is_reported(account):
    account.endpoint["EndpointConfigName"] = "other"
    account.sagemaker.describe_endpoint_config = absent

    [sentence] = left_open(account)

    assert "That config is gone; run the classifier's train_and_deploy Dag" in sentence
    assert account.calls == []


def test_an_update_that_is_in_progress_is_left_to_its_end(account):
    account.endpoint = {"EndpointStatus": "Updating", "EndpointConfigName": "other"}

    assert left_open(account) == []


def test_an_alias_that_shares_its_calls_with_another_version_is_restored(account):
    account.alias["RoutingConfig"] = {"AdditionalVersionWeights": {"2": 0.1}}
    asked = []
    account.functions.update_alias = lambda **request: asked.append((request["Name"], request["RoutingConfig"]))

    assert left_open(account) == []
    assert asked == [("live", {"AdditionalVersionWeights": {}})]


def test_a_trigger_that_was_deployed_as_paused_is_not_set(account):
    account.change, account.permitted = "created", False
    paused = DEPLOYMENT.model_copy(update={"trigger_mode": "paused"})

    assert differences(account, paused) == []
    assert [found.what for found in differences(account, DEPLOYMENT)] == ["upload trigger"]


def test_a_version_of_the_function_that_is_gone_is_reported(account):
    account.functions.get_function_configuration = absent

    assert "Version 3 of function image-classifier-pets is gone" in left_open(account)[0]


def test_without_a_reservation_in_a_small_account_nothing_is_found(account):
    account.has_any, account.unreserved = False, account.unreserved - 1

    assert left_open(account, reaction="report") == []
    assert left_open(account) == []
    assert account.calls == []


SETTINGS = {
    "BatchSize": 10,
    "FunctionResponseTypes": ["ReportBatchItemFailures"],
    "ScalingConfig": {"MaximumConcurrency": concurrency_of(1)},
}
POLLED = {"UUID": "1", "FunctionArn": ALIAS, "State": "Enabled", **SETTINGS}


@pytest.mark.parametrize("lacks", ["has_queue", "has_policy"])
def test_a_queue_that_was_deleted_or_takes_nothing_is_reported(account, lacks):
    setattr(account, lacks, False)

    [difference] = differences(account, DEPLOYMENT.model_copy(update={"trigger_mode": "queue"}))

    assert (difference.what, difference.restore) == ("upload queue", None)
    assert "queue arn:aws:sqs:us-east-1:123456789012:image-classifier-pets is gone" in difference.sentence


@pytest.mark.parametrize("found", [[], [{**POLLED, "State": "Disabled"}], [{**POLLED, "FunctionResponseTypes": []}]])
def test_a_queue_that_lambda_does_not_poll_as_it_was_set_is_polled_again(account, found):
    deployment = DEPLOYMENT.model_copy(update={"trigger_mode": "queue"})
    pages = SimpleNamespace(paginate=lambda **_: [{"EventSourceMappings": found}])
    account.functions.get_paginator = lambda _: pages
    for name in ("create_event_source_mapping", "update_event_source_mapping"):
        setattr(account.functions, name, lambda name=name, **_: account.calls.append(name))

    [difference] = differences(account, deployment)
    assert restore_or_report(difference, reaction="restore") is None
    assert account.calls == ["update_event_source_mapping" if found else "create_event_source_mapping"]
    pages.paginate = lambda **_: [{"EventSourceMappings": [POLLED]}]
    assert differences(account, deployment) == []


def test_what_cannot_be_restored_says_why():
    def refuse():
        raise StorageError("S3 refuses.")

    assert restore_or_report(Difference("a", "It differs.", refuse), reaction="restore") == (
        "It differs. It could not be restored: S3 refuses."
    )


def test_a_deployment_is_read_as_it_was_written(s3):
    assert read_deployment(s3, bucket="pictures", classifier="pets") is None

    assert write_deployment(s3, DEPLOYMENT) == "pets/deployment.json"
    assert read_deployment(s3, bucket="pictures", classifier="pets") == DEPLOYMENT


def test_what_is_no_deployment_is_named(s3):
    s3.put_object(Bucket="pictures", Key="pets/deployment.json", Body=b"[]")

    with pytest.raises(StorageError, match=r"pets/deployment\.json describes no deployment"):
        read_deployment(s3, bucket="pictures", classifier="pets")


def test_a_check_that_fails_is_reported_and_the_others_restore(account, monkeypatch):
    """Somebody else's notification overlaps with ours, and the alias was moved."""

    def overlaps(*_, **__):
        raise NotificationOverlapError("Bucket pictures has another notification.")

    monkeypatch.setattr(restore, "upload_trigger_change", overlaps)
    account.alias = {"FunctionVersion": "2"}

    [sentence] = left_open(account)

    assert sentence == (
        "The upload trigger cannot be compared with the last deployment: Bucket pictures has another notification."
    )
    assert account.calls == [("update_alias", "3")]


def test_what_aws_refuses_to_restore_is_reported_and_others_are_restored(account):
    account.endpoint["EndpointConfigName"] = "config-2"
    account.sagemaker.update_endpoint = absent
    account.alias = {"FunctionVersion": "2"}

    [sentence] = left_open(account)

    assert "config-2, but config-1 was deployed. It could not be restored" in sentence
    assert account.calls == [("update_alias", "3")]
