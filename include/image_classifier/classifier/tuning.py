"""Defines the part of a classifier's file about hyperparameter tuning: ranges, strategy and number of jobs.

Source of the tunable hyperparameters and their limits:
https://docs.aws.amazon.com/sagemaker/latest/dg/IC-tuning.html
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from image_classifier.classifier.parts import Part, refuse
from image_classifier.contracts.training.hyperparameters import Hyperparameters
from image_classifier.contracts.training.sentences import problems_of


class Limits(NamedTuple):
    """The range within which a number can be tuned; ``kind`` is SageMaker's name of its type."""

    kind: Literal["Continuous", "Integer"]
    low: float
    high: float


NUMBERS: Mapping[str, Limits] = MappingProxyType(
    {
        "learning_rate": Limits("Continuous", 1e-6, 0.5),
        "mini_batch_size": Limits("Integer", 8, 512),
        "momentum": Limits("Continuous", 0.0, 0.999),
        "weight_decay": Limits("Continuous", 0.0, 0.999),
        "beta_1": Limits("Continuous", 1e-6, 0.999),
        "beta_2": Limits("Continuous", 1e-6, 0.999),
        "eps": Limits("Continuous", 1e-8, 1.0),
        "gamma": Limits("Continuous", 1e-8, 0.999),
    }
)
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType({"optimizer": ("sgd", "adam", "rmsprop", "nag")})

USED_BY: Mapping[str, tuple[str, ...]] = MappingProxyType(  # optimizers; all use the others
    {
        "momentum": ("sgd", "nag"),
        "weight_decay": ("sgd", "nag"),
        "beta_1": ("adam",),
        "beta_2": ("adam",),
        "eps": ("adam", "rmsprop"),
        "gamma": ("rmsprop",),
    }
)


class Numbers(Part):
    """The smallest and the largest value to search, and SageMaker's scaling of the values in between."""

    min: float
    max: float
    scaling: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = "Auto"

    @model_validator(mode="after")
    def _agree(self) -> Self:
        refuse(self._problems())
        return self

    def _problems(self) -> Iterator[str]:
        if self.min >= self.max:
            yield f"min is {self.min:g} and max {self.max:g}; min must be less."
        if self.scaling == "Logarithmic" and self.min <= 0:
            yield f"scaling is Logarithmic and min {self.min:g}; it must be more than 0."
        if self.scaling == "ReverseLogarithmic" and not 0 <= self.min < self.max < 1:
            yield f"scaling is ReverseLogarithmic, from {self.min:g} to {self.max:g}; it needs 0 <= min < max < 1."


Choices = Annotated[tuple[str, ...], Field(min_length=2, max_length=10)]
Ranges = Annotated[dict[str, Numbers | Choices], Field(min_length=1, max_length=len(NUMBERS) + len(CHOICES))]


def _default_ranges() -> dict[str, Any]:
    return {
        "learning_rate": Numbers(min=0.0001, max=0.1, scaling="Logarithmic"),
        "weight_decay": Numbers(min=0.00001, max=0.01, scaling="Logarithmic"),
    }


class Tuning(Part):
    """A search for better hyperparameters by training several times.

    Attributes:
        enabled: whether a run tunes unless its params change it.
        max_jobs: largest number of training jobs of a run; the first has the hyperparameters of the classifier's file.
        max_parallel: number of jobs that run at once. With fewer, a Bayesian search learns more from each.
        early_stopping: whether AWS stops a job that is worse than the median of the others.
        finalists: number of the tuner's best models that are scored on the validation images, beside the first job's.

    """

    enabled: bool = True
    strategy: Literal["Bayesian", "Random"] = Field(default="Bayesian", title="Strategy")
    max_jobs: Annotated[int, Field(ge=2, le=100)] = 10
    max_parallel: Annotated[int, Field(ge=1, le=10)] = 2
    early_stopping: bool = False
    finalists: Annotated[int, Field(ge=1, le=10)] = 3
    ranges: Ranges = Field(default_factory=_default_ranges)

    @property
    def tuned_jobs(self) -> int:
        """Return the largest number of training jobs that the tuning job starts."""
        return self.max_jobs - 1

    def advice(self, hyperparameters: Hyperparameters) -> tuple[str, ...]:
        """Return a sentence if hyperparameters are searched that no optimizer of the search uses."""
        choices = self.ranges.get("optimizer")
        tried = choices if isinstance(choices, tuple) else (hyperparameters.optimizer,)
        unused = [name for name in self.ranges if not set(tried).intersection(USED_BY.get(name, tried))]
        if not self.enabled or not unused:
            return ()
        return (
            f"Advice: leave {' and '.join(unused)} out of `tuning.ranges`: without effect on {' or '.join(tried)}, and "
            "jobs that differ in nothing else are paid for in vain.",
        )

    def problems(self, hyperparameters: Hyperparameters) -> list[str]:
        """Return a sentence per end of a range that does not fit the classifier's other hyperparameters."""
        found = []
        for name, value in self.ends():
            try:
                Hyperparameters.model_validate({**hyperparameters.model_dump(), name: value})
            except ValidationError as error:
                found.append(f"tuning.ranges.{name} holds {value}. {' '.join(problems_of(error))}")
        return found

    def ends(self) -> Iterator[tuple[str, float | str]]:
        """Yield (hyperparameter, value) for the smallest and the largest value of each number, and for every choice."""
        for name, searched in self.ranges.items():
            if isinstance(searched, Numbers):
                whole = NUMBERS[name].kind == "Integer"
                yield from ((name, int(end) if whole else end) for end in (searched.min, searched.max))
            else:
                yield from ((name, choice) for choice in searched)

    @field_validator("ranges", mode="before")
    @classmethod
    def _check_kinds(cls, ranges: Any) -> Any:
        """Say which kind of range a hyperparameter has: pydantic would name what both kinds lack."""
        given = ranges.items() if isinstance(ranges, Mapping) else ()
        refuse(problem for name, searched in given if (problem := _problem_of_kind(name, searched)))
        return ranges

    @model_validator(mode="after")
    def _agree(self) -> Self:
        refuse(problem for name, searched in self.ranges.items() if (problem := _problem(name, searched)))
        return self


def _problem_of_kind(name: str, searched: Any) -> str | None:
    if name in NUMBERS and not isinstance(searched, Mapping | Numbers):
        return f"tuning.ranges.{name} must have a min and a max within {_within(name)}."
    if name in CHOICES and not isinstance(searched, list | tuple):
        return f"tuning.ranges.{name} must be a list of some of {', '.join(CHOICES[name])}."
    return None


def _within(name: str) -> str:
    return f"{NUMBERS[name].low:g} and {NUMBERS[name].high:g}"


def _problem(name: str, searched: Numbers | tuple[str, ...]) -> str | None:
    """Return a sentence on what is wrong with one range, or None if it is valid."""
    if name not in {*NUMBERS, *CHOICES}:
        return f"tuning.ranges has {name}, which cannot be tuned; these can: {', '.join([*NUMBERS, *CHOICES])}."
    if name in CHOICES:
        known = ", ".join(CHOICES[name])
        if isinstance(searched, Numbers) or not set(searched) <= set(CHOICES[name]):
            return f"tuning.ranges.{name} must be a list of some of {known}."
        return f"tuning.ranges.{name} names a value twice." if len(set(searched)) < len(searched) else None
    limits = NUMBERS[name]
    if not isinstance(searched, Numbers) or searched.min < limits.low or searched.max > limits.high:
        return f"tuning.ranges.{name} must have a min and a max within {_within(name)}."
    if limits.kind == "Integer" and not (searched.min.is_integer() and searched.max.is_integer()):
        return f"tuning.ranges.{name} must have whole numbers."
    return None
