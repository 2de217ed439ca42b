"""Checks the request of a tuning job, and the training jobs that it starts."""

import copy

import pytest
from tests.unit.local_aws.sagemaker.refusals import refusal

from local_aws.sagemaker.images import Images
from local_aws.sagemaker.protocol.validation import validate
from local_aws.sagemaker.tuning import requests
from local_aws.sagemaker.tuning.ranges import Range, read_ranges

OWN = "000000000000.dkr.ecr.us-east-1.amazonaws.com/mine:1"
BUILT_IN = "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
IMAGES = Images({"mine": ("true",), "image-classification": ("true",)})
RATE = {"Name": "learning_rate", "MinValue": "0.0001", "MaxValue": "0.5", "ScalingType": "Auto"}
OPTIMIZER = {"Name": "optimizer", "Values": ["sgd", "adam"]}


def request(image=BUILT_IN, **config):
    """A complete request; `config` replaces members of HyperParameterTuningJobConfig."""
    source = {"S3DataType": "S3Prefix", "S3Uri": "s3://b/train/"}
    metrics = [{"Name": "validation:accuracy", "Regex": "accuracy=(.*)"}] if image == OWN else []
    return {
        "HyperParameterTuningJobName": "image-classifier-0123456789abcde",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:accuracy"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {"ContinuousParameterRanges": [RATE], "CategoricalParameterRanges": [OPTIMIZER]},
        }
        | config,
        "TrainingJobDefinition": {
            "AlgorithmSpecification": {
                "TrainingImage": image,
                "TrainingInputMode": "File",
                "MetricDefinitions": metrics,
            },
            "StaticHyperParameters": {"num_classes": "10", "num_training_samples": "100"},
            "RoleArn": "arn:aws:iam::000000000000:role/trains",
            "InputDataConfig": [{"ChannelName": "train", "DataSource": {"S3DataSource": source}}],
            "OutputDataConfig": {"S3OutputPath": "s3://b/models"},
            "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    }


def with_definition(given, **definition):
    changed = copy.deepcopy(given)
    changed["TrainingJobDefinition"] |= definition
    return changed


def check(given):
    requests.check(validate("CreateHyperParameterTuningJob", given), images=IMAGES)


def ranges(**given):
    return {"ParameterRanges": given}


@pytest.mark.parametrize(
    "given",
    [
        request(),
        request(OWN),
        request(Strategy="Random", RandomSeed=7, TrainingJobEarlyStoppingType="Auto"),
        request(
            TuningJobCompletionCriteria={
                "TargetObjectiveMetricValue": 0.9,
                "BestObjectiveNotImproving": {"MaxNumberOfTrainingJobsNotImproving": 3},
            }
        ),
    ],
)
def test_complete_requests_are_accepted(given):
    assert refusal(check, given) is None


def continuous(**changes):
    return ranges(ContinuousParameterRanges=[RATE | changes])


def integer(**changes):
    batch = {"Name": "mini_batch_size", "MinValue": "8", "MaxValue": "64"}
    return ranges(IntegerParameterRanges=[batch | changes])


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"Strategy": "Hyperband"}, "does not have Strategy Hyperband; AWS does."),
        ({"Strategy": "Grid"}, "does not have Strategy Grid; AWS does."),
        ({"StrategyConfig": {}}, "StrategyConfig can only be given with Strategy Hyperband."),
        ({"HyperParameterTuningJobObjective": None}, "HyperParameterTuningJobObjective is required"),
        (
            {"ResourceLimits": {"MaxParallelTrainingJobs": 1}},
            "does not have ResourceLimits without MaxNumberOfTrainingJobs",
        ),
        (ranges(), "at least one hyperparameter"),
        (continuous(MinValue="x"), "'x' in the range of learning_rate is not a value of type Continuous."),
        (continuous(MinValue="nan"), "'nan' in the range of learning_rate"),
        (integer(MinValue="8.5"), "'8.5' in the range of mini_batch_size is not a value of type Integer."),
        (continuous(MinValue="0.6"), "MinValue 0.6 of learning_rate is greater than MaxValue 0.5."),
        (continuous(MinValue="0", ScalingType="Logarithmic"), "Logarithmic scaling needs values greater than 0"),
        (integer(ScalingType="ReverseLogarithmic"), "needs a continuous range within 0<=x<1.0"),
        (ranges(ContinuousParameterRanges=[RATE, RATE]), "Duplicate hyperparameter names"),
        (ranges(AutoParameters=[{"Name": "a", "ValueHint": "1"}]), "does not have AutoParameters; AWS does."),
        (
            {"TuningJobCompletionCriteria": {"ConvergenceDetected": {"CompleteOnConvergence": "Enabled"}}},
            "does not have ConvergenceDetected; AWS does.",
        ),
    ],
)
def test_a_search_that_cannot_be_made_is_refused_with_the_reason(config, sentence):
    given = request(**config)
    if given["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective", 0) is None:
        del given["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]

    code, message = refusal(check, given)

    assert code == "ValidationException"
    assert sentence in message


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            {"HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "validation:loss"}},
            "[validation:loss], isn't valid for the",
        ),
        (
            {"HyperParameterTuningJobObjective": {"Type": "Minimize", "MetricName": "validation:accuracy"}},
            "The objective metric type, [Minimize]",
        ),
        (integer(Name="epochs"), "The hyperparameter epochs can't be tuned"),
        (integer(Name="learning_rate"), "learning_rate is tuned as Continuous; found a range of type Integer."),
        (continuous(MaxValue="0.9"), "The range of learning_rate must be within 1e-06 and 0.5"),
        (
            ranges(CategoricalParameterRanges=[{"Name": "optimizer", "Values": ["sgd", "lion"]}]),
            "The hyperparameter optimizer can't be lion.",
        ),
    ],
)
def test_the_built_in_algorithm_is_tuned_as_aws_allows(config, sentence):
    assert sentence in refusal(check, request(**config))[1]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            request()
            | {
                "WarmStartConfig": {
                    "ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "a"}],
                    "WarmStartType": "TransferLearning",
                }
            },
            "does not have WarmStartConfig; AWS does.",
        ),
        (request() | {"Autotune": {"Mode": "Enabled"}}, "does not have Autotune; AWS does."),
        (
            with_definition(request(), StaticHyperParameters={"learning_rate": "0.1"}),
            "either static or tuned; found both for learning_rate.",
        ),
        (
            with_definition(request(OWN), AlgorithmSpecification={"TrainingImage": OWN, "TrainingInputMode": "File"}),
            "The objective metric [validation:accuracy] is not among the MetricDefinitions",
        ),
        (
            with_definition(
                request(),
                AlgorithmSpecification=request(OWN)["TrainingJobDefinition"]["AlgorithmSpecification"]
                | {"TrainingImage": BUILT_IN},
            ),
            "You can't override the metric definitions for Amazon SageMaker algorithms.",
        ),
    ],
)
def test_members_that_do_not_go_together_are_refused(given, sentence):
    assert sentence in refusal(check, given)[1]


@pytest.mark.parametrize(
    "limits",
    [
        {"MaxNumberOfTrainingJobs": 751, "MaxParallelTrainingJobs": 1},
        {"MaxNumberOfTrainingJobs": 20, "MaxParallelTrainingJobs": 11},
    ],
)
def test_more_training_jobs_than_the_account_may_have_are_refused(limits):
    assert refusal(check, request(ResourceLimits=limits))[0] == "ResourceLimitExceeded"


def test_a_training_job_has_the_tuned_and_static_values_and_the_objective():
    job = requests.new_job(request(), arn="arn", now=1.0)
    tags = [{"Key": "a", "Value": "b"}]

    found = requests.training_request(job, name="t-001-0a", tuned={"learning_rate": "0.1"}, tags=tags)

    assert validate("CreateTrainingJob", found)["HyperParameters"] == {
        "_tuning_objective_metric": "validation:accuracy",
        "num_classes": "10",
        "num_training_samples": "100",
        "learning_rate": "0.1",
    }
    assert found["Tags"] == tags


def test_training_jobs_do_not_share_checkpoints():
    given = with_definition(request(), CheckpointConfig={"S3Uri": "s3://b/checkpoints/"})
    job = requests.new_job(given, arn="arn", now=1.0)

    found = requests.training_request(job, name="t-001-0a", tuned={}, tags=[])

    assert found["CheckpointConfig"]["S3Uri"] == "s3://b/checkpoints/t-001-0a/"
    assert job["TrainingJobDefinition"]["CheckpointConfig"]["S3Uri"] == "s3://b/checkpoints/"


def test_the_names_of_training_jobs_are_computed():
    first = requests.training_job_name("tune", number=1)

    assert first == requests.training_job_name("tune", number=1)
    assert first.startswith("tune-001-")
    assert first != requests.training_job_name("other", number=1)


@pytest.mark.parametrize(
    ("changes", "scaling"),
    [
        ({"MinValue": "0.0001", "MaxValue": "0.5"}, "Logarithmic"),
        ({"MinValue": "0.1", "MaxValue": "0.5"}, "Linear"),
        ({"MinValue": "0", "MaxValue": "0.5"}, "Linear"),
    ],
)
def test_automatic_scaling_is_logarithmic_over_orders_of_magnitude(changes, scaling):
    (found,) = read_ranges(continuous(**changes)["ParameterRanges"])

    assert found == Range("learning_rate", "Continuous", float(changes["MinValue"]), 0.5, scaling)


RESOURCES = {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}


def test_the_resources_of_tuning_become_those_of_the_training_jobs():
    """SDK v2 sends them under this name."""
    given = with_definition(request(), HyperParameterTuningResourceConfig=RESOURCES)
    del given["TrainingJobDefinition"]["ResourceConfig"]
    check(given)
    job = requests.new_job(given, arn="arn", now=1.0)

    trial = requests.training_request(job, name="a", tuned={}, tags=[])

    assert trial["ResourceConfig"] == RESOURCES
    assert "HyperParameterTuningResourceConfig" not in trial


@pytest.mark.parametrize(
    ("resources", "sentence"),
    [
        (RESOURCES, "Give ResourceConfig or HyperParameterTuningResourceConfig"),
        ({"AllocationStrategy": "Prioritized"}, "does not have AllocationStrategy of HyperParameterTuningResource"),
    ],
    ids=["both", "allocation"],
)
def test_resources_of_tuning_that_are_unclear_are_refused(resources, sentence):
    given = with_definition(request(), HyperParameterTuningResourceConfig=resources)
    if resources is not RESOURCES:
        del given["TrainingJobDefinition"]["ResourceConfig"]

    assert sentence in refusal(check, given)[1]
