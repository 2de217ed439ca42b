"""The algorithm's own refusals, which cost an instance on AWS."""

import pytest

from local_aws.sagemaker.training.algorithm_rules import refusal


def job(**changes):
    channels = ("train", "validation", "train_lst", "validation_lst")
    return {
        "ResourceConfig": {"InstanceType": "ml.g4dn.xlarge"},
        "HyperParameters": {"num_classes": "2", "num_training_samples": "10"},
        "InputDataConfig": [{"ChannelName": name, "ContentType": "application/x-image"} for name in channels],
    } | changes


def without(channel):
    return [item for item in job()["InputDataConfig"] if item["ChannelName"] != channel]


def test_a_complete_job_is_accepted():
    assert refusal(job()) is None


def test_recordio_needs_no_lst_channels():
    channels = [{"ChannelName": name, "ContentType": "application/x-recordio"} for name in ("train", "validation")]

    assert refusal(job(InputDataConfig=channels)) is None


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
