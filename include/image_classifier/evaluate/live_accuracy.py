"""Computes the accuracy of the live model from answers that people gave without seeing its predictions."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from image_classifier.contracts.corrections import Correction
from image_classifier.evaluate.proportions import CONFIDENCE, NORMAL, Proportion, proportion

WANTED_HALF_WIDTH = 0.03  # the interval's half width, 3 points
LEAST_ANSWERS = 30  # that can show a model to be below a floor; of one wrong answer Wilson's interval ends at 79%


@dataclass(frozen=True)
class LiveAccuracy:
    """The accuracy of the live model in the blind sample.

    Attributes:
        accuracy: right predictions among the answers that name a class, with the Wilson interval (95%).
        more: estimated number of further answers for an interval of +-3 points; 0 if it is narrower already.

    """

    accuracy: Proportion
    more: int

    def is_below(self, floor: float) -> bool:
        """Return whether the accuracy is below a floor: there are enough answers, and all of its interval is."""
        return self.accuracy.of >= LEAST_ANSWERS and self.accuracy.high < floor


def live_accuracy(corrections: Iterable[Correction], *, training_job: str) -> LiveAccuracy:
    """Compute the accuracy of one model in the blind sample."""
    return accuracy_of([one.is_right for one in corrections if is_counted(one, training_job=training_job)])


def is_counted(correction: Correction, *, training_job: str) -> bool:
    """Return whether a correction is an answer of the blind sample that names a class, about this model."""
    is_answer = correction.reason == "random" and correction.label is not None
    return is_answer and correction.training_job == training_job


def accuracy_of(answers: Collection[bool]) -> LiveAccuracy:
    """Compute the accuracy from the answers, each of which says whether the model was right."""
    found = proportion(sum(answers), len(answers))
    return LiveAccuracy(found, max(0, _wanted(found) - len(answers)))


def _wanted(found: Proportion) -> int:
    """Estimate the answers for an interval of +-3 points, by the normal approximation at the interval's middle."""
    if found.of and (found.high - found.low) / 2 <= WANTED_HALF_WIDTH:
        return 0
    middle = (found.low + found.high) / 2
    z = NORMAL.inv_cdf(0.5 + CONFIDENCE / 2)
    return math.ceil(z * z * middle * (1 - middle) / WANTED_HALF_WIDTH**2)
