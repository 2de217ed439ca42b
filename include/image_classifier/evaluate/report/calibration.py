"""Measures the calibration of a model's confidences, and fits the temperature that corrects them."""

from typing import TYPE_CHECKING

from image_classifier.evaluate.report.measures import DIGITS, log_loss
from image_classifier.evaluate.report.model import Bin, Calibration, CalibrationFigures
from image_classifier.evaluate.report.scored import Table

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Probabilities = NDArray[numpy.float64]

BINS = 15
FEWEST_TO_FIT = 50  # validation images; with fewer the fitted temperature is too uncertain
LOWEST, HIGHEST = 0.2, 10.0  # beyond these, every answer is certain or none is
SMALLEST = 1e-12  # takes the place of a probability that the model rounded to zero
UNCHANGED = 1.0


def calibration(test: Table, validation: Table | None) -> tuple[Calibration, "Probabilities"]:
    """Return the figures without and with the fitted temperature, and the test images' probabilities at it.

    The probabilities have the shape (test images, classes).
    """
    temperature, note = fitted_temperature(validation)
    tempered = at_temperature(test.probabilities, temperature)
    figures = Calibration(
        fitted_on=len(validation.images) if validation and temperature != UNCHANGED else 0,
        note=note,
        before=calibration_figures(test, test.probabilities, temperature=UNCHANGED),
        after=calibration_figures(test, tempered, temperature=temperature),
    )
    return figures, tempered


def fitted_temperature(validation: Table | None) -> tuple[float, str]:
    """Return the temperature with the smallest log loss on validation images, and a sentence about it.

    Guo et al., On Calibration of Modern Neural Networks (ICML 2017). It never changes which class is the likeliest.
    """
    from scipy.optimize import minimize_scalar

    if validation is None or len(validation.images) < FEWEST_TO_FIT:
        found = len(validation.images) if validation else 0
        return (
            UNCHANGED,
            f"No temperature is fitted: there are {found} validation images, and {FEWEST_TO_FIT} are needed.",
        )
    if validation.right.all():
        return UNCHANGED, "No temperature is fitted: the model is right on every validation image."
    found = minimize_scalar(
        lambda temperature: log_loss_at(validation, temperature), bounds=(LOWEST, HIGHEST), method="bounded"
    )
    temperature = round(float(found.x), 4)
    tendency = "less" if temperature > UNCHANGED else "more"
    return temperature, f"The temperature {temperature:.2f} makes the model {tendency} certain."


def log_loss_at(table: Table, temperature: float) -> float:
    """Return the unrounded log loss of the table's probabilities at a temperature."""
    import numpy

    tempered = at_temperature(table.probabilities, temperature)
    of_label = tempered[numpy.arange(len(table.images)), table.labels]
    return float(-numpy.log(of_label.clip(min=SMALLEST)).mean())


def at_temperature(probabilities: "Probabilities", temperature: float) -> "Probabilities":
    """Return softmax(log p / T), of shape (images, classes); it is exact because the answers are softmax outputs."""
    import numpy

    if temperature == UNCHANGED:
        return probabilities
    scaled = numpy.log(probabilities.clip(min=SMALLEST)) / temperature
    powers = numpy.exp(scaled - scaled.max(axis=1, keepdims=True))
    normed: Probabilities = powers / powers.sum(axis=1, keepdims=True)
    return normed


def calibration_figures(table: Table, probabilities: "Probabilities", *, temperature: float) -> CalibrationFigures:
    """Compute log loss, ECE, Brier score and reliability curve.

    Args:
        table: the images with their true classes.
        probabilities: of shape (images, classes).
        temperature: the temperature at which they were computed.

    """
    from sklearn.metrics import brier_score_loss

    classes = range(table.num_classes)
    brier = brier_score_loss(table.labels, probabilities, labels=classes, scale_by_half=False)
    bins = reliability(table, probabilities.max(axis=1))
    total = len(table.images)
    return CalibrationFigures(
        temperature=temperature,
        log_loss=log_loss(table.labels, probabilities),
        ece=round(sum(part.images / total * abs(part.accuracy - part.confidence) for part in bins), DIGITS),
        brier=round(float(brier), DIGITS),
        bins=bins,
    )


def reliability(table: Table, confidence: "Probabilities") -> tuple[Bin, ...]:
    """Return at most 15 bins with equally many images each, from the least to the most confident."""
    import numpy

    order = numpy.argsort(confidence, kind="stable")
    return tuple(
        Bin(
            images=len(part),
            confidence=round(float(confidence[part].mean()), DIGITS),
            accuracy=round(float(table.right[part].mean()), DIGITS),
        )
        for part in numpy.array_split(order, min(BINS, len(order)))
    )
