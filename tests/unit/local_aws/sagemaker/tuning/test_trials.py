"""Checks the counts, the best training job and the end of a tuning job."""

import pytest

from local_aws.sagemaker.tuning import trials

OBJECTIVE = {"Type": "Maximize", "MetricName": "validation:accuracy"}


def trial(value=None, *, status="Completed", number=1, reason=""):
    """The summary of a training job that ended after `number` seconds."""
    job = {"TrainingJobName": f"t-{number}", "TrainingJobStatus": status, "TrainingEndTime": float(number)}
    if value is not None:
        job["FinalMetricDataList"] = [{"MetricName": "validation:accuracy", "Value": value, "Timestamp": 1.0}]
    if reason:
        job["FailureReason"] = reason
    return trials.summary(job, tuned={"learning_rate": "0.1"}, objective=OBJECTIVE)


def sequence(*values):
    return [trial(value, number=number) for number, value in enumerate(values)]


def test_a_summary_has_the_objective_and_whether_it_counts():
    assert trial(0.9)["FinalHyperParameterTuningJobObjectiveMetric"] == OBJECTIVE | {"Value": 0.9}
    found = [
        trial(0.9),
        trial(0.9, status="Stopped"),
        trial(0.9, status="InProgress"),
        trial(0.9, status="Stopping"),
        trial(0.9, status="Failed"),
        trial(None),
    ]
    statuses = ["Succeeded", "Succeeded", "Pending", "Pending", "Failed", "Failed"]
    assert [item["ObjectiveStatus"] for item in found] == statuses


def test_training_jobs_are_counted_by_what_became_of_them():
    found = [
        trial(0.5),
        trial(0.5, status="Stopping"),
        trial(status="Failed", reason="ClientError: no"),
        trial(status="Failed", reason="InternalServerError: again"),
        trial(0.5, status="Stopped"),
    ]

    counted = trials.counters(found)

    assert counted["TrainingJobStatusCounters"] == {
        "Completed": 1,
        "InProgress": 1,
        "RetryableError": 1,
        "NonRetryableError": 1,
        "Stopped": 1,
    }
    assert counted["ObjectiveStatusCounters"] == {"Succeeded": 2, "Pending": 1, "Failed": 2}


def test_the_best_is_a_completed_training_job():
    found = [trial(0.5), trial(0.7, number=2), trial(0.9, number=3, status="Stopped"), trial(None, number=4)]

    assert trials.best(found, maximize=True)["TrainingJobName"] == "t-2"
    assert trials.best(found, maximize=False)["TrainingJobName"] == "t-1"
    assert trials.best([trial(None)], maximize=True) is None


@pytest.mark.parametrize(
    ("found", "most", "reason"),
    [
        ([trial(status="Failed")] * 5, 50, "No training job succeeded after 5 attempts."),
        ([trial(status="Failed")] * 2, 2, "No training job succeeded after 2 attempts."),
        ([trial(None)] * 5, 50, "No objective metrics found after running 5 training jobs."),
        ([trial(status="Failed")] * 4, 50, None),
        ([trial(status="Failed")] * 9 + [trial(0.1)], 50, None),
        ([trial(0.1, status="InProgress")] * 9, 50, None),
    ],
)
def test_a_tuning_job_fails_when_nothing_succeeds(found, most, reason):
    failure = trials.failure(found, most=most)

    assert failure is None if reason is None else failure.startswith(reason)


@pytest.mark.parametrize(
    ("found", "maximize", "count"),
    [
        (sequence(0.5), True, 0),
        (sequence(0.5, 0.6, 0.7), True, 0),
        (sequence(0.5, 0.504, 0.4), True, 2),
        (sequence(0.5, 0.5, 0.6), True, 0),
        (sequence(0.5, 0.4, 0.399), False, 1),
    ],
)
def test_less_than_one_percent_is_no_improvement(found, maximize, count):
    assert trials.not_improving(found, maximize=maximize) == count


def test_a_target_or_a_standstill_completes_a_tuning_job():
    found = sequence(0.5, 0.5, 0.5, 0.5)
    standstill = {"BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3}}

    assert trials.is_complete(found, criteria={"TargetObjectiveMetricValue": 0.5}, maximize=True)
    assert not trials.is_complete(found, criteria={"TargetObjectiveMetricValue": 0.6}, maximize=True)
    assert trials.is_complete(found, criteria={"TargetObjectiveMetricValue": 0.6}, maximize=False)
    assert trials.is_complete(found, criteria=standstill, maximize=True)
    assert not trials.is_complete(found[:3], criteria=standstill, maximize=True)
    assert not trials.is_complete(found, criteria={}, maximize=True)


@pytest.mark.parametrize(
    ("values", "earlier", "lags"),
    [
        ([0.1], [[0.5, 0.6]], True),
        ([0.55], [[0.5, 0.9]], False),
        ([0.5, 0.65], [[0.5, 0.9]], True),
        ([0.1, 0.2, 0.3], [[0.5, 0.9]], False),
        ([0.4], [[0.3], [0.5], [0.45]], True),
        ([], [[0.5]], False),
        ([0.1], [], False),
    ],
)
def test_a_training_job_lags_behind_the_median_of_running_averages(values, earlier, lags):
    assert trials.lags_behind(values, earlier=earlier, maximize=True) is lags
    negated = [[-value for value in item] for item in earlier]
    assert trials.lags_behind([-value for value in values], earlier=negated, maximize=False) is lags
