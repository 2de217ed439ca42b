"""Checks that AWS's model accepts the tuning job's request, and where it differs from the training job's."""

from types import SimpleNamespace

import botocore.session
import pytest
from botocore.validate import ParamValidator

from image_classifier.aws.names import is_tuning_job
from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import HyperparameterError
from image_classifier.train.job_request import alternative_requests, training_job_request
from image_classifier.train.tuning.request import tuning_job_request, tuning_task_config

ROLE = "arn:aws:iam::123456789012:role/sagemaker"
SETTINGS = Settings(
    bucket="the-bucket",
    sagemaker_role_arn=ROLE,
    function_role_arn=ROLE,
    failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:failures",
)
DATASET = SimpleNamespace(
    fingerprint="0123456789abcdef",
    num_classes=2,
    num_training_samples=100,
    num_validation_samples=40,
    **{f"{name}_uri": f"s3://the-bucket/{name}/" for name in ("train", "validation", "train_lst", "validation_lst")},
)
RANGES = {
    "learning_rate": {"min": 0.00001, "max": 0.1, "scaling": "Logarithmic"},
    "mini_batch_size": {"min": 8, "max": 32},
    "optimizer": ["sgd", "adam"],
}


def classifier(*, tuning=None, **values):
    search = {"ranges": RANGES, **(tuning or {})}
    return Classifier.model_validate({"name": "cats", "source": "cats", "tuning": search, **values})


def training(cats):
    return training_job_request(cats, settings=SETTINGS, region="us-east-1", dataset=DATASET)


def request(**values):
    cats = classifier(**values)
    return tuning_job_request(cats, training=training(cats), dataset=DATASET)


FULL = {
    "training": {"spot": True, "max_wait_s": 9000, "instance_type_fallbacks": ["ml.g5.xlarge"]},
    "vpc_config": {"security_group_ids": ["sg-1"], "subnets": ["subnet-1"]},
    "network_isolation": True,
}


@pytest.mark.parametrize("values", [{}, FULL, {"tuning": {"strategy": "Random", "early_stopping": True}}])
def test_aws_accepts_the_request(values):
    model = botocore.session.get_session().get_service_model("sagemaker")
    shape = model.operation_model("CreateHyperParameterTuningJob").input_shape

    assert ParamValidator().validate(request(**values), shape).generate_report() == ""


def test_the_name_has_the_length_that_aws_allows_and_no_time_in_it():
    assert request()["HyperParameterTuningJobName"] == request()["HyperParameterTuningJobName"]
    assert is_tuning_job(request()["HyperParameterTuningJobName"])
    assert len(request()["HyperParameterTuningJobName"]) == 32


@pytest.mark.parametrize(
    "values",
    [
        {"name": "dogs"},
        {"hyperparameters": {"epochs": 7}},
        {"seed": 1},
        {"tuning": {"strategy": "Random"}},
        {"tuning": {"max_jobs": 4}},
        {"tuning": {"ranges": {"optimizer": ["sgd", "adam"]}}},
    ],
)
def test_another_search_has_another_name(values):
    assert request(**values)["HyperParameterTuningJobName"] != request()["HyperParameterTuningJobName"]


def test_another_machine_is_the_same_search():
    other = request(training={"instance_type": "ml.g5.xlarge"})

    assert other["HyperParameterTuningJobName"] == request()["HyperParameterTuningJobName"]


def test_a_hyperparameter_is_searched_or_fixed_without_exponent():
    made = request()
    ranges = made["HyperParameterTuningJobConfig"]["ParameterRanges"]

    assert not RANGES.keys() & made["TrainingJobDefinition"]["StaticHyperParameters"].keys()
    assert made["TrainingJobDefinition"]["StaticHyperParameters"]["num_classes"] == "2"
    [rate] = ranges["ContinuousParameterRanges"]
    assert (rate["MinValue"], rate["MaxValue"], rate["ScalingType"]) == ("0.00001", "0.1", "Logarithmic")
    [batch] = ranges["IntegerParameterRanges"]
    assert (batch["MinValue"], batch["MaxValue"]) == ("8", "32")
    assert ranges["CategoricalParameterRanges"] == [{"Name": "optimizer", "Values": ["sgd", "adam"]}]


def test_the_job_with_the_files_hyperparameters_counts_among_the_most_jobs():
    limits = request(tuning={"max_jobs": 3, "max_parallel": 5})["HyperParameterTuningJobConfig"]["ResourceLimits"]

    assert limits == {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2}


def test_training_jobs_of_a_search_share_no_checkpoints():
    definition = request(**FULL)["TrainingJobDefinition"]

    assert "CheckpointConfig" in training(classifier(**FULL))
    assert "CheckpointConfig" not in definition
    assert definition["EnableManagedSpotTraining"]


def test_a_batch_larger_than_validation_is_refused_before_anything_is_paid():
    with pytest.raises(HyperparameterError, match="mini_batch_size is 64"):
        request(tuning={"ranges": {"mini_batch_size": {"min": 8, "max": 64}}})


def test_a_run_that_does_not_tune_has_no_request():
    cats = classifier(tuning={"enabled": False})

    assert request(tuning={"enabled": False}) is None
    assert tuning_task_config(cats, training=training(cats), alternatives=[], dataset=DATASET) == {}


def test_the_task_gets_the_same_search_on_other_machines():
    cats = classifier(**FULL)
    first = training(cats)

    config = tuning_task_config(cats, training=first, alternatives=alternative_requests(cats, first), dataset=DATASET)

    [other] = config["alternatives"]
    assert other["HyperParameterTuningJobName"] == config["request"]["HyperParameterTuningJobName"]
    assert other["TrainingJobDefinition"]["ResourceConfig"]["InstanceType"] == "ml.g5.xlarge"
    assert (config["classifier"], config["training_job"]) == ("cats", first["TrainingJobName"])


def test_a_range_that_adam_ignores_is_logged_before_the_job_is_paid_for(caplog):
    ranges = {"weight_decay": {"min": 0.001, "max": 0.1}}
    cats = classifier(tuning={"ranges": ranges}, hyperparameters={"optimizer": "adam"})

    tuning_task_config(cats, training=training(cats), alternatives=[], dataset=DATASET)

    assert "leave weight_decay out of `tuning.ranges`" in caplog.text
