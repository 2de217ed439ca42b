"""Checks that a job's log is read once and in order, and that its best epoch is found."""

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from image_classifier.train.job_log import START, Metric, best_validation_accuracy, log_events, parse_metrics

GROUP = "/aws/sagemaker/TrainingJobs"
LINES = [
    "[06/17/2021 23:35:18 INFO 139686210139968] Epoch[0] Train-accuracy=0.025911",
    "[06/17/2021 23:35:18 INFO 139686210139968] Epoch[0] Train-top_k_accuracy_2=0.042513",
    "[06/17/2021 23:35:47 INFO 139686210139968] Epoch[0] Validation-accuracy=0.186581",
    "[06/17/2021 23:35:47 INFO 139686210139968] Storing the best model with validation accuracy: 0.186581",
    "[06/17/2021 23:37:47 INFO 139686210139968] Epoch[1] Validation-accuracy=0.182248",
]


@pytest.fixture
def logs():
    return boto3.client("logs", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")


@pytest.fixture
def aws(logs):
    with Stubber(logs) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def has_streams(aws, *names, token=None, following=None):
    arguments = {"logGroupName": GROUP, "logStreamNamePrefix": "job/"}
    response = {"logStreams": [{"logStreamName": name} for name in names]}
    aws.add_response(
        "describe_log_streams",
        response | ({"nextToken": following} if following else {}),
        arguments | ({"nextToken": token} if token else {}),
    )


def has_page(aws, stream, events, *, token=None, following):
    arguments = {"logGroupName": GROUP, "logStreamName": stream, "startFromHead": True}
    aws.add_response(
        "get_log_events",
        {"events": [{"timestamp": time, "message": text} for time, text in events], "nextForwardToken": following},
        arguments | ({"nextToken": token} if token else {}),
    )


def test_the_next_read_begins_where_the_last_one_ended(logs, aws):
    has_streams(aws, "job/algo-1")
    has_page(aws, "job/algo-1", [(1, "one")], following="t1")
    has_page(aws, "job/algo-1", [], token="t1", following="t1")
    has_streams(aws, "job/algo-1")
    has_page(aws, "job/algo-1", [(2, "two")], token="t1", following="t2")
    has_page(aws, "job/algo-1", [], token="t2", following="t2")

    first, cursor = log_events(logs, "job", START)
    second, _ = log_events(logs, "job", cursor)

    assert (first, second) == (["one"], ["two"])


def test_an_empty_page_is_not_the_end(logs, aws):
    has_streams(aws, "job/algo-1")
    has_page(aws, "job/algo-1", [], following="t1")
    has_page(aws, "job/algo-1", [(1, "one")], token="t1", following="t2")
    has_page(aws, "job/algo-1", [], token="t2", following="t2")

    assert log_events(logs, "job")[0] == ["one"]


def test_the_machines_lines_are_in_the_order_of_time(logs, aws):
    has_streams(aws, "job/algo-1", following="s2")
    has_streams(aws, "job/algo-2", token="s2")
    has_page(aws, "job/algo-1", [(1, "a"), (3, "c")], following="t1")
    has_page(aws, "job/algo-1", [], token="t1", following="t1")
    has_page(aws, "job/algo-2", [(2, "b")], following="u1")
    has_page(aws, "job/algo-2", [], token="u1", following="u1")

    assert log_events(logs, "job")[0] == ["a", "b", "c"]


def test_no_log_group_yet_means_no_lines(logs, aws):
    aws.add_client_error("describe_log_streams", "ResourceNotFoundException", "no such group")

    assert log_events(logs, "job") == ([], START)


def test_a_stream_that_is_not_there_yet_means_no_lines(logs, aws):
    has_streams(aws, "job/algo-1")
    aws.add_client_error("get_log_events", "ResourceNotFoundException", "no such stream")

    assert log_events(logs, "job")[0] == []


def test_other_refusals_are_raised(logs, aws):
    aws.add_client_error("describe_log_streams", "AccessDeniedException", "no")

    with pytest.raises(ClientError, match="AccessDenied"):
        log_events(logs, "job")


def test_tabs_that_cloudwatch_spells_out_are_tabs_again(logs, aws):
    has_streams(aws, "job/algo-1")
    has_page(aws, "job/algo-1", [(1, "Batch [20]#011Speed: 114\n")], following="t1")
    has_page(aws, "job/algo-1", [], token="t1", following="t1")

    assert log_events(logs, "job")[0] == ["Batch [20]\tSpeed: 114"]


def test_a_metric_is_read_from_its_line():
    assert parse_metrics(LINES[0]) == Metric(epoch=0, split="train", name="accuracy", value=0.025911)
    assert parse_metrics(LINES[1]) == Metric(epoch=0, split="train", name="top_k_accuracy_2", value=0.042513)
    assert parse_metrics(LINES[4]) == Metric(epoch=1, split="validation", name="accuracy", value=0.182248)


@pytest.mark.parametrize("line", ["", LINES[3], "Epoch[0] Time cost=102.2", "Epoch[0] Validation-accuracy=e-"])
def test_other_lines_report_no_metric(line):
    assert parse_metrics(line) is None


def test_the_best_accuracy_is_the_kept_models_and_not_the_last():
    assert best_validation_accuracy(LINES) == 0.186581


def test_a_run_that_diverged_has_the_best_of_its_numbers():
    assert best_validation_accuracy(["Epoch[0] Validation-accuracy=nan", LINES[4]]) == 0.182248


def test_without_a_validation_there_is_no_best():
    assert best_validation_accuracy([LINES[0], "Epoch[0] Validation-accuracy=nan"]) is None
