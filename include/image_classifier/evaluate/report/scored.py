"""Defines the table that a report is computed from: images, their true classes and the model's probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from image_classifier.contracts.errors import PredictionError

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

SUM_TOLERANCE = 0.01  # tolerance for probabilities that a model printed with few digits


@dataclass(frozen=True)
class ScoredImage:
    """One image of the test set.

    Attributes:
        key: S3 key of the prepared image.
        label: index of its true class.
        probabilities: the model's answer, one number per class, by class index.
        name: path of the file in the source, below its split.
        width, height: size of the source image, in pixels.
        brightness: mean of its grey values, from 0 to 255.

    """

    key: str
    label: int
    probabilities: Sequence[float]
    name: str = ""
    width: int | None = None
    height: int | None = None
    brightness: float | None = None


@dataclass(frozen=True)
class Table:
    """Scored images as arrays; ``labels`` has shape (images,), ``probabilities`` (images, classes)."""

    images: tuple[ScoredImage, ...]
    num_classes: int

    @cached_property
    def labels(self) -> "NDArray[numpy.int64]":
        import numpy

        return numpy.array([image.label for image in self.images], dtype=numpy.int64)

    @cached_property
    def probabilities(self) -> "NDArray[numpy.float64]":
        """Return the probabilities, scaled so that every row sums to one; of shape (images, classes)."""
        import numpy

        rows = numpy.array([image.probabilities for image in self.images], dtype=numpy.float64)
        rows = rows.reshape(len(self.images), self.num_classes)
        normed: NDArray[numpy.float64] = rows / rows.sum(axis=1, keepdims=True)
        return normed

    @cached_property
    def predicted(self) -> "NDArray[numpy.int64]":
        """Return the index of each image's likeliest class, of equal ones the first; of shape (images,)."""
        return self.probabilities.argmax(axis=1)  # type: ignore[no-any-return]

    @cached_property
    def confidence(self) -> "NDArray[numpy.float64]":
        return self.probabilities.max(axis=1)  # type: ignore[no-any-return]

    @cached_property
    def right(self) -> "NDArray[numpy.bool_]":
        return self.predicted == self.labels  # type: ignore[no-any-return]


def scored_table(images: Sequence[ScoredImage], *, num_classes: int) -> Table:
    """Return the table of these images.

    Raises:
        PredictionError: an answer is not one probability per class, or a class index is not one of the model's.

    """
    for image in images:
        if problem := _problem(image, num_classes):
            message = f"The evaluation of {image.key} cannot be used: {problem}. Was it made by this model?"
            raise PredictionError(message)
    return Table(tuple(images), num_classes)


def _problem(image: ScoredImage, num_classes: int) -> str | None:
    if len(image.probabilities) != num_classes:
        return f"the answer has {len(image.probabilities)} numbers and the model has {num_classes} classes"
    if not all(
        0 <= value <= 1 + SUM_TOLERANCE for value in image.probabilities
    ):  # the comparison is also false for NaN
        return "the answer has a number that is no probability"
    if abs((total := sum(image.probabilities)) - 1) > SUM_TOLERANCE:
        return f"its probabilities sum to {total:.3f} instead of 1"
    if not 0 <= image.label < num_classes:
        return f"its class index is {image.label} and the model has {num_classes} classes"
    return None
