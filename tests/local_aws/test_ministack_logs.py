"""Checks CloudWatch Logs as the clients of SageMaker use it."""

import pytest
from botocore.exceptions import ClientError

GROUP = "/aws/sagemaker/TrainingJobs"


@pytest.fixture(scope="module")
def logs(ministack):
    logs = ministack.client("logs")
    logs.create_log_group(logGroupName=GROUP)
    for stream in ("job-1/algo-1", "job-1/algo-2", "job-10/algo-1"):
        logs.create_log_stream(logGroupName=GROUP, logStreamName=stream)
        event = {"timestamp": 1_700_000_000_000, "message": stream}
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
