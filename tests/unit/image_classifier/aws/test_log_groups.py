"""Checks that a log group gets a retention, unless somebody has set one."""

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from image_classifier.aws.log_groups import RETENTION_DAYS, ensure_log_group

GROUP = "/aws/lambda/image-classifier-cats"
TAGS = {"image-classifier": "cats"}


@pytest.fixture
def logs():
    with mock_aws():
        yield boto3.Session("testing", "testing", region_name="us-east-1").client("logs")


def retention_of(logs, name=GROUP):
    groups = logs.describe_log_groups(logGroupNamePrefix=GROUP)["logGroups"]
    return {group["logGroupName"]: group.get("retentionInDays") for group in groups}[name]


def test_a_new_group_has_a_retention_and_tags(logs):
    assert ensure_log_group(logs, GROUP, tags=TAGS)
    assert retention_of(logs) == RETENTION_DAYS
    assert logs.list_tags_log_group(logGroupName=GROUP)["tags"] == TAGS


def test_a_group_that_aws_created_gets_a_retention(logs):
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_group(logGroupName=f"{GROUP}-2")

    assert ensure_log_group(logs, GROUP, tags=TAGS)
    assert (retention_of(logs), retention_of(logs, f"{GROUP}-2")) == (RETENTION_DAYS, None)


def test_a_retention_that_somebody_chose_stays(logs):
    logs.create_log_group(logGroupName=GROUP)
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=365)

    assert not ensure_log_group(logs, GROUP, tags=TAGS)
    assert retention_of(logs) == 365


def test_a_group_that_appears_meanwhile_is_no_error(logs, monkeypatch):
    error = ClientError({"Error": {"Code": "ResourceAlreadyExistsException"}}, "CreateLogGroup")
    logs.create_log_group(logGroupName=GROUP)
    monkeypatch.setattr(logs, "get_paginator", lambda _: _Empty())
    monkeypatch.setattr(logs, "create_log_group", lambda **_: (_ for _ in ()).throw(error))

    assert ensure_log_group(logs, GROUP, tags=TAGS)


class _Empty:
    def paginate(self, **_):
        return [{"logGroups": []}]
