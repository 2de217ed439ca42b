"""Checks the training jobs of a tuning job, and the best of them by the tuner's metric."""

from datetime import UTC, datetime

import boto3
from botocore.stub import Stubber

from image_classifier.train.tuning.trials import Trial, finalists, trials_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def summary(number, *, value=None, status="Completed"):
    metric = {"MetricName": "validation:accuracy", "Value": value}
    return {
        "TrainingJobName": f"t-{number:03}-01234567",
        "TrainingJobArn": f"arn:aws:sagemaker:us-east-1:123456789012:training-job/{number}",
        "CreationTime": NOW,
        "TrainingJobStatus": status,
        "TunedHyperParameters": {"learning_rate": f"0.{number}"},
        **({} if value is None else {"FinalHyperParameterTuningJobObjectiveMetric": metric}),
    }


def test_every_training_job_is_listed_in_the_order_of_its_number():
    client = boto3.Session("a", "b", region_name="us-east-1").client("sagemaker")
    with Stubber(client) as stubber:
        for page, token in (([summary(2, value=0.5)], "more"), ([summary(1, status="Failed")], None)):
            answer = {"TrainingJobSummaries": page, **({"NextToken": token} if token else {})}
            stubber.add_response("list_training_jobs_for_hyper_parameter_tuning_job", answer)

        assert trials_of(client, "t") == [
            Trial("t-001-01234567", {"learning_rate": "0.1"}, "Failed", None),
            Trial("t-002-01234567", {"learning_rate": "0.2"}, "Completed", 0.5),
        ]


def test_finalists_are_completed_and_the_best_by_the_metric():
    trials = [
        Trial("a", {}, "Completed", 0.7),
        Trial("b", {}, "Stopped", 0.99),
        Trial("c", {}, "Completed", 0.9),
        Trial("d", {}, "Completed", None),
        Trial("e", {}, "Completed", 0.9),
    ]

    assert [trial.training_job for trial in finalists(trials, count=2)] == ["c", "e"]
    assert [trial.training_job for trial in finalists(trials, count=9)] == ["c", "e", "a"]
