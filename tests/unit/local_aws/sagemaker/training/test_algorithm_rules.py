"""Checks which jobs the algorithm refuses."""

import pytest

from local_aws.sagemaker.training.algorithm_rules import refusal


def job(**changes):
    channels = ("train", "validation", "train_lst", "validation_lst")
    return {
        "AlgorithmSpecification": {"TrainingInputMode": "File"},
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge"},
        "HyperParameters": {"num_classes": "2", "num_training_samples": "10"},
        "InputDataConfig": [channel(name) for name in channels],
    } | changes


def channel(name, **changes):
    source = {"S3DataType": "S3Prefix", "S3DataDistributionType": changes.pop("distribution", "FullyReplicated")}
    given = {"ChannelName": name, "ContentType": "application/x-image", "DataSource": {"S3DataSource": source}}
    return given | changes


def records(**changes):
    given = {"ContentType": "application/x-recordio"} | changes
    return job(InputDataConfig=[channel(name, **given) for name in ("train", "validation")])


def without(channel):
    return [item for item in job()["InputDataConfig"] if item["ChannelName"] != channel]


def test_a_complete_job_is_accepted():
    assert refusal(job()) is None


def test_recordio_needs_no_lst_channels():
    assert refusal(records()) is None


@pytest.mark.parametrize("wrapper", [{}, {"RecordWrapperType": "RecordIO"}])
def test_records_may_come_by_a_pipe(wrapper):
    assert refusal(records(InputMode="Pipe", **wrapper)) is None
    assert refusal(records() | {"AlgorithmSpecification": {"TrainingInputMode": "Pipe"}}) is None


def test_an_augmented_manifest_may_have_the_content_type_of_images():
    assert refusal(records(ContentType="image/jpeg", InputMode="Pipe", RecordWrapperType="RecordIO")) is None


@pytest.mark.parametrize(
    ("name", "changes", "sentence"),
    [
        (
            "train",
            {"InputMode": "Pipe"},
            "ClientError: Content type 'application/x-image' of channel 'train' is not supported in Pipe mode; "
            "expected application/x-recordio, or an augmented manifest with RecordWrapperType RecordIO.",
        ),
        (
            "train",
            {"InputMode": "FastFile"},
            "ClientError: TrainingInputMode 'FastFile' of channel 'train' is not supported; expected File or Pipe.",
        ),
        (
            "train_lst",
            {"InputMode": "Pipe"},
            "ClientError: TrainingInputMode 'Pipe' of channel 'train_lst' is not supported; expected File.",
        ),
        (
            "validation",
            {"distribution": "ShardedByS3Key"},
            "ClientError: S3DataDistributionType 'ShardedByS3Key' of channel 'validation' is not supported; "
            "expected FullyReplicated.",
        ),
    ],
)
def test_an_input_mode_that_the_algorithm_does_not_support_is_refused(name, changes, sentence):
    channels = [item for item in job()["InputDataConfig"] if item["ChannelName"] != name]

    assert refusal(job(InputDataConfig=[*channels, channel(name, **changes)])) == sentence


@pytest.mark.parametrize("family", ["p2", "p3", "g4dn", "g5"])
def test_gpu_instances_are_accepted(family):
    assert refusal(job(ResourceConfig={"InstanceType": f"ml.{family}.xlarge"})) is None


@pytest.mark.parametrize("channel", ["train", "validation", "train_lst", "validation_lst"])
def test_a_missing_channel_is_named(channel):
    assert refusal(job(InputDataConfig=without(channel))).startswith(f"ClientError: Missing channel '{channel}'.")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"ResourceConfig": {"InstanceType": "ml.c5.large"}},
            "ClientError: Instance type ml.c5.large is not supported by algorithm image-classification; "
            "only GPU instances are supported.",
        ),
        (
            {"HyperParameters": {"num_classes": "2"}},
            "ClientError: Invalid hyperparameters: 'num_training_samples' is a required property "
            "(caused by ValidationError)",
        ),
        (
            {"HyperParameters": {"num_classes": "2", "num_training_samples": "1", "epoch": "3"}},
            "ClientError: Invalid hyperparameters: Additional properties are not allowed ('epoch' was unexpected) "
            "(caused by ValidationError)",
        ),
        (
            {"InputDataConfig": [*without("train"), {"ChannelName": "train", "ContentType": "text/csv"}]},
            "ClientError: Content type 'text/csv' of channel 'train' is not supported; "
            "expected application/x-image or application/x-recordio.",
        ),
        (
            {"InputDataConfig": [*without(""), {"ChannelName": "test"}]},
            "ClientError: Unknown channel 'test'. Channels are: train, validation, train_lst, validation_lst, model.",
        ),
    ],
)
def test_what_the_algorithm_refuses_is_refused_in_its_words(changes, sentence):
    assert refusal(job(**changes)) == sentence
