"""The blind random sample: images that people classify without seeing the prediction, so that its accuracy is fair."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from image_classifier.contracts.corrections import Correction
from image_classifier.evaluate.proportions import CONFIDENCE, NORMAL, Proportion, proportion
from image_classifier.gallery.rows import Row

WANTED_HALF_WIDTH = 0.03  # the accuracy is known to 3 points


@dataclass(frozen=True)
class LiveAccuracy:
    """How often the live model was right in the blind sample.

    Attributes:
        accuracy: right answers of all answers that name a class, with the Wilson interval (95%).
        more: about how many more answers make the interval +-3 points; 0 if it is as narrow.

    """

    accuracy: Proportion
    more: int


def blind_queue(rows: Iterable[Row], corrections: Mapping[str, Correction], *, training_job: str) -> list[Row]:
    """The predictions of one model that the sample has no answer for, in an order that has nothing to do with them.

    The order is that of the SHA-256 of key and version, so it is the same for everybody and at any time. An image that
    somebody corrected for another reason is asked for again: without those the sample would be too easy.
    """
    answered = {key for key, correction in corrections.items() if correction.reason == "random"}
    asked = [row for row in rows if row.training_job == training_job and row.key not in answered]
    return sorted(asked, key=_draw)


def live_accuracy(corrections: Iterable[Correction], *, training_job: str) -> LiveAccuracy:
    """The accuracy of one model in the blind sample."""
    answers = [
        correction
        for correction in corrections
        if correction.reason == "random" and correction.training_job == training_job and correction.label is not None
    ]
    found = proportion(sum(answer.is_right for answer in answers), len(answers))
    return LiveAccuracy(found, max(0, _wanted(found) - len(answers)))


def _wanted(found: Proportion) -> int:
    """Answers for an interval of +-3 points, by the normal approximation at the middle of the present interval."""
    if found.of and (found.high - found.low) / 2 <= WANTED_HALF_WIDTH:
        return 0
    middle = (found.low + found.high) / 2
    z = NORMAL.inv_cdf(0.5 + CONFIDENCE / 2)
    return max(found.of + 1, math.ceil(z * z * middle * (1 - middle) / WANTED_HALF_WIDTH**2))


def _draw(row: Row) -> str:
    return hashlib.sha256(f"{row.key}\n{row.version_id}".encode()).hexdigest()
