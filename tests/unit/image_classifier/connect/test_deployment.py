"""Checks the record of the last deployment, and a change of its trigger without a new model."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from botocore.exceptions import ClientError
from tests.unit.image_classifier.deployments import ALIAS, DEPLOYMENT

from image_classifier.connect import deployment as module
from image_classifier.connect.deployment import (
    change_trigger,
    deployment_before,
    read_deployment,
    resumed,
    write_deployment,
)
from image_classifier.connect.trigger import TriggerConfiguration

DEPLOYED = DEPLOYMENT.model_copy(update={"trigger_mode": "direct", "instance_count": 2})


@pytest.fixture
def set_to(monkeypatch):
    """The triggers that were set, as mode, number of instances and alias."""
    done = []

    def note(*_, wanted, alias_arn):
        done.append((wanted.mode, wanted.instance_count, alias_arn))

    monkeypatch.setattr(module, "set_trigger", note)
    return done


def wanted(mode):
    return TriggerConfiguration(classifier="pets", bucket="pictures", mode=mode, failure_queue_arn="arn")


def functions(code=""):
    def get_alias(**_):
        if code:
            raise ClientError({"Error": {"Code": code}}, "GetAlias")
        return {}

    return SimpleNamespace(get_alias=get_alias)


def test_another_mode_in_the_file_is_set_for_the_function_and_stored(s3, set_to):
    write_deployment(s3, DEPLOYED)

    assert change_trigger(functions(), s3, None, wanted=wanted("paused"))
    assert not change_trigger(functions(), s3, None, wanted=wanted("paused"))

    assert set_to == [("paused", 2, ALIAS)]
    stored = read_deployment(s3, bucket="pictures", classifier="pets")
    assert stored == DEPLOYED.model_copy(update={"trigger_mode": "paused"})


@pytest.mark.parametrize(
    ("deployed", "mode", "code"),
    [(False, "queue", ""), (True, "direct", ""), (True, "queue", "ResourceNotFoundException")],
    ids=["nothing deployed", "the same mode", "no function"],
)
def test_a_trigger_that_need_not_or_cannot_change_is_left_alone(s3, set_to, deployed, mode, code):
    if deployed:
        write_deployment(s3, DEPLOYED)

    assert not change_trigger(functions(code), s3, None, wanted=wanted(mode))

    assert set_to == []


def test_the_end_of_a_pause_is_stored_until_the_next_pause_ends(s3, set_to):
    write_deployment(s3, DEPLOYED.model_copy(update={"trigger_mode": "paused"}))
    began = datetime.now(UTC)

    change_trigger(functions(), s3, None, wanted=wanted("queue"))
    after = read_deployment(s3, bucket="pictures", classifier="pets")
    change_trigger(functions(), s3, None, wanted=wanted("direct"))
    change_trigger(functions(), s3, None, wanted=wanted("paused"))

    assert began <= after.resumed_at <= datetime.now(UTC)
    assert read_deployment(s3, bucket="pictures", classifier="pets").resumed_at == after.resumed_at


@pytest.mark.parametrize("mode", ["direct", "paused"])
def test_a_new_deployment_without_pause_before_has_none_to_tell_of(mode):
    new = DEPLOYED.model_copy(update={"trigger_mode": mode})

    assert resumed(new, DEPLOYED, now=datetime.now(UTC)) == new
    assert resumed(new, None, now=datetime.now(UTC)) == new


def test_a_damaged_deployment_record_does_not_fail_a_run_that_rewrites_it(s3, set_to):
    s3.put_object(Bucket="pictures", Key="pets/deployment.json", Body=b"[")

    assert not change_trigger(functions(), s3, None, wanted=wanted("paused"))
    assert deployment_before(s3, bucket="pictures", classifier="pets") is None
    assert set_to == []
