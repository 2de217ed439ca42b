"""Defines a classifier's file: its source, training, schedule, endpoint and trigger."""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from image_classifier.aws.names import CLASSIFIER_NAME, OUR_TAGS
from image_classifier.classifier.files import read_file
from image_classifier.classifier.instance_types import GPUS, LOCAL_STORAGE, TRAINS_ON
from image_classifier.classifier.parts import (
    ALL_DEFAULTS,
    Endpoint,
    KmsKeys,
    Notify,
    Part,
    Pixels,
    Training,
    VpcConfig,
    refuse,
)
from image_classifier.classifier.preparation import Preparation
from image_classifier.classifier.promotion import Evaluation, Promotion
from image_classifier.classifier.schedule import Schedule, own_asset
from image_classifier.classifier.source import Columns, source_problem
from image_classifier.classifier.tuning import Tuning
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.contracts.training.hyperparameters import Hyperparameters
from image_classifier.contracts.training.sentences import pattern, problems_of

LONGEST_SOURCE = 4096  # the longest path of Linux; an S3 address has at most 63 + 1,024 characters
# Unicode's composed form, which labels have, too: macOS writes é as two characters, other systems as one.
COMPOSED = AfterValidator(partial(unicodedata.normalize, "NFC"))
# A pattern of fnmatch, as in aws s3 sync.
Pattern = Annotated[str, Field(min_length=1, max_length=1024), COMPOSED]
ClassName = Annotated[str, Field(min_length=1, max_length=255), COMPOSED]
NAME = pattern(
    f"^{CLASSIFIER_NAME.pattern}$",
    "A name has 1 to 24 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen",
)
# AWS: letters, digits and white space of every script, and _ . : / = + - @; keys that begin with aws: are AWS's own.
# Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
TAG_MARKS = "_.:/=+-@"
DataFormat = Literal["images", "recordio"]
_TRAINS = {
    "builtin": "the built-in algorithm trains on GPUs only (algorithm: own does not)",
    "own": "one's own image trains on a processor or on one GPU",
}


class Classifier(Part):
    """One classifier; its name is the file's name, all other fields are in the file."""

    name: Annotated[str, Field(pattern=NAME)]
    description: str = ""
    source: Annotated[str, Field(min_length=1, max_length=LONGEST_SOURCE)]
    layout: Literal["classes", "splits"] | None = None  # the meaning of the source's top folders, if it is ambiguous
    columns: Columns = ALL_DEFAULTS  # columns of a list, or of the lists in a folder
    include: tuple[Pattern, ...] = ()  # paths below the source that are used; all if empty
    exclude: tuple[Pattern, ...] = ()
    classes: dict[ClassName, Annotated[tuple[ClassName, ...], Field(min_length=1)]] = Field(default_factory=dict)
    accepted_classes: tuple[ClassName, ...] = ()  # classes that corrections propose and the source does not have
    requester_pays: bool = False  # this account pays for reading an S3 source
    max_left_out: Annotated[float, Field(ge=0, lt=1)] = 0.1  # the share of the files that may be rejected
    schedule: Schedule | None = None  # a text is read as the schedule's `cron`
    retrain_after_corrections: Annotated[int, Field(ge=1)] | None = (
        None  # number of accepted corrections since the model was trained
    )
    algorithm: Literal["builtin", "own"] = "builtin"  # own: the open program, in the deployment's image
    preparation: Preparation = ALL_DEFAULTS
    pixels: Pixels = ALL_DEFAULTS
    format: DataFormat = "images"  # of what a training job reads: recordio saves it the conversion of large data sets
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    test_fraction: Annotated[float, Field(ge=0, lt=1)] = 0.1  # taken from train, if the source has no test folder
    seed: Annotated[int, Field(ge=0)] = 0
    hyperparameters: Hyperparameters = ALL_DEFAULTS
    training: Training = ALL_DEFAULTS
    tuning: Tuning | None = None  # if None, a run trains once
    endpoint: Endpoint = ALL_DEFAULTS
    evaluation: Evaluation = ALL_DEFAULTS
    promotion: Promotion = ALL_DEFAULTS
    calibrate: bool = False  # divide the logits by a temperature that is fitted on validation images
    unsure_below: Annotated[float, Field(ge=0, le=1)] | Literal["auto"] = (
        0.5  # auto: the value that the evaluation report proposes
    )
    max_cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = (
        None  # of a run and the first day of its endpoint
    )
    aws_conn_id: Annotated[str, Field(min_length=1)] = "aws_default"
    vpc_config: VpcConfig | None = None
    kms_keys: KmsKeys = ALL_DEFAULTS
    network_isolation: bool = False
    notify: Notify | None = None
    trigger: Literal["direct", "queue", "paused"] = "direct"  # how uploads reach the function
    canary_s: Annotated[int, Field(ge=5, le=3600)] | None = None  # the watch Dag uploads canary images
    watch: Literal["restore", "report"] = "restore"  # what the watch Dag does about changes made outside the Dags
    tags: dict[Annotated[str, Field(min_length=1, max_length=128)], Annotated[str, Field(max_length=256)]] = Field(
        default_factory=dict,
        max_length=50 - len(OUR_TAGS),  # AWS allows 50
    )

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a classifier file; the classifier's name is the file's name without its suffix.

        Raises:
            ClassifierFileError: the file cannot be used; the message names the file and every wrong field.

        """
        content = read_file(path)
        if "name" in content:
            message = f"{path} sets name; a classifier's name is its file's: rename the file, and take the line out."
            raise ClassifierFileError(message)
        try:
            return cls.model_validate({**content, "name": path.stem})
        except ValidationError as error:
            raise ClassifierFileError(f"{path} cannot be used. {' '.join(problems_of(error))}") from error

    def revised(self, changes: Mapping[str, Any]) -> Self:
        """Return the classifier with other values, checked again; ``{"training": {"spot": True}}`` changes one field.

        Raises:
            ClassifierFileError: the values cannot be used; the message names every wrong one.

        """
        values = self.model_dump()
        for name, value in changes.items():
            values[name] = {**values[name], **value} if isinstance(value, Mapping) else value
        try:
            return type(self).model_validate(values)
        except ValidationError as error:
            message = f"Classifier {self.name} cannot run with these params. {' '.join(problems_of(error))}"
            raise ClassifierFileError(message) from error

    @property
    def renamed_classes(self) -> dict[str, str]:
        """Return the new name by class of the source that `classes` renames or joins."""
        return {old: new for new, found in self.classes.items() for old in found}

    @model_validator(mode="after")
    def _agree(self) -> Self:
        refuse([*self._machine_problems("instance_type", self.training.instance_type), *self._problems()])
        if self.tuning is not None:
            refuse(self.tuning.problems(self.hyperparameters))
        for instance_type in self.training.instance_type_fallbacks:
            refuse(self._machine_problems("instance_type_fallbacks", instance_type))
        return self

    def _problems(self) -> Iterator[str]:
        if self.tuning is not None and self.training.start_from == "champion":
            yield "training.start_from is champion, but a tuning job starts its jobs from nothing: leave one out."
        if own := self._own_assets_in_schedule():
            yield f"schedule.assets names {', '.join(own)}, which its own runs change: leave it out."
        if problem := source_problem(self.source):
            yield f"source is {self.source!r}. {problem}"
        if repeated := _repeated(self.classes):
            yield f"classes takes {', '.join(map(repr, repeated))} into several classes; name each once."
        if self.validation_fraction + self.test_fraction >= 1:
            yield (
                f"validation_fraction is {self.validation_fraction} and test_fraction {self.test_fraction}; "
                "nothing is left to train on: they must sum to less than 1."
            )
        yield from self.preparation.problems(source=self.source, network_isolation=self.network_isolation)
        yield from self._hyperparameter_problems()
        yield from _tag_problems(self.tags)

    def _own_assets_in_schedule(self) -> list[str]:
        own = {own_asset(self.name, kind) for kind in ("dataset", "model", "endpoint")}
        return sorted(own & set(self.schedule.assets if self.schedule else ()))

    def _hyperparameter_problems(self) -> Iterator[str]:
        hyperparameters = self.hyperparameters
        if hyperparameters.height != hyperparameters.width and not self.pixels.unmodified:
            yield (
                f"hyperparameters.image_shape is {hyperparameters.image_shape}; images are prepared as squares: make "
                "height and width equal, or set pixels.unmodified."
            )
        if hyperparameters.multi_label:
            yield "hyperparameters.multi_label is set; every image has one class, whatever the source: leave it out."

    def _machine_problems(self, field: str, instance_type: str) -> Iterator[str]:
        """Yield what prevents training on `instance_type`, which `training.<field>` names."""
        gpus, mini_batch_size = GPUS.get(instance_type, 1), self.hyperparameters.mini_batch_size
        if instance_type not in TRAINS_ON[self.algorithm]:
            allowed = ", ".join(TRAINS_ON[self.algorithm])
            yield f"training.{field} is {instance_type!r}; {_TRAINS[self.algorithm]}: use one of {allowed}."
        if mini_batch_size % gpus != 0:
            yield (
                f"hyperparameters.mini_batch_size is {mini_batch_size}; the {gpus} GPUs of an {instance_type} share "
                f"it: use a multiple of {gpus}."
            )
        if self.kms_keys.training_volume is not None and instance_type.startswith(LOCAL_STORAGE):
            yield (
                f"kms_keys.training_volume is set; an {instance_type} has storage of its own, which AWS encrypts with "
                "a key of its own: leave it out."
            )
        if gpus > 1 and self.tuning is not None and "mini_batch_size" in self.tuning.ranges:
            yield (
                f"tuning.ranges has mini_batch_size; the {gpus} GPUs of an {instance_type} share it, and a tuning job "
                "also tries values that they cannot share: leave it out."
            )


def _tag_problems(tags: Mapping[str, str]) -> Iterator[str]:
    if not tags.keys().isdisjoint(OUR_TAGS):
        yield f"tags sets one of {', '.join(OUR_TAGS)}, which are ours: use another name."
    if refused := _refused_tags(tags):
        yield (
            f"tags has {', '.join(map(repr, refused))}; AWS refuses it: keys may not begin with aws:, and keys and "
            f"values hold letters, digits, blanks and {' '.join(TAG_MARKS)} only."
        )


def _refused_tags(tags: Mapping[str, str]) -> list[str]:
    """Return the keys and values of tags that AWS refuses."""
    keys = [key for key in tags if key.lower().startswith("aws:") or not _is_tag_text(key)]
    return [*keys, *(value for value in tags.values() if not _is_tag_text(value))]


def _is_tag_text(text: str) -> bool:
    return all(letter in TAG_MARKS or unicodedata.category(letter)[0] in "LNZ" for letter in text)


def _repeated(classes: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Return the source's classes that are assigned to more than one class."""
    taken = Counter(one for found in classes.values() for one in found)
    return [one for one, times in taken.items() if times > 1]
