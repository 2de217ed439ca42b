"""A classifier as its file describes it: what to train on, how, where it is served, and when it is trained again."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from image_classifier.errors import ClassifierFileError
from image_classifier.hyperparameters import Hyperparameters, problems_of
from image_classifier.instance_types import GPUS, LOCAL_STORAGE, TRAINS_ON
from image_classifier.names import CLASSIFIER_NAME, TAG

FOLDERS_VARIABLE = "IMAGE_CLASSIFIER_CLASSIFIERS"
SHIPPED_FOLDER = Path(__file__).parents[1] / "classifiers"
ONE_DAY_S = 86_400
LONGEST_JOB_S = 28 * ONE_DAY_S  # SageMaker's own limit

_TRAINS = {
    "builtin": "the built-in algorithm trains on GPUs only (algorithm: own does not)",
    "own": "one's own image trains on a processor or on one GPU",
}

KmsKey = Annotated[str, Field(pattern=r"^[a-zA-Z0-9:/_-]{1,2048}$")]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9-]+$")]
InstanceCount = Annotated[int, Field(ge=1, le=100)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Pixels(_Part):
    """How an image becomes the square the network sees, alike in training and at the endpoint."""

    fit: Literal["pad", "crop"] = "pad"
    jpeg_quality: Annotated[int, Field(ge=50, le=100)] = 90
    as_is: bool = False  # gives up that both sides see the same pixels


class Training(_Part):
    """The machines of a training job, and how long it may cost money."""

    instance_type: InstanceType = "ml.g4dn.xlarge"
    instance_count: InstanceCount = 1
    volume_size_gb: Annotated[int, Field(ge=10, le=16_384)] = 50
    time_limit_s: Annotated[int, Field(ge=60, le=LONGEST_JOB_S)] = 7200
    spot: bool = False
    max_wait_s: Annotated[int, Field(ge=60, le=LONGEST_JOB_S)] | None = None  # only with spot: waiting and training

    @model_validator(mode="after")
    def _agree(self) -> Self:
        checks = {
            "training.max_wait_s works only with spot; set training.spot, or leave it out.": (
                self.max_wait_s is not None and not self.spot
            ),
            "training.spot needs training.max_wait_s: the seconds to wait for a machine and to train, together.": (
                self.spot and self.max_wait_s is None
            ),
            f"training.max_wait_s is {self.max_wait_s}; it must be at least time_limit_s, {self.time_limit_s}.": (
                self.max_wait_s is not None and self.max_wait_s < self.time_limit_s
            ),
        }
        _refuse_if(checks)
        return self


class Endpoint(_Part):
    """The machines that answer."""

    instance_type: InstanceType = "ml.m5.large"
    instance_count: InstanceCount = 1


class VpcConfig(_Part):
    """The private network that training jobs and the model run in."""

    security_group_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=5)]
    subnets: Annotated[tuple[str, ...], Field(min_length=1, max_length=16)]


class KmsKeys(_Part):
    """Keys of one's own for what AWS stores; unset uses the bucket's and the service's default encryption."""

    model_artifact: KmsKey | None = None
    training_volume: KmsKey | None = None
    endpoint_volume: KmsKey | None = None


class Classifier(_Part):
    """One classifier. Its name is the file's; everything else is in the file."""

    name: Annotated[str, Field(pattern=f"^{CLASSIFIER_NAME.pattern}$")]
    description: str = ""
    source: Annotated[str, Field(min_length=1)]
    schedule: Annotated[str, Field(pattern=r"^(@\w+|\S+( \S+){4})$")] | None = None
    algorithm: Literal["builtin", "own"] = "builtin"  # own: the open program, in the image that the deployment names
    pixels: Pixels = Field(default_factory=Pixels)
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.2
    seed: Annotated[int, Field(ge=0)] = 0
    hyperparameters: Hyperparameters = Field(default_factory=Hyperparameters)
    training: Training = Field(default_factory=Training)
    endpoint: Endpoint = Field(default_factory=Endpoint)
    unsure_below: Annotated[float, Field(ge=0, le=1)] = 0.5
    aws_conn_id: Annotated[str, Field(min_length=1)] = "aws_default"
    vpc_config: VpcConfig | None = None
    kms_keys: KmsKeys = Field(default_factory=KmsKeys)
    network_isolation: bool = False
    tags: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=128)], Annotated[str, Field(max_length=256)]],
        Field(max_length=49),  # AWS allows 50; one is ours
    ] = {}

    @classmethod
    def from_file(cls, path: Path) -> Self:
        """Read a classifier file; the classifier's name is the file's, without its ending.

        Raises:
            ClassifierFileError: names the file and every field to fix.

        """
        content = _read(path)
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

    def with_run_params(self, params: Mapping[str, Any]) -> Self:
        """The classifier as one run wants it; see `run_params.changes`.

        Raises:
            ClassifierFileError: names every param to fix.

        """
        from image_classifier import run_params  # which reads this module's models

        return self.revised(run_params.changes(params))

    @model_validator(mode="after")
    def _agree(self) -> Self:
        hyperparameters, instance_type = self.hyperparameters, self.training.instance_type
        gpus = GPUS.get(instance_type, 1)
        checks = {
            f"training.instance_type is {instance_type!r}; {_TRAINS[self.algorithm]}: use one of "
            f"{', '.join(TRAINS_ON[self.algorithm])}.": instance_type not in TRAINS_ON[self.algorithm],
            f"source is {self.source!r}; an S3 source reads s3://bucket/prefix/.": (
                self.source.startswith("s3:") and not _is_s3_prefix(self.source)
            ),
            f"hyperparameters.image_shape is {hyperparameters.image_shape}; images are prepared as "
            "squares: make height and width equal, or set pixels.as_is.": (
                hyperparameters.height != hyperparameters.width and not self.pixels.as_is
            ),
            "hyperparameters.multi_label is set; a folder per class gives every image one label: leave it out.": (
                hyperparameters.multi_label
            ),
            f"hyperparameters.mini_batch_size is {hyperparameters.mini_batch_size}; the {gpus} GPUs of an "
            f"{instance_type} share it: use a multiple of {gpus}.": (hyperparameters.mini_batch_size % gpus != 0),
            f"kms_keys.training_volume is set; an {instance_type} has storage of its own, which AWS "
            "encrypts itself: leave it out.": (
                self.kms_keys.training_volume is not None and instance_type.startswith(LOCAL_STORAGE)
            ),
            f"tags sets {TAG}, which is ours: use another name.": TAG in self.tags,
        }
        _refuse_if(checks)
        return self


def classifier_folders(environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where classifier files are: the folders of IMAGE_CLASSIFIER_CLASSIFIERS, or the one shipped beside the code."""
    listed = [Path(folder) for folder in environ.get(FOLDERS_VARIABLE, "").split(os.pathsep) if folder]
    return listed or [SHIPPED_FOLDER]


def classifier_files(folders: Iterable[Path]) -> list[Path]:
    """Every classifier file, sorted; reading one is left to the caller, so that a broken one stands alone."""
    return sorted(file for folder in folders for file in folder.glob("*.yaml"))


class _Loader(yaml.SafeLoader):
    """YAML keeps the last of two equal keys and says nothing; this refuses the second."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        names = [self.construct_object(key, deep=True) for key, _ in node.value]
        if repeated := sorted({str(name) for name in names if names.count(name) > 1}):
            raise yaml.constructor.ConstructorError(None, None, f"{', '.join(repeated)} given twice", node.start_mark)
        return super().construct_mapping(node, deep=deep)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ClassifierFileError(f"{path} cannot be read as YAML: {error}. Fix that line.") from error
    if not isinstance(content, dict):
        raise ClassifierFileError(f"{path} holds {content!r}; it must hold fields, at least source: <folder>.")
    return content


def _is_s3_prefix(source: str) -> bool:
    bucket, _, prefix = source.removeprefix("s3://").partition("/")
    return source.startswith("s3://") and bool(bucket) and (not prefix or prefix.endswith("/")) and source.endswith("/")


def _refuse_if(checks: Mapping[str, bool]) -> None:
    if problems := [sentence for sentence, wrong in checks.items() if wrong]:
        raise ValueError(" ".join(problems))
