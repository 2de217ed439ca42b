"""Checks the states of a job, its last metrics and its FailureReason."""

import pytest

from local_aws.sagemaker.training import progress
from local_aws.sagemaker.training.algorithm_rules import METRIC_DEFINITIONS


def job():
    document = {"SecondaryStatusTransitions": []}
    progress.enter(document, "Starting", now=100.0)
    return document


def test_each_transition_ends_when_the_next_begins():
    document = job()
    progress.start_clock(document, now=101.0)
    progress.enter(document, "Training", now=110.0)
    progress.enter(document, "Completed", now=160.4)

    spans = [(item["Status"], item["StartTime"], item["EndTime"]) for item in document["SecondaryStatusTransitions"]]
    assert spans == [("Starting", 100.0, 110.0), ("Training", 110.0, 160.4), ("Completed", 160.4, 160.4)]
    assert (document["TrainingJobStatus"], document["TrainingEndTime"]) == ("Completed", 160.4)
    assert document["TrainingTimeInSeconds"] == document["BillableTimeInSeconds"] == 59


def test_a_job_over_its_time_is_stopped_and_not_failed():
    document = job()
    progress.enter(document, "MaxRuntimeExceeded", now=101.0)

    assert (document["TrainingJobStatus"], document["SecondaryStatus"]) == ("Stopped", "MaxRuntimeExceeded")


def test_a_job_that_fails_before_it_is_billed_has_no_time():
    document = job()
    progress.fail(document, "x" * 5000, now=101.0)

    assert "BillableTimeInSeconds" not in document
    assert document["FailureReason"] == "x" * 1024


def test_metrics_hold_the_last_value_not_the_best():
    metrics = progress.Metrics([{"Name": "loss", "Regex": "loss=([0-9.]+)"}, *METRIC_DEFINITIONS])
    metrics.read(["[06/17/2021 23:35:47 INFO 1] Epoch[0] Validation-accuracy=0.9"], now=1.0)
    metrics.read(["Epoch[1] Validation-accuracy=0.5", "Epoch[1] Train-accuracy=nan", "loss=0.25", "noise"], now=2.0)

    assert metrics.final() == [
        {"MetricName": "loss", "Value": 0.25, "Timestamp": 2.0},
        {"MetricName": "validation:accuracy", "Value": 0.5, "Timestamp": 2.0},
    ]


def test_every_value_of_a_metric_is_given_to_who_reads_the_lines():
    metrics = progress.Metrics(METRIC_DEFINITIONS)

    found = metrics.read(["Epoch[0] Train-accuracy=0.25", "noise", "Epoch[1] Train-accuracy=0.5"], now=3.0)

    assert found == [{"MetricName": "train:accuracy", "Value": value, "Timestamp": 3.0} for value in (0.25, 0.5)]


def test_a_metric_may_have_branches_that_did_not_match():
    metrics = progress.Metrics([{"Name": "loss", "Regex": "loss=([0-9.]+)|val=([0-9.]+)"}])
    metrics.read(["loss=1.5", "val=2.5"], now=1.0)

    assert metrics.final() == [{"MetricName": "loss", "Value": 1.5, "Timestamp": 1.0}]


@pytest.mark.parametrize(
    ("text", "exit_code", "reason"),
    [
        ("broken\n", 1, "AlgorithmError: broken, exit code: 1"),
        ("ClientError: yours", 2, "ClientError: yours, exit code: 2"),
        ("", -9, "AlgorithmError: , exit code: 137"),
    ],
)
def test_the_reason_says_whose_fault_it_was(text, exit_code, reason):
    assert progress.failure_reason(text, exit_code=exit_code) == reason


def test_a_long_reason_keeps_its_exit_code():
    reason = progress.failure_reason("x" * 5000, exit_code=1)

    assert len(reason) == 1024
    assert reason.endswith(", exit code: 1")
