"""Defines the built-in algorithm's hyperparameters: their limits, how they depend on each other, and their spelling.

AWS publishes no schema, and the container checks them only after the instance has started and costs money; so the
documented table is checked here. The trigger form is generated from these fields.
"""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from image_classifier.contracts.training.sentences import pattern

PRETRAINED_NUM_LAYERS = (18, 34, 50, 101, 152, 200)
COLOUR_CHANNELS, GREY_CHANNELS = 3, 1


def _integer(value: object) -> object:
    """Convert text to an integer: SageMaker and the trigger form send text, which pydantic refuses for a Literal."""
    return int(value) if isinstance(value, str) and INTEGER.fullmatch(value) else value


INTEGER = re.compile(r"[0-9]+")
_SHAPE = pattern(r"^[1-9][0-9]*,[1-9][0-9]*,[1-9][0-9]*$", "Give channels, height and width, such as 3,224,224")
_EPOCHS = pattern(r"^[1-9][0-9]*(,[1-9][0-9]*)*$", "Give epochs, such as 10,20")
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1)]
_MODEL: JsonDict = {"section": "Model"}
_TRAINING: JsonDict = {"section": "Training"}
_OPTIMIZER: JsonDict = {"section": "Optimizer"}
_STOPPING: JsonDict = {"section": "Early stopping and checkpoints"}


class Hyperparameters(BaseModel):
    """The hyperparameters that a person may set, with the documented defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    num_layers: Annotated[Literal[18, 34, 50, 101, 152, 200, 20, 32, 44, 56, 110], BeforeValidator(_integer)] = Field(
        default=152,
        title="Layers",
        description="Depth of the ResNet: 18, 34, 50, 101, 152 or 200 for images of about 224 pixels, "
        "20, 32, 44, 56 or 110 for images of about 28 pixels.",
        json_schema_extra=_MODEL,
    )
    image_shape: str = Field(
        default="3,224,224",
        title="Image shape",
        description="Channels, height and width of the images the network sees, such as 3,224,224. One channel means "
        "grey images; users report that these train, and then fail at the built-in algorithm's endpoint.",
        pattern=_SHAPE,
        json_schema_extra=_MODEL,
    )
    use_pretrained_model: bool = Field(
        default=False,
        title="Use a pretrained model",
        description="Start from weights trained on ImageNet; only the last layer starts with random weights. Made for "
        "3,224,224.",
        json_schema_extra=_MODEL,
    )
    multi_label: bool = Field(
        default=False,
        title="Multi-label",
        description="An image may have several labels; the probabilities do not add up to one.",
        json_schema_extra=_MODEL,
    )
    use_weighted_loss: bool = Field(
        default=False,
        title="Weighted loss",
        description="Weigh the loss by how frequent a class is. Only with multi-label.",
        json_schema_extra=_MODEL,
    )
    precision_dtype: Literal["float32", "float16"] = Field(
        default="float32",
        title="Precision",
        description="Number format of the weights.",
        json_schema_extra=_MODEL,
    )
    epochs: Positive = Field(
        default=30,
        title="Epochs",
        description="Passes over the training images.",
        json_schema_extra=_TRAINING,
    )
    mini_batch_size: Positive = Field(
        default=32,
        title="Batch size",
        description="Images per step and machine, shared by its GPUs. At most the number of training images, and of "
        "validation images.",
        json_schema_extra=_TRAINING,
    )
    learning_rate: Fraction = Field(
        default=0.1,
        title="Learning rate",
        description="First step size; 0.01 or 0.001 suits a pretrained model.",
        json_schema_extra=_TRAINING,
    )
    lr_scheduler_factor: Fraction = Field(
        default=0.1,
        title="Learning rate factor",
        description="The learning rate is multiplied by it at each learning rate step.",
        json_schema_extra=_TRAINING,
    )
    lr_scheduler_step: str | None = Field(
        default=None,
        title="Learning rate steps",
        description="Epochs at which the learning rate changes, such as 10,20.",
        pattern=_EPOCHS,
        coerce_numbers_to_str=True,  # YAML reads a single epoch as a number
        json_schema_extra=_TRAINING,
    )
    augmentation_type: Literal["crop", "crop_color", "crop_color_transform"] | None = Field(
        default=None,
        title="Augmentation",
        description="Vary the training images. Every kind also flips left and right: wrong for text.",
        json_schema_extra=_TRAINING,
    )
    top_k: Annotated[int, Field(ge=2)] | None = Field(
        default=None,
        title="Top k",
        description="Also report how often the right class is among the k most likely.",
        json_schema_extra=_TRAINING,
    )
    kv_store: Literal["dist_sync", "dist_async"] | None = Field(
        default=None,
        title="Synchronization",
        description="How several machines share the weights.",
        json_schema_extra=_TRAINING,
    )
    optimizer: Literal["sgd", "adam", "rmsprop", "nag"] = Field(
        default="sgd",
        title="Optimizer",
        description="How the weights are changed.",
        json_schema_extra=_OPTIMIZER,
    )
    momentum: Fraction = Field(
        default=0.9, title="Momentum", description="For sgd and nag.", json_schema_extra=_OPTIMIZER
    )
    weight_decay: Fraction = Field(
        default=0.0001,
        title="Weight decay",
        description="For sgd and nag.",
        json_schema_extra=_OPTIMIZER,
    )
    beta_1: Fraction = Field(default=0.9, title="Beta 1", description="For adam.", json_schema_extra=_OPTIMIZER)
    beta_2: Fraction = Field(default=0.999, title="Beta 2", description="For adam.", json_schema_extra=_OPTIMIZER)
    eps: Fraction = Field(
        default=1e-8, title="Epsilon", description="For adam and rmsprop.", json_schema_extra=_OPTIMIZER
    )
    gamma: Fraction = Field(default=0.9, title="Gamma", description="For rmsprop.", json_schema_extra=_OPTIMIZER)
    early_stopping: bool = Field(
        default=False,
        title="Early stopping",
        description="Stop when the validation accuracy no longer improves.",
        json_schema_extra=_STOPPING,
    )
    early_stopping_min_epochs: Positive = Field(
        default=10,
        title="Earliest stop",
        description="Epochs before early stopping may act; as many as all epochs means never.",
        json_schema_extra=_STOPPING,
    )
    early_stopping_patience: Positive = Field(
        default=5,
        title="Patience",
        description="Epochs without improvement before early stopping acts.",
        json_schema_extra=_STOPPING,
    )
    early_stopping_tolerance: Fraction = Field(
        default=0.0,
        title="Tolerance",
        description="Relative gain in accuracy that counts as improvement.",
        json_schema_extra=_STOPPING,
    )
    checkpoint_frequency: Positive | None = Field(
        default=None,
        title="Checkpoint frequency",
        description="Store the model every so many epochs. All go into the model artifact; unset stores the best.",
        json_schema_extra=_STOPPING,
    )

    @property
    def channels(self) -> int:
        return self._shape[0]

    @property
    def height(self) -> int:
        return self._shape[1]

    @property
    def width(self) -> int:
        return self._shape[2]

    @property
    def side_px(self) -> int:
        """Return the longer side of the image shape, in pixels."""
        return max(self.height, self.width)

    @property
    def lr_steps(self) -> tuple[int, ...]:
        return tuple(int(step) for step in (self.lr_scheduler_step or "").split(",") if step)

    @property
    def _shape(self) -> tuple[int, int, int]:
        channels, height, width = (int(number) for number in self.image_shape.split(","))
        return channels, height, width

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if problems := " ".join(self._problems()):
            raise ValueError(problems)
        return self

    def _problems(self) -> Iterator[str]:
        if self.channels not in (COLOUR_CHANNELS, GREY_CHANNELS):
            yield (
                f"image_shape is {self.image_shape}, which has {self.channels} channels; images have "
                f"{COLOUR_CHANNELS}, or {GREY_CHANNELS} in grey."
            )
        if self.use_pretrained_model and self.channels == GREY_CHANNELS:
            yield (
                "use_pretrained_model needs colour, as its weights come from colour images; image_shape is "
                f"{self.image_shape}: make it {COLOUR_CHANNELS},{self.height},{self.width}."
            )
        if self.use_pretrained_model and self.num_layers not in PRETRAINED_NUM_LAYERS:
            yield f"use_pretrained_model needs num_layers of {PRETRAINED_NUM_LAYERS}; num_layers is {self.num_layers}."
        if self.use_weighted_loss and not self.multi_label:
            yield "use_weighted_loss works only with multi_label; set multi_label, or leave it out."
        if list(self.lr_steps) != sorted(set(self.lr_steps)):
            yield f"lr_scheduler_step is {self.lr_scheduler_step}; its epochs must grow."
        if max(self.lr_steps, default=0) >= self.epochs:
            yield (
                f"lr_scheduler_step is {self.lr_scheduler_step}; its epochs must be less than epochs, {self.epochs}."
            )
        if (self.checkpoint_frequency or 0) > self.epochs:
            yield f"checkpoint_frequency is {self.checkpoint_frequency}; it must be at most epochs, {self.epochs}."
