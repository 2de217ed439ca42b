"""Reads the format of a channel from inputdataconfig.json and refuses the combinations that the algorithm refuses."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Any

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.folders import Folders

IMAGE_TYPES = ("application/x-image", "image/jpeg", "image/png")
RECORD_TYPE = "application/x-recordio"
SPLITS = ("train", "validation")
FULLY_REPLICATED = "FullyReplicated"
MULTI_HOT, CLASS_ID = "multi-hot", "class-id"

Config = Mapping[str, Mapping[str, Any]]
# A job that is started by hand has no inputdataconfig.json; these are its defaults.
IMAGE_FILES: Config = {name: {"ContentType": IMAGE_TYPES[0]} for split in SPLITS for name in (split, f"{split}_lst")}


class Format(Enum):
    """The format of a channel: where its images are and where its labels are."""

    IMAGE_FILES = auto()
    RECORD_FILE = auto()
    RECORD_PIPE = auto()
    MANIFEST_PIPE = auto()


@dataclass(frozen=True)
class Channel:
    """The train or the validation channel."""

    name: str
    path: Path
    format: Format
    content_type: str
    label_format: str = MULTI_HOT

    @property
    def has_image_type(self) -> bool:
        """Return whether the content type is one of images, for which the hyperparameter resize is required."""
        return self.content_type in IMAGE_TYPES

    @property
    def list_path(self) -> Path:
        return self.path.with_name(f"{self.name}_lst")

    @property
    def pipe(self) -> Path:
        """The named pipe of the first epoch."""
        return self.path.with_name(f"{self.name}_0")

    def missing(self, problem: str) -> ClientError:
        return ClientError(f"The {self.name} channel is missing: {self.path} {problem}.")


def read_channel(folders: Folders, name: str) -> Channel:
    """Return the train or the validation channel; both are checked.

    Raises:
        ClientError: a channel is missing, or its format is one that the algorithm refuses.

    """
    config = _config(folders)
    channels = {split: _channel(config, split, folders=folders) for split in SPLITS}
    train, validation = (channels[split] for split in SPLITS)
    if train.has_image_type != validation.has_image_type:
        raise ClientError(
            f"The train channel has content type '{train.content_type}' and the validation channel "
            f"'{validation.content_type}'; both must hold images, or both RecordIO."
        )
    return channels[name]


def _config(folders: Folders) -> Config:
    path = folders.input_data_config
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return IMAGE_FILES
    except ValueError as error:
        raise ClientError(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not all(isinstance(channel, dict) for channel in content.values()):
        raise ClientError(f"{path} must hold an object of channels.")
    return content


def _channel(config: Config, name: str, *, folders: Folders) -> Channel:
    if name not in config:
        raise ClientError(f"The {name} channel is missing: train and validation are required.")
    given = config[name]
    content_type, parameters = _content_type(given)
    if content_type not in (*IMAGE_TYPES, RECORD_TYPE):
        raise _wrong_type(name, content_type, expected=f"{IMAGE_TYPES[0]} or {RECORD_TYPE}")
    _check_distribution(config, name)
    form = _format(name, given, content_type)
    if form is Format.IMAGE_FILES:
        _check_list(config, f"{name}_lst")
    return Channel(name, folders.channel(name), form, content_type, _label_format(name, parameters, form))


def _content_type(given: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the content type and the parameters that follow it."""
    media, *rest = str(given.get("ContentType", "")).split(";")
    pairs = (part.partition("=") for part in rest if part.strip())
    return media.strip().lower(), {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _format(name: str, given: Mapping[str, Any], content_type: str) -> Format:
    mode = given.get("TrainingInputMode", "File")
    is_wrapped = given.get("RecordWrapperType", "None") == "RecordIO"
    if mode not in ("File", "Pipe"):
        raise ClientError(f"TrainingInputMode '{mode}' of channel '{name}' is not supported; expected File or Pipe.")
    if mode == "File" and is_wrapped:
        raise ClientError(
            f"Channel '{name}' has RecordWrapperType RecordIO in File mode; augmented manifests need Pipe mode, and "
            "anything else in File mode needs RecordWrapperType None."
        )
    if mode == "File":
        return Format.RECORD_FILE if content_type == RECORD_TYPE else Format.IMAGE_FILES
    if is_wrapped:
        return Format.MANIFEST_PIPE
    if content_type != RECORD_TYPE:
        raise ClientError(
            f"Content type '{content_type}' of channel '{name}' is not supported in Pipe mode; expected {RECORD_TYPE}, "
            "or an augmented manifest with RecordWrapperType RecordIO."
        )
    return Format.RECORD_PIPE


def _label_format(name: str, parameters: Mapping[str, str], form: Format) -> str:
    label_format = parameters.get("label-format", MULTI_HOT)
    if label_format not in (MULTI_HOT, CLASS_ID):
        raise ClientError(
            f"label-format '{label_format}' of channel '{name}' is not supported; expected {MULTI_HOT} or {CLASS_ID}."
        )
    if label_format == CLASS_ID and form is not Format.MANIFEST_PIPE:
        raise ClientError(f"label-format {CLASS_ID} of channel '{name}' is for augmented manifests only.")
    return label_format


def _check_distribution(config: Config, name: str) -> None:
    """Require FullyReplicated, as the algorithm's documentation does: the hosts themselves divide each batch."""
    distribution = config[name].get("S3DistributionType", FULLY_REPLICATED)
    if distribution != FULLY_REPLICATED:
        raise ClientError(
            f"S3DataDistributionType '{distribution}' of channel '{name}' is not supported; expected "
            f"{FULLY_REPLICATED}."
        )


def _check_list(config: Config, name: str) -> None:
    if name not in config:
        raise ClientError(f"The {name} channel is missing: images need the channels train_lst and validation_lst.")
    content_type, _ = _content_type(config[name])
    if content_type not in IMAGE_TYPES:
        raise _wrong_type(name, content_type, expected=IMAGE_TYPES[0])
    _check_distribution(config, name)


def _wrong_type(channel: str, found: str, *, expected: str) -> ClientError:
    return ClientError(f"Content type '{found}' of channel '{channel}' is not supported; expected {expected}.")
