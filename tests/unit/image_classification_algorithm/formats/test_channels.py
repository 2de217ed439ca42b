"""Checks which inputdataconfig.json the algorithm accepts."""

import json

import pytest

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.formats.channels import Format, read_channel

FOUR = ("train", "validation", "train_lst", "validation_lst")
IMAGE = {"ContentType": "application/x-image"}
RECORD = {"ContentType": "application/x-recordio"}
PIPE = {"TrainingInputMode": "Pipe"}
WRAPPED = {"RecordWrapperType": "RecordIO"}


@pytest.mark.parametrize(
    ("given", "form"),
    [
        (IMAGE, Format.IMAGE_FILES),
        ({"ContentType": "image/png"}, Format.IMAGE_FILES),
        ({"ContentType": "Image/JPEG; q=1"}, Format.IMAGE_FILES),
        (RECORD, Format.RECORD_FILE),
        (RECORD | PIPE, Format.RECORD_PIPE),
        (RECORD | PIPE | WRAPPED, Format.MANIFEST_PIPE),
        (IMAGE | PIPE | WRAPPED, Format.MANIFEST_PIPE),
    ],
)
def test_content_type_mode_and_wrapper_tell_the_format(configure, given, form):
    folders = configure(*FOUR, **given)
    channels = [read_channel(folders, name) for name in ("train", "validation")]
    assert [(channel.name, channel.format) for channel in channels] == [("train", form), ("validation", form)]
    assert channels[0].path == folders.channel("train")


def test_a_job_without_input_data_config_has_image_files(tmp_path):
    channel = read_channel(Folders(tmp_path), "validation")
    assert (channel.format, channel.list_path) == (Format.IMAGE_FILES, tmp_path / "input/data/validation_lst")


def test_only_images_need_resize(configure):
    assert read_channel(configure(*FOUR, **IMAGE), "train").has_image_type
    assert not read_channel(configure(**RECORD), "train").has_image_type


@pytest.mark.parametrize(
    ("parameter", "label_format"),
    [("", "multi-hot"), ("; label-format=multi-hot", "multi-hot"), (';label-format = "class-id"', "class-id")],
)
def test_the_content_type_tells_the_label_format(configure, parameter, label_format):
    folders = configure(ContentType=f"application/x-recordio{parameter}", **PIPE, **WRAPPED)
    assert read_channel(folders, "train").label_format == label_format


@pytest.mark.parametrize(
    ("names", "given", "sentence"),
    [
        (("train",), RECORD, "The validation channel is missing: train and validation are required"),
        (("validation",), RECORD, "The train channel is missing"),
        (FOUR[:3], IMAGE, "The validation_lst channel is missing: images need the channels train_lst and"),
        ((), {}, "Content type '' of channel 'train' is not supported; expected application/x-image or applic"),
        ((), {"ContentType": "text/csv"}, "Content type 'text/csv' of channel 'train' is not supported"),
        ((), RECORD | WRAPPED, "RecordIO in File mode; augmented manifests need Pipe mode"),
        (FOUR, IMAGE | PIPE, "'application/x-image' of channel 'train' is not supported in Pipe mode"),
        ((), RECORD | {"S3DistributionType": "ShardedByS3Key"}, "'ShardedByS3Key' of channel 'train' is not supported"),
        ((), RECORD | {"TrainingInputMode": "FastFile"}, "'FastFile' of channel 'train' is not supported"),
        ((), {"ContentType": "application/x-recordio; label-format=one-hot"} | PIPE | WRAPPED, "'one-hot' of channel"),
        (
            (),
            {"ContentType": "application/x-recordio; label-format=class-id"} | PIPE,
            "is for augmented manifests only",
        ),
    ],
)
def test_what_the_algorithm_does_not_take_is_refused(configure, names, given, sentence):
    with pytest.raises(ClientError) as raised:
        read_channel(configure(*names, **given), "train")
    assert sentence in str(raised.value)


def test_both_channels_hold_images_or_both_recordio(configure):
    folders = configure("train", **RECORD)
    config = json.loads(folders.input_data_config.read_text())
    images = {name: {"ContentType": "image/png"} for name in ("validation", "validation_lst")}
    folders.input_data_config.write_text(json.dumps(config | images))
    with pytest.raises(ClientError, match="both must hold images, or both RecordIO"):
        read_channel(folders, "train")


def test_a_list_channel_of_another_type_is_refused(configure):
    folders = configure(*FOUR, **IMAGE)
    config = json.loads(folders.input_data_config.read_text())
    config["train_lst"]["ContentType"] = "text/plain"
    folders.input_data_config.write_text(json.dumps(config))
    with pytest.raises(ClientError, match="Content type 'text/plain' of channel 'train_lst' is not supported"):
        read_channel(folders, "train")


@pytest.mark.parametrize(
    ("content", "sentence"), [("{", "is not JSON"), ("[]", "an object"), ('{"a": 1}', "an object")]
)
def test_a_broken_input_data_config_is_refused(configure, content, sentence):
    folders = configure()
    folders.input_data_config.write_text(content)
    with pytest.raises(ClientError, match=sentence):
        read_channel(folders, "train")
