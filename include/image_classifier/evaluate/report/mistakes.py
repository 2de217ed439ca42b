"""Finds the test images that the model predicts wrongly, and those whose label is probably wrong."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from image_classifier.evaluate.report.measures import DIGITS
from image_classifier.evaluate.report.model import LabelMistakes, Mistake
from image_classifier.evaluate.report.scored import Table

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Counts = NDArray[numpy.float64]

MOST_SHOWN = 24
ROUNDING = 1e-6  # tolerance for probabilities that a model printed with few digits


def most_confident_mistakes(table: Table, labels: Sequence[str]) -> tuple[Mistake, ...]:
    """Return the wrong predictions, the most confident first."""
    import numpy

    wrong = numpy.flatnonzero(~table.right)
    order = wrong[numpy.argsort(-table.confidence[wrong], kind="stable")]
    return tuple(_mistakes(table, order[:MOST_SHOWN], labels))


def label_mistakes(table: Table, labels: Sequence[str]) -> LabelMistakes:
    """Return the images whose label is probably wrong by confident learning, the least probable label first.

    Northcutt, Jiang, Chuang, Confident Learning (JAIR 2021): an image is confidently of class j if its probability of
    j reaches the mean of the images labelled j. The method requires images on which the model was not trained. The
    list has as many images as the counts estimate to be labelled wrongly.
    """
    import numpy

    guess = _confident_class(table)
    confident = guess >= 0
    counts = _counts(table.labels[confident], guess[confident], table.num_classes)
    estimated = _expected_wrong(counts, numpy.bincount(table.labels, minlength=table.num_classes))
    suspects = numpy.flatnonzero(confident & (guess != table.labels) & ~table.right)
    of_label = table.probabilities[numpy.arange(len(table.images)), table.labels]
    margin = of_label - table.confidence
    order = suspects[numpy.argsort(margin[suspects], kind="stable")]
    return LabelMistakes(
        estimated=estimated, images=tuple(_mistakes(table, order[: min(estimated, MOST_SHOWN)], labels))
    )


def _confident_class(table: Table) -> "NDArray[numpy.int64]":
    """Return the class to which each image confidently belongs, or -1; of shape (images,)."""
    import numpy

    thresholds = numpy.full(table.num_classes, numpy.inf)
    for label in numpy.unique(table.labels):
        thresholds[label] = table.probabilities[table.labels == label, label].mean()
    reached = numpy.where(table.probabilities >= thresholds - ROUNDING, table.probabilities, -1)
    return numpy.where((reached >= 0).any(axis=1), reached.argmax(axis=1), -1)


def _counts(given: "NDArray[numpy.int64]", guess: "NDArray[numpy.int64]", num_classes: int) -> "Counts":
    """Return the confident joint: the number of images labelled i (row) that are confidently of class j (column)."""
    import numpy

    counts = numpy.zeros((num_classes, num_classes))
    numpy.add.at(counts, (given, guess), 1)
    numpy.fill_diagonal(counts, counts.diagonal().clip(min=1))
    return counts


def _expected_wrong(counts: "Counts", support: "NDArray[numpy.int64]") -> int:
    """Estimate the number of wrong labels; each row of the joint is scaled to the number of images of its label."""
    joint = counts / counts.sum(axis=1, keepdims=True) * support[:, None]
    return int(joint.sum() - joint.trace() + 0.5)


def _mistakes(table: Table, indices: Iterable[int], labels: Sequence[str]) -> Iterable[Mistake]:
    for index in indices:
        image, predicted = table.images[index], int(table.predicted[index])
        yield Mistake(
            key=image.key,
            name=image.name,
            label=labels[image.label],
            predicted=labels[predicted],
            confidence=round(float(table.confidence[index]), DIGITS),
            label_probability=round(float(table.probabilities[index, image.label]), DIGITS),
        )
