"""Summarizes the training jobs of a tuning job: their counts, the best one, and when to stop."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from local_aws.sagemaker.training.progress import TRAINING_JOB
from local_aws.sagemaker.tuning.requests import OBJECTIVE_STATUSES, STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local_aws.sagemaker.documents import Document

IMPROVEMENT = 0.01  # AWS: "not improving (1% or less)"
ATTEMPTS = 5  # without a success, after which AWS gives up
_SUMMARY = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingStartTime",
    "TrainingEndTime",
    "TrainingJobStatus",
    "FailureReason",
)


def summary(training_job: Document, *, tuned: dict[str, str], objective: Document) -> Document:
    """Return a training job as ListTrainingJobsForHyperParameterTuningJob shows it."""
    shown = {member: training_job[member] for member in _SUMMARY if member in training_job}
    value = objective_value(training_job, metric=objective["MetricName"])
    shown |= {"TunedHyperParameters": tuned, "ObjectiveStatus": _objective_status(training_job, value)}
    if value is not None:
        shown["FinalHyperParameterTuningJobObjectiveMetric"] = {
            "Type": objective["Type"],
            "MetricName": objective["MetricName"],
            "Value": value,
        }
    return shown


def objective_value(training_job: Document, *, metric: str) -> float | None:
    """Return the last value of the metric in the training job's log, or None."""
    found = (item["Value"] for item in training_job.get("FinalMetricDataList", []) if item["MetricName"] == metric)
    return next(found, None)


def value_of(trial: Document) -> float | None:
    """Return the objective of a training job that has ended without a failure, or None."""
    if trial["ObjectiveStatus"] != "Succeeded":
        return None
    return float(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def counters(trials: Sequence[Document]) -> dict[str, dict[str, int]]:
    """Return TrainingJobStatusCounters and ObjectiveStatusCounters."""
    statuses, objectives = dict.fromkeys(STATUSES, 0), dict.fromkeys(OBJECTIVE_STATUSES, 0)
    for trial in trials:
        statuses[_counted_as(trial)] += 1
        objectives[trial["ObjectiveStatus"]] += 1
    return {"TrainingJobStatusCounters": statuses, "ObjectiveStatusCounters": objectives}


def best(trials: Sequence[Document], *, maximize: bool) -> Document | None:
    """Return the completed training job with the best objective, or None."""
    completed = [trial for trial in trials if trial["TrainingJobStatus"] == "Completed" and value_of(trial) is not None]
    choose = max if maximize else min
    return choose(completed, key=lambda trial: value_of(trial) or 0.0, default=None)


def failure(trials: Sequence[Document], *, most: int) -> str | None:
    """Return why the tuning job fails, or None: it fails if several training jobs ended and none has an objective."""
    ended = [trial for trial in trials if trial["ObjectiveStatus"] != "Pending"]
    if len(ended) < min(ATTEMPTS, most) or any(trial["ObjectiveStatus"] == "Succeeded" for trial in ended):
        return None
    if any(trial["TrainingJobStatus"] == "Failed" for trial in ended):
        return (
            f"No training job succeeded after {len(ended)} attempts. For additional details, please take a look at the "
            "training job failures by listing training jobs for the hyperparameter tuning job."
        )
    return (
        f"No objective metrics found after running {len(ended)} training jobs. Please ensure that the custom algorithm "
        "is emitting the objective metric as defined by the regular expression provided."
    )


def not_improving(trials: Sequence[Document], *, maximize: bool) -> int:
    """Return how many of the last training jobs in a row were not better by 1 % than the best before them."""
    ended = sorted((trial for trial in trials if value_of(trial) is not None), key=lambda item: item["TrainingEndTime"])
    count, top = 0, None
    for value in (value_of(trial) or 0.0 for trial in ended):
        gain = 0.0 if top is None else (value - top if maximize else top - value)
        improved = top is None or gain > IMPROVEMENT * abs(top)
        count = 0 if improved else count + 1
        top = value if improved else top
    return count


def is_complete(trials: Sequence[Document], *, criteria: Document, maximize: bool) -> bool:
    """Return whether the completion criteria say that no further training job is needed."""
    target, found = criteria.get("TargetObjectiveMetricValue"), best(trials, maximize=maximize)
    value = None if found is None else value_of(found)
    if target is not None and value is not None and (value >= target if maximize else value <= target):
        return True
    most = criteria.get("BestObjectiveNotImproving", {}).get("MaxNumberOfTrainingJobsNotImproving")
    return most is not None and not_improving(trials, maximize=maximize) >= most


def lags_behind(values: Sequence[float], *, earlier: Sequence[Sequence[float]], maximize: bool) -> bool:
    """Return whether early stopping ends a training job: it is worse than the median of the running averages.

    `values` holds the objective after each epoch of this training job, `earlier` those of the training jobs that have
    completed. From the developer guide's page "Stop Training Jobs Early".
    """
    epochs = len(values)
    if not epochs:
        return False
    averages = [statistics.fmean(item[:epochs]) for item in earlier if len(item) >= epochs]
    if not averages:
        return False
    median = statistics.median(averages)
    return values[-1] < median if maximize else values[-1] > median


def _objective_status(training_job: Document, value: float | None) -> str:
    if TRAINING_JOB.in_progress(training_job):
        return "Pending"
    return "Failed" if value is None or training_job["TrainingJobStatus"] == "Failed" else "Succeeded"


def _counted_as(trial: Document) -> str:
    status: str = trial["TrainingJobStatus"]
    if status == "Failed":
        retryable = trial.get("FailureReason", "").startswith(("InternalServerError", "CapacityError"))
        return "RetryableError" if retryable else "NonRetryableError"
    return status if status in STATUSES else "InProgress"
