"""Lists the training jobs that a tuning job started, with their hyperparameters and metric, and selects the best."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True)
class Trial:
    """One training job of a tuning job.

    Attributes:
        hyperparameters: the tuned hyperparameters with the values that SageMaker chose.
        status: the training job's status.
        last_epoch_accuracy: the tuner's metric, the accuracy on validation images after the last epoch, or None. The
            stored model is that of the best epoch, so the metric alone does not show which model is best.

    """

    training_job: str
    hyperparameters: dict[str, str] = field(default_factory=dict)
    status: str = "Completed"
    last_epoch_accuracy: float | None = None


def trials_of(sagemaker: "SageMakerClient", tuning_job: str) -> list[Trial]:
    """Return every training job that the tuning job started, in the order of their names, which are numbered."""
    pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
        HyperParameterTuningJobName=tuning_job
    )
    found = [_trial(summary) for page in pages for summary in page["TrainingJobSummaries"]]
    return sorted(found, key=lambda trial: trial.training_job)


def finalists(trials: Sequence[Trial], *, count: int) -> list[Trial]:
    """Return the `count` completed trials with the best metric; of equal ones the earlier ones."""
    completed = [trial for trial in trials if trial.status == "Completed" and trial.last_epoch_accuracy is not None]
    return sorted(completed, key=lambda trial: -(trial.last_epoch_accuracy or 0.0))[:count]


def _trial(summary: Any) -> Trial:
    metric = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    return Trial(
        training_job=summary["TrainingJobName"],
        hyperparameters=dict(summary["TunedHyperParameters"]),
        status=summary["TrainingJobStatus"],
        last_epoch_accuracy=None if metric is None else float(metric["Value"]),
    )
