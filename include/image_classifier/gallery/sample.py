"""Selects the blind random sample, which people label without seeing the prediction."""

import hashlib
from collections.abc import Iterable, Mapping

from image_classifier.contracts.corrections import Correction
from image_classifier.gallery.rows import Row


def blind_queue(rows: Iterable[Row], corrections: Mapping[str, Correction], *, training_job: str) -> list[Row]:
    """Return the predictions of one model without an answer in the sample, in an order independent of the predictions.

    The order is that of the SHA-256 of key and version, so it is always the same for everybody. Images that somebody
    corrected for another reason are included, because without these the sample would be too easy.
    """
    answered = {key for key, correction in corrections.items() if correction.reason == "random"}
    asked = [row for row in rows if row.training_job == training_job and row.key not in answered]
    return sorted(asked, key=_draw)


def _draw(row: Row) -> str:
    return hashlib.sha256(f"{row.key}\n{row.version_id}".encode()).hexdigest()
