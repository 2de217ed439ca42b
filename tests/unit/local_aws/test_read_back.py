"""Every property of the template can be read back; what differs is written, and nothing else."""

import logging
from typing import Any

import pytest

from local_aws.read_back import _write_if_different, covers
from local_aws.stack import TEMPLATE
from local_aws.stack_properties import PROPERTIES, Property
from local_aws.template import load

# What makes a resource the one it is: MiniStack could not have dropped it.
IDENTITIES = {"BucketName", "Bucket", "Queues", "Roles", "PolicyName"}
NEVER_DEPLOYED_LOCALLY = {"SagemakerVpcPolicy", "KmsPolicy", "AirflowKmsPolicy"}
# MiniStack keeps the description of a managed policy; IAM cannot change it.
CANNOT_BE_WRITTEN = {("AWS::IAM::ManagedPolicy", "Description")}


def test_every_property_of_the_template_is_read_back() -> None:
    known = {(item.resource_type, item.name) for item in PROPERTIES} | CANNOT_BE_WRITTEN
    asked = {
        (resource["Type"], name)
        for logical_id, resource in load(TEMPLATE)["Resources"].items()
        for name in resource["Properties"]
        if logical_id not in NEVER_DEPLOYED_LOCALLY and name not in IDENTITIES
    }
    assert asked - known == set()


@pytest.mark.parametrize(
    ("found", "wanted", "same"),
    [
        ({"a": 1, "default": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (None, {"a": 1}, False),
        ([{"b": 1}, {"a": 1}], [{"a": 1}, {"b": 1}], True),
        ([{"a": 1}], [{"a": 1}, {"b": 1}], False),
        ([{"a": 1}, {"b": 1}], [{"a": 1}], False),
        ("true", True, True),
        ("30", 30, True),
        ("30", 31, False),
    ],
)
def test_a_property_is_right_when_everything_wanted_is_found(found: Any, wanted: Any, same: bool) -> None:
    assert covers(found, wanted) is same


def written(found: Any, *, wanted: Any) -> list[Any]:
    writes: list[Any] = []
    item = Property("Type", "Name", "s3", lambda value: value, lambda *_: found, lambda *call: writes.append(call))
    assert _write_if_different("service", item, name="bucket", wanted=wanted) is bool(writes)
    return writes


def test_what_differs_is_written_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert written(None, wanted="right") == [("service", "bucket", "right")]
    assert "Type bucket: MiniStack kept None of Name; applied" in caplog.messages


def test_what_is_right_is_left_alone() -> None:
    assert written("right", wanted="right") == []
