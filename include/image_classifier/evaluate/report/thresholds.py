"""Computes, per confidence threshold, the share and the accuracy of the predictions that are kept."""

from typing import TYPE_CHECKING

from image_classifier.evaluate.proportions import proportion
from image_classifier.evaluate.report.measures import DIGITS
from image_classifier.evaluate.report.model import Threshold, Unsure
from image_classifier.evaluate.report.scored import Table

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

STEPS = 100
SHOWN = (0, 30, 40, 50, 60, 70, 75, 80, 85, 90, 92, 94, 95, 96, 97, 98, 99)  # in hundredths


def unsure(
    table: Table,
    *,
    tempered: "NDArray[numpy.float64]",
    calibrate: bool,
    present: float | None,
    wanted_accuracy: float,
) -> Unsure:
    """Return the table of thresholds and the proposed one.

    Args:
        table: the scored test images.
        tempered: their probabilities at the fitted temperature, of shape (images, classes).
        calibrate: whether the inference function applies the temperature; the table is computed accordingly.
        present: the classifier's `unsure_below`; None for `auto`.
        wanted_accuracy: the accuracy, from 0 to 1, that the kept predictions must have.

    """
    confidences = (table.confidence, tempered.max(axis=1))
    before, after = ([_threshold(table, one, step / STEPS) for step in range(STEPS)] for one in confidences)
    autos = [(_proposed(rows, wanted_accuracy) or _best(rows)).unsure_below for rows in (before, after)]
    rows = after if calibrate else before
    proposed = _proposed(rows, wanted_accuracy)
    threshold = autos[calibrate] if present is None else present
    return Unsure(
        wanted_accuracy=wanted_accuracy,
        proposed=proposed.unsure_below if proposed else None,
        note=_note(proposed, rows, wanted_accuracy=wanted_accuracy),
        present=threshold,
        share_before=round(float((confidences[0] < threshold).mean()), DIGITS),
        share_after=round(float((confidences[1] < threshold).mean()), DIGITS),
        calibrate=calibrate,
        auto=autos[0],
        auto_calibrated=autos[1],
        table=tuple(rows[step] for step in SHOWN),
    )


def _proposed(rows: list[Threshold], wanted_accuracy: float) -> Threshold | None:
    """Return the lowest threshold at which the lower bound of the accuracy reaches the wanted one, or None."""
    return next((row for row in rows if row.accuracy.low >= wanted_accuracy), None)


def _best(rows: list[Threshold]) -> Threshold:
    return max(rows, key=lambda row: row.accuracy.low)


def _threshold(table: Table, confidence: "NDArray[numpy.float64]", unsure_below: float) -> Threshold:
    kept = confidence >= unsure_below
    right = table.right & kept
    return Threshold(
        unsure_below=unsure_below,
        kept=round(float(kept.mean()), DIGITS),
        accuracy=proportion(int(right.sum()), int(kept.sum())),
    )


def _note(proposed: Threshold | None, rows: list[Threshold], *, wanted_accuracy: float) -> str:
    if proposed is None:
        best = _best(rows)
        return (
            f"No threshold shows an accuracy of {wanted_accuracy:.1%}: the best lower bound is {best.accuracy.low:.1%} "
            f"(unsure_below {best.unsure_below:.2f}, {best.accuracy.of:,} images kept). Add test images, or train a "
            "better model."
        )
    return (
        f"With unsure_below {proposed.unsure_below:.2f}, {proposed.kept:.1%} of the images are kept, and with 95% "
        f"confidence at least {proposed.accuracy.low:.1%} of those are right; {1 - proposed.kept:.1%} go to people."
    )
