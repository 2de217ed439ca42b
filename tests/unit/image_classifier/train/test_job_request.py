"""Checks that AWS's model accepts the training job's request, and that it has what the algorithm needs."""

import re
from types import SimpleNamespace

import botocore.session
import pytest
from botocore.validate import ParamValidator

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import HyperparameterError, SettingsError
from image_classifier.train.job_request import alternative_requests, training_job_request

ROLE = "arn:aws:iam::123456789012:role/sagemaker"
SETTINGS = Settings(
    bucket="the-bucket",
    sagemaker_role_arn=ROLE,
    function_role_arn=ROLE,
    failure_queue_arn="arn:aws:sqs:us-east-1:123456789012:failures",
    algorithm_image=(OWN_IMAGE := "123456789012.dkr.ecr.us-east-1.amazonaws.com/image-classification:2"),
)
SAGEMAKER = botocore.session.get_session().get_service_model("sagemaker")


def dataset(**values):
    uris = {
        f"{name}_uri": f"s3://the-bucket/cats/{name}/"
        for name in ("train", "validation", "train_lst", "validation_lst")
    }
    counts = {"num_classes": 2, "num_training_samples": 100, "num_validation_samples": 40}
    return SimpleNamespace(**{"fingerprint": "0123456789abcdef", **counts, **uris, **values})


def request(region="us-east-1", data=None, settings=SETTINGS, **values):
    classifier = Classifier.model_validate({"name": "cats", "source": "cats", **values})
    return training_job_request(classifier, settings=settings, region=region, dataset=data or dataset())


def problems(operation, params):
    report = ParamValidator().validate(params, SAGEMAKER.operation_model(operation).input_shape)
    return report.generate_report()


FULL = {
    "training": {"spot": True, "max_wait_s": 9000, "instance_type": "ml.p3.2xlarge"},
    "vpc_config": {"security_group_ids": ["sg-1"], "subnets": ["subnet-1", "subnet-2"]},
    "kms_keys": {"model_artifact": "alias/models", "training_volume": "alias/volumes"},
    "network_isolation": True,
    "tags": {"team": "vision"},
}


OWN = {"algorithm": "own", "training": {"instance_type": "ml.m5.large"}}


@pytest.mark.parametrize("values", [{}, FULL, OWN])
def test_aws_accepts_the_request(values):
    assert problems("CreateTrainingJob", request(**values)) == ""


def test_it_reads_four_folders_of_images_whole_and_from_files():
    channels = request(data=dataset(train_uri="s3://the-bucket/cats/train"))["InputDataConfig"]

    assert [channel["ChannelName"] for channel in channels] == ["train", "validation", "train_lst", "validation_lst"]
    for channel in channels:
        source = channel["DataSource"]["S3DataSource"]
        assert channel["ContentType"] == "application/x-image"
        assert channel["InputMode"] == "File"
        assert source["S3Uri"].endswith("/")
        assert source["S3DataDistributionType"] == "FullyReplicated"


def test_a_data_set_in_recordio_has_two_channels_and_no_lists():
    packed = {"train_uri": "s3://b/v/recordio/train/", "validation_uri": "s3://b/v/recordio/validation/"}
    sent = request(data=dataset(**packed, train_lst_uri="", validation_lst_uri=""))
    found = {one["ChannelName"]: one["DataSource"]["S3DataSource"]["S3Uri"] for one in sent["InputDataConfig"]}

    assert found == {"train": packed["train_uri"], "validation": packed["validation_uri"]}
    assert {(one["ContentType"], one["InputMode"]) for one in sent["InputDataConfig"]} == {
        ("application/x-recordio", "File")
    }
    assert problems("CreateTrainingJob", sent) == ""


def test_what_the_data_set_tells_is_sent_with_what_the_person_set():
    sent = request(hyperparameters={"image_shape": "3,28,28", "epochs": 5})["HyperParameters"]

    assert (sent["num_classes"], sent["num_training_samples"], sent["resize"], sent["epochs"]) == (
        "2",
        "100",
        "28",
        "5",
    )


def test_it_always_has_a_time_limit_and_the_classifiers_tag():
    made = request()

    assert made["StoppingCondition"] == {"MaxRuntimeInSeconds": 7200}
    assert {"Key": "image-classifier", "Value": "cats"} in made["Tags"]


def test_spot_waits_and_keeps_checkpoints_of_its_own():
    made = request(**FULL)

    assert made["EnableManagedSpotTraining"] is True
    assert made["StoppingCondition"]["MaxWaitTimeInSeconds"] == 9000
    assert made["CheckpointConfig"]["S3Uri"] == f"s3://the-bucket/cats/checkpoints/{made['TrainingJobName']}/"


def test_network_and_keys_are_the_classifiers():
    made = request(**FULL)

    assert made["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1", "subnet-2"]}
    assert made["EnableNetworkIsolation"] is True
    assert made["OutputDataConfig"]["KmsKeyId"] == "alias/models"
    assert made["ResourceConfig"]["VolumeKmsKeyId"] == "alias/volumes"
    assert {"Key": "team", "Value": "vision"} in made["Tags"]


def test_without_them_the_request_is_silent():
    assert {"VpcConfig", "CheckpointConfig", "EnableManagedSpotTraining"}.isdisjoint(request())


def test_the_model_goes_where_the_names_say():
    assert request()["OutputDataConfig"]["S3OutputPath"] == "s3://the-bucket/cats/models"


def test_the_same_set_and_settings_give_the_same_name():
    assert request()["TrainingJobName"] == request()["TrainingJobName"]


def test_the_built_in_algorithms_names_are_what_they_were():
    """Another name would train again, and pay again, for every classifier that is deployed."""
    assert request()["TrainingJobName"] == "image-classifier-cats-01234567-1e718d69"
    assert request(region="eu-west-1")["TrainingJobName"] == "image-classifier-cats-01234567-1e718d69"


@pytest.mark.parametrize(
    "other",
    [
        {"hyperparameters": {"epochs": 31}},
        {"data": dataset(fingerprint="fedcba9876543210")},
        {"data": dataset(num_training_samples=101)},
        {"algorithm": "own"},
    ],
)
def test_another_set_or_setting_gives_another_name(other):
    assert request(**other)["TrainingJobName"] != request()["TrainingJobName"]


def test_another_machine_is_not_another_model():
    assert request(training={"instance_type": "ml.g5.xlarge"})["TrainingJobName"] == request()["TrainingJobName"]


def alternatives(**training):
    classifier = Classifier.model_validate({"name": "cats", "source": "cats", "training": training})
    return [
        (asked["ResourceConfig"]["InstanceType"], asked.get("EnableManagedSpotTraining", False))
        for asked in alternative_requests(classifier, request(training=training))
    ]


SPOT = {"spot": True, "max_wait_s": 9000}


def test_other_machines_come_in_the_files_order():
    assert alternatives() == []
    assert alternatives(instance_type_fallbacks=["ml.g5.xlarge", "ml.p3.2xlarge"]) == [
        ("ml.g5.xlarge", False),
        ("ml.p3.2xlarge", False),
    ]


def test_on_demand_is_the_last_resort_of_spot_on_every_machine():
    assert alternatives(**SPOT, on_demand_fallback=True, instance_type_fallbacks=["ml.g5.xlarge"]) == [
        ("ml.g5.xlarge", True),
        ("ml.g4dn.xlarge", False),
        ("ml.g5.xlarge", False),
    ]


def test_aws_accepts_the_requests_of_the_last_resort():
    values = {**FULL, "training": {**FULL["training"], "on_demand_fallback": True}}
    classifier = Classifier.model_validate({"name": "cats", "source": "cats", **values})
    [on_demand] = alternative_requests(classifier, request(**values))

    assert problems("CreateTrainingJob", on_demand) == ""
    assert on_demand["StoppingCondition"] == {"MaxRuntimeInSeconds": 7200}
    assert on_demand["CheckpointConfig"] == request(**values)["CheckpointConfig"]


def test_nothing_is_asked_for_that_the_algorithm_would_refuse():
    with pytest.raises(HyperparameterError, match="mini_batch_size is 32"):
        request(data=dataset(num_validation_samples=5))


def test_a_region_without_the_algorithm_is_refused():
    with pytest.raises(SettingsError, match="mx-central-1"):
        request(region="mx-central-1")


def test_an_own_image_is_used_with_its_metric_definitions():
    algorithm = request(**OWN)["AlgorithmSpecification"]

    assert algorithm["TrainingImage"] == OWN_IMAGE
    assert [metric["Name"] for metric in algorithm["MetricDefinitions"]] == ["train:accuracy", "validation:accuracy"]


def test_of_the_built_in_algorithm_sagemaker_gets_no_metric_definitions():
    assert request()["AlgorithmSpecification"] == {
        "TrainingImage": "811284229777.dkr.ecr.us-east-1.amazonaws.com/image-classification:1",
        "TrainingInputMode": "File",
    }


def test_the_metrics_are_the_accuracies_of_an_epoch_and_nothing_else():
    train, validation = (m["Regex"] for m in request(**OWN)["AlgorithmSpecification"]["MetricDefinitions"])
    lines = (
        "[06/17/2021 23:35:18 INFO 1] Epoch[0] Batch [20]#011Speed: 114.1 samples/sec#011accuracy=0.111111\n"
        "[06/17/2021 23:35:18 INFO 1] Epoch[0] Train-accuracy=0.025911\n"
        "[06/17/2021 23:35:18 INFO 1] Epoch[0] Train-top_k_accuracy_2=0.042513\n"
        "[06/17/2021 23:35:47 INFO 1] Epoch[12] Validation-accuracy=0.056723\n"
    )

    assert re.findall(train, lines) == ["0.025911"]
    assert re.findall(validation, lines) == ["0.056723"]


def test_another_image_is_another_model_and_another_machine_is_not():
    newer = SETTINGS.model_copy(update={"algorithm_image": OWN_IMAGE.replace(":2", ":3")})

    assert request(**OWN, settings=newer)["TrainingJobName"] != request(**OWN)["TrainingJobName"]
    assert request(algorithm="own")["TrainingJobName"] == request(**OWN)["TrainingJobName"]
