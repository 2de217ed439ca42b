"""Checks a CreateHyperParameterTuningJob request, and makes the documents of its job and of its training jobs."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import ServiceError, validation_error
from local_aws.sagemaker.training.algorithm_rules import OBJECTIVE_HYPERPARAMETER
from local_aws.sagemaker.tuning import algorithm_rules
from local_aws.sagemaker.tuning.ranges import Range, read_ranges

if TYPE_CHECKING:
    from local_aws.sagemaker.documents import Document
    from local_aws.sagemaker.images import Images

TRIALS = "_Trials"
STRATEGIES = ("Bayesian", "Random")
MOST_TRIALS = 750
MOST_PARALLEL = 10
UNSUPPORTED = ("TrainingJobDefinitions", "WarmStartConfig", "Autotune")
UNSUPPORTED_DEFINITION = ("HyperParameterRanges", "TuningObjective")
UNSUPPORTED_RESOURCES = ("AllocationStrategy", "InstanceConfigs")
OF_THE_TRAINING_JOB = (
    "RoleArn",
    "InputDataConfig",
    "VpcConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "RetryStrategy",
    "Environment",
)
STATUSES = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
OBJECTIVE_STATUSES = ("Succeeded", "Pending", "Failed")


def check(request: Document, *, images: Images) -> None:
    """Refuse what AWS refuses, and what only AWS can do.

    Raises:
        ServiceError: names the member and what was found.

    """
    for name in UNSUPPORTED:
        if name in request:
            raise _unsupported(name)
    if "TrainingJobDefinition" not in request:
        raise validation_error("A tuning job needs TrainingJobDefinition.")
    config, definition = request["HyperParameterTuningJobConfig"], request["TrainingJobDefinition"]
    for name in UNSUPPORTED_DEFINITION:
        if name in definition:
            raise _unsupported(f"{name} of TrainingJobDefinition")
    _check_resources(definition)
    _check_config(config)
    ranges = read_ranges(config.get("ParameterRanges", {}))
    static = definition.get("StaticHyperParameters", {})
    both = [item.name for item in ranges if item.name in static]
    if both:
        raise validation_error(f"A hyperparameter is either static or tuned; found both for {', '.join(both)}.")
    _check_objective(config, definition, ranges=ranges, images=images)


def _check_resources(definition: Document) -> None:
    resources = definition.get("HyperParameterTuningResourceConfig")
    if (resources is None) == ("ResourceConfig" not in definition):
        raise validation_error("Give ResourceConfig or HyperParameterTuningResourceConfig in TrainingJobDefinition.")
    for name in UNSUPPORTED_RESOURCES:
        if name in (resources or {}):
            raise _unsupported(f"{name} of HyperParameterTuningResourceConfig")


def _check_config(config: Document) -> None:
    if config["Strategy"] not in STRATEGIES:
        raise _unsupported(f"Strategy {config['Strategy']}")
    if "StrategyConfig" in config:
        raise validation_error("StrategyConfig can only be given with Strategy Hyperband.")
    if "HyperParameterTuningJobObjective" not in config:
        raise validation_error("HyperParameterTuningJobObjective is required with TrainingJobDefinition.")
    convergence = config.get("TuningJobCompletionCriteria", {}).get("ConvergenceDetected", {})
    if convergence.get("CompleteOnConvergence") == "Enabled":
        raise _unsupported("ConvergenceDetected")
    limits = config["ResourceLimits"]
    if "MaxNumberOfTrainingJobs" not in limits:
        raise _unsupported("ResourceLimits without MaxNumberOfTrainingJobs")
    _check_limit("training jobs per hyperparameter tuning job", limits["MaxNumberOfTrainingJobs"], MOST_TRIALS)
    _check_limit(
        "parallel training jobs per hyperparameter tuning job", limits["MaxParallelTrainingJobs"], MOST_PARALLEL
    )


def _check_limit(what: str, asked: int, most: int) -> None:
    if asked > most:
        raise ServiceError(
            "ResourceLimitExceeded",
            f"The account-level service limit 'Maximum number of {what}' is {most} Training Jobs, with current "
            f"utilization of 0 Training Jobs and a request delta of {asked} Training Jobs.",
        )


def _check_objective(config: Document, definition: Document, *, ranges: list[Range], images: Images) -> None:
    algorithm, objective = definition["AlgorithmSpecification"], config["HyperParameterTuningJobObjective"]
    definitions = algorithm.get("MetricDefinitions", [])
    if images.find(algorithm.get("TrainingImage", "")).built_in:
        algorithm_rules.check(
            algorithm["TrainingImage"], ranges=ranges, objective=objective, metric_definitions=definitions
        )
    elif objective["MetricName"] not in {item["Name"] for item in definitions}:
        raise validation_error(
            f"The objective metric [{objective['MetricName']}] is not among the MetricDefinitions of the "
            "AlgorithmSpecification; define it there."
        )


def new_job(request: Document, *, arn: str, now: float) -> Document:
    """Return the first document of the tuning job, as DescribeHyperParameterTuningJob shows it."""
    job = {key: value for key, value in request.items() if key != "Tags"}
    return job | {
        "HyperParameterTuningJobArn": arn,
        "HyperParameterTuningJobStatus": "InProgress",
        "CreationTime": now,
        "LastModifiedTime": now,
        "TrainingJobStatusCounters": dict.fromkeys(STATUSES, 0),
        "ObjectiveStatusCounters": dict.fromkeys(OBJECTIVE_STATUSES, 0),
        TRIALS: [],
    }


def training_job_name(tuning_job: str, *, number: int) -> str:
    """Return a training job's name as SageMaker makes it: the tuning job's name, a number, eight hexadecimal digits."""
    return f"{tuning_job}-{number:03d}-{hashlib.sha256(f'{tuning_job}/{number}'.encode()).hexdigest()[:8]}"


def training_request(job: Document, *, name: str, tuned: dict[str, str], tags: list[Document]) -> Document:
    """Return the CreateTrainingJob request of one trial."""
    definition, config = job["TrainingJobDefinition"], job["HyperParameterTuningJobConfig"]
    request: Document = {key: definition[key] for key in OF_THE_TRAINING_JOB if key in definition}
    if "HyperParameterTuningResourceConfig" in definition:
        request["ResourceConfig"] = definition["HyperParameterTuningResourceConfig"]
    if "CheckpointConfig" in request:  # trials must not continue from each other's checkpoints
        checkpoints = request["CheckpointConfig"]
        request["CheckpointConfig"] = checkpoints | {"S3Uri": f"{checkpoints['S3Uri'].rstrip('/')}/{name}/"}
    objective = {OBJECTIVE_HYPERPARAMETER: config["HyperParameterTuningJobObjective"]["MetricName"]}
    return request | {
        "TrainingJobName": name,
        "HyperParameters": objective | definition.get("StaticHyperParameters", {}) | tuned,
        "AlgorithmSpecification": definition["AlgorithmSpecification"],
        "Tags": tags,
    }


def _unsupported(what: str) -> ServiceError:
    return validation_error(f"This local SageMaker does not have {what}; AWS does.")
