"""Checks CloudWatch Logs as the clients of SageMaker use it."""

import time

import pytest
from botocore.exceptions import ClientError

GROUP = "/aws/sagemaker/TrainingJobs"
NOW_MS = int(time.time() * 1000)


@pytest.fixture(scope="module")
def logs(ministack):
    logs = ministack.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    for stream in ("job-1/algo-1", "job-1/algo-2", "job-10/algo-1"):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        event = {"timestamp": NOW_MS, "message": stream}
        logs.put_log_events(logGroupName=GROUP, logStreamName=stream, logEvents=[event])
    return logs


def messages(logs, **request):
    return sorted(event["message"] for event in logs.filter_log_events(logGroupName=GROUP, **request)["events"])


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("job-1/", ["job-1/algo-1", "job-1/algo-2"]),
        ("job-10", ["job-10/algo-1"]),
        ("none/", []),
    ],
)
def test_only_events_of_streams_with_the_prefix_are_found(logs, prefix, found):
    assert messages(logs, logStreamNamePrefix=prefix) == found


def test_without_a_prefix_the_events_of_every_stream_are_found(logs):
    assert len(messages(logs)) == 3
    assert messages(logs, logStreamNames=["job-1/algo-1"]) == ["job-1/algo-1"]


def test_a_prefix_and_names_exclude_each_other(logs):
    with pytest.raises(ClientError) as caught:
        messages(logs, logStreamNamePrefix="job", logStreamNames=["job-1/algo-1"])

    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"


def test_a_group_that_does_not_exist_is_named(logs):
    with pytest.raises(ClientError) as caught:
        logs.filter_log_events(logGroupName="none", logStreamNamePrefix="a")

    assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_pages_hold_every_matching_event_once(logs):
    logs.create_log_group(logGroupName="pages")
    logs.create_log_stream(logGroupName="pages", logStreamName="a")
    events = [{"timestamp": NOW_MS + number, "message": f"image {number}"} for number in range(7)]
    events += [{"timestamp": NOW_MS + 100, "message": "Image 7"}]
    logs.put_log_events(logGroupName="pages", logStreamName="a", logEvents=events)

    pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName="pages", filterPattern="image", limit=3))

    assert [len(page["events"]) for page in pages] == [3, 3, 1]
    assert [event["message"] for page in pages for event in page["events"]] == [
        f"image {number}" for number in range(7)
    ]
    late = logs.filter_log_events(logGroupName="pages", startTime=NOW_MS + 5, endTime=NOW_MS + 6)
    assert [event["message"] for event in late["events"]] == ["image 5", "image 6"]


@pytest.mark.parametrize("request_", [{"filterPattern": "{ $.a }"}, {"nextToken": "none"}])
def test_an_unreadable_pattern_or_token_is_refused(logs, request_):
    with pytest.raises(ClientError) as caught:
        messages(logs, **request_)

    assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
