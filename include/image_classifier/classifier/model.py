"""Defines a classifier as its file describes it: what it trains on, how and when, and where it is served."""

import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

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
    refuse_if,
)
from image_classifier.classifier.promotion import Evaluation, Promotion
from image_classifier.classifier.schedule import Schedule, own_asset
from image_classifier.classifier.source import Columns, source_problem
from image_classifier.classifier.tuning import Tuning
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.contracts.training.hyperparameters import Hyperparameters
from image_classifier.contracts.training.sentences import pattern, problems_of

LONGEST_SOURCE = 4096  # Linux' longest path; an S3 address has 63 + 1,024 characters at most
Pattern = Annotated[str, Field(min_length=1, max_length=1024)]  # of fnmatch, as aws s3 sync takes them
ClassName = Annotated[str, Field(min_length=1, max_length=255)]
NAME = pattern(
    f"^{CLASSIFIER_NAME.pattern}$",
    "A name has 1 to 24 lower-case letters, digits and hyphens, begins with a letter and does not end with a hyphen",
)
# AWS: letters, digits and white space of every script, and _ . : / = + - @; keys that begin with aws: are AWS's own.
# Source: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
TAG_MARKS = "_.:/=+-@"
_TRAINS = {
    "builtin": "the built-in algorithm trains on GPUs only (algorithm: own does not)",
    "own": "one's own image trains on a processor or on one GPU",
}


class Classifier(Part):
    """One classifier. Its name is the file's; everything else is in the file."""

    name: Annotated[str, Field(pattern=NAME)]
    description: str = ""
    source: Annotated[str, Field(min_length=1, max_length=LONGEST_SOURCE)]
    layout: Literal["classes", "splits"] | None = None  # what the source's top folders are, where it is not clear
    columns: Columns = Field(default_factory=Columns)  # of a source that is a list of images
    include: tuple[Pattern, ...] = ()  # names below the source that are used; all if there is none
    exclude: tuple[Pattern, ...] = ()
    classes: dict[ClassName, Annotated[tuple[ClassName, ...], Field(min_length=1)]] = Field(default_factory=dict)
    requester_pays: bool = False  # of an S3 source: this account pays for reading it
    max_left_out: Annotated[float, Field(ge=0, lt=1)] = 0.1  # share of the files that may be rejected
    schedule: Schedule | None = None  # a cron expression alone stands for its `cron`
    retrain_after_corrections: Annotated[int, Field(ge=1)] | None = None  # accepted ones, since the model was trained
    algorithm: Literal["builtin", "own"] = "builtin"  # own: the open program, in the image that the deployment names
    pixels: Pixels = ALL_DEFAULTS
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    test_fraction: Annotated[float, Field(ge=0, lt=1)] = (
        0.1  # taken out of train, if the source has no test/ of its own
    )
    seed: Annotated[int, Field(ge=0)] = 0
    hyperparameters: Hyperparameters = ALL_DEFAULTS
    training: Training = ALL_DEFAULTS
    tuning: Tuning | None = None  # without it a run trains once
    endpoint: Endpoint = ALL_DEFAULTS
    evaluation: Evaluation = ALL_DEFAULTS
    promotion: Promotion = ALL_DEFAULTS
    calibrate: bool = False  # divide the logits by the temperature that was fitted on validation images
    unsure_below: Annotated[float, Field(ge=0, le=1)] | Literal["auto"] = 0.5  # auto: the report's proposal
    max_cost_usd: Annotated[float, Field(ge=0, allow_inf_nan=False)] | None = None  # until its endpoint is a day old
    aws_conn_id: Annotated[str, Field(min_length=1)] = "aws_default"
    vpc_config: VpcConfig | None = None
    kms_keys: KmsKeys = ALL_DEFAULTS
    network_isolation: bool = False
    notify: Notify | None = None
    trigger: Literal["direct", "queue", "paused"] = "direct"  # how uploads reach the function
    watch: Literal["restore", "report"] = "restore"  # what the watch Dag does about changes that others made
    tags: dict[Annotated[str, Field(min_length=1, max_length=128)], Annotated[str, Field(max_length=256)]] = Field(
        default_factory=dict,
        max_length=50 - len(OUR_TAGS),  # AWS allows 50
    )

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a classifier file; the classifier's name is the file's, without its ending.

        Raises:
            ClassifierFileError: names the file and every field to fix.

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
        """The same classifier with other values, checked again; ``{"training": {"spot": True}}`` changes one field.

        Raises:
            ClassifierFileError: names every value to fix.

        """
        values = self.model_dump()
        for name, value in changes.items():
            values[name] = {**values[name], **value} if isinstance(value, Mapping) else value
        try:
            return type(self).model_validate(values)
        except ValidationError as error:
            message = f"Classifier {self.name} cannot run with these params. {' '.join(problems_of(error))}"
            raise ClassifierFileError(message) from error

    @model_validator(mode="after")
    def _agree(self) -> Self:
        hyperparameters, refused = self.hyperparameters, _refused_tags(self.tags)
        repeated = _repeated(self.classes)
        follows = self.schedule.assets if self.schedule else ()
        own = sorted(set(follows) & {own_asset(self.name, kind) for kind in ("dataset", "model", "endpoint")})
        checks = {
            "training.start_from is champion, and tuning starts each of its jobs from nothing: leave one out.": (
                self.tuning is not None and self.training.start_from == "champion"
            ),
            f"schedule.assets names {', '.join(own)}, which its own runs change: leave it out.": bool(own),
            f"source is {self.source!r}. {source_problem(self.source)}": source_problem(self.source) is not None,
            f"classes takes {', '.join(map(repr, repeated))} into several classes; name each once.": bool(repeated),
            f"hyperparameters.image_shape is {hyperparameters.image_shape}; images are prepared as "
            "squares: make height and width equal, or set pixels.unmodified.": (
                hyperparameters.height != hyperparameters.width and not self.pixels.unmodified
            ),
            f"validation_fraction is {self.validation_fraction} and test_fraction {self.test_fraction}; "
            "nothing is left to train on: they must sum to less than 1.": self.validation_fraction + self.test_fraction
            >= 1,
            "hyperparameters.multi_label is set; a folder per class gives every image one label: leave it out.": (
                hyperparameters.multi_label
            ),
            f"tags sets one of {', '.join(OUR_TAGS)}, which are ours: use another name.": (
                not self.tags.keys().isdisjoint(OUR_TAGS)
            ),
            f"tags has {', '.join(map(repr, refused))}; AWS refuses it: keys may not begin with aws:, and keys and "
            f"values hold letters, digits, blanks and {' '.join(TAG_MARKS)} only.": bool(refused),
        }
        refuse_if({**self._machine_checks("instance_type", self.training.instance_type), **checks})
        refuse_if(dict.fromkeys(self.tuning.problems(hyperparameters) if self.tuning else (), True))
        for instance_type in self.training.instance_type_fallbacks:
            refuse_if(self._machine_checks("instance_type_fallbacks", instance_type))
        return self

    def _machine_checks(self, field: str, instance_type: str) -> dict[str, bool]:
        """What would be wrong with training on this machine, the favourite or one that stands in for it."""
        gpus, mini_batch_size = GPUS.get(instance_type, 1), self.hyperparameters.mini_batch_size
        return {
            f"training.{field} is {instance_type!r}; {_TRAINS[self.algorithm]}: use one of "
            f"{', '.join(TRAINS_ON[self.algorithm])}.": instance_type not in TRAINS_ON[self.algorithm],
            f"hyperparameters.mini_batch_size is {mini_batch_size}; the {gpus} GPUs of an "
            f"{instance_type} share it: use a multiple of {gpus}.": (mini_batch_size % gpus != 0),
            f"kms_keys.training_volume is set; an {instance_type} has storage of its own, which AWS "
            "encrypts itself: leave it out.": (
                self.kms_keys.training_volume is not None and instance_type.startswith(LOCAL_STORAGE)
            ),
            f"tuning.ranges has mini_batch_size; the {gpus} GPUs of an {instance_type} share it, and a tuning job also "
            "tries values that they cannot share: leave it out.": (
                gpus > 1 and self.tuning is not None and "mini_batch_size" in self.tuning.ranges
            ),
        }


def _refused_tags(tags: Mapping[str, str]) -> list[str]:
    """The keys and values of tags that AWS does not take."""
    keys = [key for key in tags if key.lower().startswith("aws:") or not _is_tag_text(key)]
    return [*keys, *(value for value in tags.values() if not _is_tag_text(value))]


def _is_tag_text(text: str) -> bool:
    return all(letter in TAG_MARKS or unicodedata.category(letter)[0] in "LNZ" for letter in text)


def _repeated(classes: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Classes of the source that several classes would take."""
    taken = Counter(one for found in classes.values() for one in found)
    return [one for one, times in taken.items() if times > 1]
