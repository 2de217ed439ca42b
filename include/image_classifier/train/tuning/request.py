"""Builds CreateHyperParameterTuningJob's request from the request of the training job with the file's settings."""

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from image_classifier.aws.names import tuning_job_name
from image_classifier.classifier import Classifier
from image_classifier.classifier.tuning import NUMBERS, Numbers, Tuning
from image_classifier.contracts.training.hyperparameters import Hyperparameters
from image_classifier.contracts.training.job_hyperparameters import for_job

if TYPE_CHECKING:
    from image_classifier.prepare.prepared import PreparedDataset

log = logging.getLogger(__name__)

OBJECTIVE = "validation:accuracy"  # a metric of the algorithm; SageMaker uses its value after the last epoch
LARGEST_SEED = 2**32 - 1
# The fields that the tuning job's training jobs share with the one with the file's settings. Checkpoints are left out:
# AWS does not document whether each job would use its own prefix, and no job may continue another one's training.
SHARED = (
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableManagedSpotTraining",
    "VpcConfig",
    "EnableNetworkIsolation",
)


def tuning_job_request(
    classifier: Classifier, *, training: Mapping[str, Any], dataset: "PreparedDataset"
) -> dict[str, Any] | None:
    """Return the request of the first attempt, or None if the classifier does not tune.

    Args:
        classifier: the classifier, with the search in `tuning`.
        training: CreateTrainingJob's request with the file's settings; its name identifies images and settings.
        dataset: the prepared images.

    Raises:
        HyperparameterError: the algorithm would refuse an end of a range for this data set.

    """
    tuning = classifier.tuning
    if tuning is None or not tuning.enabled:
        return None
    _check_ends(classifier.hyperparameters, tuning, dataset=dataset)
    config = _config(tuning, seed=classifier.seed)
    fixed = {name: value for name, value in training["HyperParameters"].items() if name not in tuning.ranges}
    shared = {name: training[name] for name in SHARED if name in training}
    return {
        "HyperParameterTuningJobName": tuning_job_name(classifier.name, name_spec(training, config, number=1)),
        "HyperParameterTuningJobConfig": config,
        "TrainingJobDefinition": {"StaticHyperParameters": fixed, **shared},
        "Tags": training["Tags"],
    }


def name_spec(training: Mapping[str, Any], config: Mapping[str, Any], *, number: int) -> list[Any]:
    """Return what a tuning job's name is computed from: images and settings, the search, the number of the attempt."""
    return [training["TrainingJobName"], config, number]


def tuning_task_config(
    classifier: Classifier,
    *,
    training: Mapping[str, Any],
    alternatives: Sequence[Mapping[str, Any]],
    dataset: "PreparedDataset",
) -> dict[str, Any]:
    """Return what the tuning task needs beside `force`: see `TuningJobOperator`; empty if the classifier does not tune.

    Raises:
        HyperparameterError: the algorithm would refuse an end of a range for this data set.

    """
    request = tuning_job_request(classifier, training=training, dataset=dataset)
    if request is None or classifier.tuning is None:
        return {}
    for sentence in classifier.tuning.advice(classifier.hyperparameters):
        log.warning(sentence)
    return {
        "request": request,
        "alternatives": [_on(request, alternative) for alternative in alternatives],
        "classifier": classifier.name,
        "training_job": training["TrainingJobName"],
    }


def _on(request: Mapping[str, Any], training: Mapping[str, Any]) -> dict[str, Any]:
    machine = ("ResourceConfig", "StoppingCondition", "EnableManagedSpotTraining")
    changed = {name: training[name] for name in machine if name in training}
    return {**request, "TrainingJobDefinition": {**request["TrainingJobDefinition"], **changed}}


def _config(tuning: Tuning, *, seed: int) -> dict[str, Any]:
    return {
        "Strategy": tuning.strategy,
        "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": OBJECTIVE},
        "ResourceLimits": {
            "MaxNumberOfTrainingJobs": tuning.tuned_jobs,
            "MaxParallelTrainingJobs": min(tuning.max_parallel, tuning.tuned_jobs),
        },
        "ParameterRanges": _ranges(tuning),
        "TrainingJobEarlyStoppingType": "Auto" if tuning.early_stopping else "Off",
        "RandomSeed": seed % (LARGEST_SEED + 1),
    }


def _ranges(tuning: Tuning) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for name, searched in tuning.ranges.items():
        if isinstance(searched, Numbers):
            kind = NUMBERS[name].kind
            ends = {"MinValue": _number(searched.min, kind=kind), "MaxValue": _number(searched.max, kind=kind)}
            found.setdefault(f"{kind}ParameterRanges", []).append(
                {"Name": name, **ends, "ScalingType": searched.scaling}
            )
        else:
            found.setdefault("CategoricalParameterRanges", []).append({"Name": name, "Values": list(searched)})
    return found


def _number(value: float, *, kind: str) -> str:
    """Return a number as text without an exponent, as the API requires."""
    return str(int(value)) if kind == "Integer" else f"{Decimal(str(value)):f}"


def _check_ends(hyperparameters: Hyperparameters, tuning: Tuning, *, dataset: "PreparedDataset") -> None:
    for name, value in tuning.ends():
        for_job(
            Hyperparameters.model_validate({**hyperparameters.model_dump(), name: value}),
            num_classes=dataset.num_classes,
            num_training_samples=dataset.num_training_samples,
            num_validation_samples=dataset.num_validation_samples,
        )
