"""Defines all hyperparameters of one training job, and their spelling in SageMaker's API.

A Dag file does not import this module, which the training step and the algorithm need.
"""

from collections.abc import Iterator, Mapping
from typing import Self

from pydantic import ValidationError

from image_classifier.contracts.errors import HyperparameterError
from image_classifier.contracts.training.hyperparameters import INTEGER, Hyperparameters, Positive
from image_classifier.contracts.training.sentences import problems_of


class JobHyperparameters(Hyperparameters):
    """All hyperparameters of one training job: those that a person sets, and those that the data set determines."""

    num_classes: Positive
    num_training_samples: Positive
    resize: Positive | None = None

    @classmethod
    def from_strings(cls, values: Mapping[str, str]) -> Self:
        """Read the hyperparameters that SageMaker passes to the container.

        Raises:
            HyperparameterError: one sentence per problem, unknown and missing names in the container's own words.

        """
        problems = [*_unexpected(values, cls.model_fields), *_misspelt(values)]
        if problems:
            raise HyperparameterError(" ".join(problems))
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            raise HyperparameterError(" ".join(problems_of(error))) from error

    def as_strings(self) -> dict[str, str]:
        """Return every hyperparameter that is set as a string, as SageMaker's API requires."""
        return {name: _as_string(name, value) for name, value in self if value is not None}

    def _problems(self) -> Iterator[str]:
        yield from super()._problems()
        if self.top_k is not None and self.top_k >= self.num_classes:
            yield f"top_k is {self.top_k}; it must be less than num_classes, {self.num_classes}."
        if self.mini_batch_size > self.num_training_samples:
            yield (
                f"mini_batch_size is {self.mini_batch_size}; the number of input images, {self.num_training_samples}, "
                "must be bigger or equal to it."
            )
        if self.resize is not None and self.resize < self.side_px:
            yield f"resize is {self.resize}; it must be at least the sides of image_shape, {self.image_shape}."


def for_job(
    hyperparameters: Hyperparameters, *, num_classes: int, num_training_samples: int, num_validation_samples: int
) -> JobHyperparameters:
    """Complete a person's hyperparameters with those of the data set, whose images have the side of the image shape.

    Raises:
        HyperparameterError: the data set cannot be trained on with these values; one sentence per problem.

    """
    problems = []
    if hyperparameters.mini_batch_size > num_validation_samples:
        problems.append(
            f"mini_batch_size is {hyperparameters.mini_batch_size}, and there are {num_validation_samples} validation "
            "images; lower it, or give validation more images."
        )
    values = {
        **hyperparameters.model_dump(),
        "num_classes": num_classes,
        "num_training_samples": num_training_samples,
        "resize": hyperparameters.side_px,
    }
    try:
        job = JobHyperparameters.model_validate(values)
    except ValidationError as error:
        raise HyperparameterError(" ".join([*problems_of(error), *problems])) from error
    if problems:
        raise HyperparameterError(" ".join(problems))
    return job


# The algorithm spells booleans 0 and 1, but one of them True and False.
_BOOLEANS = {
    "use_pretrained_model": ("0", "1"),
    "multi_label": ("0", "1"),
    "use_weighted_loss": ("0", "1"),
    "early_stopping": ("False", "True"),
}


def _as_string(name: str, value: object) -> str:
    return _BOOLEANS[name][bool(value)] if name in _BOOLEANS else str(value)


def _unexpected(values: Mapping[str, str], known: Mapping[str, object]) -> list[str]:
    names = [f"'{name}'" for name in values if name not in known]
    if not names:
        return []
    return [
        f"Additional properties are not allowed ({', '.join(names)} {'was' if len(names) == 1 else 'were'} unexpected)."
    ]


def _misspelt(values: Mapping[str, str]) -> list[str]:
    """Return a sentence per value that pydantic accepts and the container refuses, such as "yes" or "3.0"."""
    wrong_booleans = [
        f"{name} is {values[name]!r}; it must be {' or '.join(allowed)}."
        for name, allowed in _BOOLEANS.items()
        if name in values and values[name] not in allowed
    ]
    wrong_integers = [
        f"{name} is {values[name]!r}; it must be a whole number."
        for name, field in JobHyperparameters.model_fields.items()
        if name in values and "int" in str(field.annotation) and not INTEGER.fullmatch(values[name])
    ]
    return [*wrong_booleans, *wrong_integers]
