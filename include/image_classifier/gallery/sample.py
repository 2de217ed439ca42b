"""Selects the blind random sample, which people label without seeing the prediction, and computes its accuracy."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from image_classifier.contracts.corrections import Correction
from image_classifier.evaluate.proportions import CONFIDENCE, NORMAL, Proportion, proportion
from image_classifier.gallery.rows import Row

WANTED_HALF_WIDTH = 0.03  # the interval's half width, 3 points


@dataclass(frozen=True)
class LiveAccuracy:
    """The accuracy of the live model in the blind sample.

    Attributes:
        accuracy: right predictions among the answers that name a class, with the Wilson interval (95%).
        more: estimated number of further answers for an interval of +-3 points; 0 if it is narrower already.

    """

    accuracy: Proportion
    more: int


def blind_queue(rows: Iterable[Row], corrections: Mapping[str, Correction], *, training_job: str) -> list[Row]:
    """Return the predictions of one model without an answer in the sample, in an order independent of the predictions.

    The order is that of the SHA-256 of key and version, so it is always the same for everybody. Images that somebody
    corrected for another reason are included, because without these the sample would be too easy.
    """
    answered = {key for key, correction in corrections.items() if correction.reason == "random"}
    asked = [row for row in rows if row.training_job == training_job and row.key not in answered]
    return sorted(asked, key=_draw)


def live_accuracy(corrections: Iterable[Correction], *, training_job: str) -> LiveAccuracy:
    """Compute the accuracy of one model in the blind sample."""
    answers = [
        correction
        for correction in corrections
        if correction.reason == "random" and correction.training_job == training_job and correction.label is not None
    ]
    found = proportion(sum(answer.is_right for answer in answers), len(answers))
    return LiveAccuracy(found, max(0, _wanted(found) - len(answers)))


def _wanted(found: Proportion) -> int:
    """Estimate the answers for an interval of +-3 points, by the normal approximation at the interval's middle."""
    if found.of and (found.high - found.low) / 2 <= WANTED_HALF_WIDTH:
        return 0
    middle = (found.low + found.high) / 2
    z = NORMAL.inv_cdf(0.5 + CONFIDENCE / 2)
    return max(found.of + 1, math.ceil(z * z * middle * (1 - middle) / WANTED_HALF_WIDTH**2))


def _draw(row: Row) -> str:
    return hashlib.sha256(f"{row.key}\n{row.version_id}".encode()).hexdigest()
