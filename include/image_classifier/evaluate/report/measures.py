"""Computes top-k accuracy, log loss, figures per class and the confusion matrix."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from image_classifier.evaluate.proportions import Proportion, proportion
from image_classifier.evaluate.report.model import ClassFigures, Confusion, TopK
from image_classifier.evaluate.report.scored import Table

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

TOP = (3, 5)
MOST_CONFUSED = 10
DIGITS = 6  # decimal places of every figure in report.json


def accuracy(table: Table) -> Proportion:
    return proportion(int(table.right.sum()), len(table.images))


def top_k(table: Table) -> tuple[TopK, ...]:
    """Return the top-k accuracy for k of 3 and 5, if there are more than k classes."""
    from sklearn.metrics import top_k_accuracy_score

    classes, total = range(table.num_classes), len(table.images)
    return tuple(
        TopK(k=k, accuracy=proportion(int(right), total))
        for k in TOP
        if k < table.num_classes
        for right in [top_k_accuracy_score(table.labels, table.probabilities, k=k, labels=classes, normalize=False)]
    )


def log_loss(labels: "NDArray[numpy.int64]", probabilities: "NDArray[numpy.float64]") -> float:
    """Return the mean of -log of the true class's probability; shapes: (images,) and (images, classes)."""
    from sklearn.metrics import log_loss as computed

    return round(float(computed(labels, probabilities, labels=range(probabilities.shape[1]))), DIGITS)


def per_class(table: Table, labels: Sequence[str]) -> tuple[ClassFigures, ...]:
    """Return precision, recall and F1 of each class, in the order of the labels."""
    from numpy import nan
    from sklearn.metrics import precision_recall_fscore_support

    classes, matrix = range(table.num_classes), confusion_matrix(table)
    figures = precision_recall_fscore_support(table.labels, table.predicted, labels=classes, zero_division=nan)
    return tuple(
        ClassFigures(
            label=label,
            support=int(support),
            predicted=sum(row[index] for row in matrix),
            precision=_figure(precision),
            recall=proportion(matrix[index][index], int(support)) if support else None,
            f1=_figure(f1),
        )
        for index, label, precision, _, f1, support in zip(classes, labels, *figures, strict=True)
    )


def confusion_matrix(table: Table) -> tuple[tuple[int, ...], ...]:
    """Return the counts of shape (classes, classes): rows are true classes, columns predicted classes, by index."""
    from sklearn.metrics import confusion_matrix as computed

    matrix = computed(table.labels, table.predicted, labels=range(table.num_classes))
    return tuple(tuple(int(count) for count in row) for row in matrix)


def most_confused(matrix: Sequence[Sequence[int]], labels: Sequence[str]) -> tuple[Confusion, ...]:
    """Return the pairs of true and predicted class with the most wrong predictions, the largest first."""
    pairs = [
        Confusion(label=labels[true], predicted=labels[predicted], images=count)
        for true, row in enumerate(matrix)
        for predicted, count in enumerate(row)
        if count and true != predicted
    ]
    return tuple(sorted(pairs, key=lambda pair: -pair.images)[:MOST_CONFUSED])


def _figure(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), DIGITS)
