"""Calibration: how far a model's confidences can be trusted, and the temperature that corrects them."""

from typing import TYPE_CHECKING

from image_classifier.evaluate.report.measures import DIGITS, log_loss
from image_classifier.evaluate.report.model import Bin, Calibration, CalibrationFigures
from image_classifier.evaluate.report.scored import Table

if TYPE_CHECKING:
    import numpy
    from numpy.typing import NDArray

    Probabilities = NDArray[numpy.float64]

BINS = 15
FEWEST_TO_FIT = 50  # validation images; with fewer the fitted temperature says little
LOWEST, HIGHEST = 0.2, 10.0  # outside, a temperature makes every answer certain or none
SMALLEST = 1e-12  # a probability that the model rounded to zero
UNCHANGED = 1.0


def calibration(test: Table, validation: Table | None) -> tuple[Calibration, "Probabilities"]:
    """The figures without and with the fitted temperature, and the test images' probabilities with it."""
    temperature, note = fitted_temperature(validation)
    tempered = at_temperature(test.probabilities, temperature)
    figures = Calibration(
        fitted_on=len(validation.images) if validation else 0,
        note=note,
        before=calibration_figures(test, test.probabilities, temperature=UNCHANGED),
        after=calibration_figures(test, tempered, temperature=temperature),
    )
    return figures, tempered


def fitted_temperature(validation: Table | None) -> tuple[float, str]:
    """The temperature with the smallest log loss on validation images, and a sentence about it.

    Guo et al., On Calibration of Modern Neural Networks (ICML 2017). The likeliest class stays the likeliest.
    """
    from scipy.optimize import minimize_scalar

    if validation is None or len(validation.images) < FEWEST_TO_FIT:
        found = len(validation.images) if validation else 0
        return UNCHANGED, f"No temperature is fitted: {found} validation images, {FEWEST_TO_FIT} are needed."
    if validation.right.all():
        return UNCHANGED, "No temperature is fitted: the model is right on every validation image."
    found = minimize_scalar(
        lambda temperature: log_loss_at(validation, temperature), bounds=(LOWEST, HIGHEST), method="bounded"
    )
    temperature = round(float(found.x), 4)
    tendency = "less" if temperature > UNCHANGED else "more"
    return temperature, f"The temperature {temperature:.2f} makes the model {tendency} certain."


def log_loss_at(table: Table, temperature: float) -> float:
    """Log loss of the table's probabilities at a temperature, not rounded."""
    import numpy

    tempered = at_temperature(table.probabilities, temperature)
    of_label = tempered[numpy.arange(len(table.images)), table.labels]
    return float(-numpy.log(of_label.clip(min=SMALLEST)).mean())


def at_temperature(probabilities: "Probabilities", temperature: float) -> "Probabilities":
    """softmax(log p / T): exact, because the model's answers are softmax outputs."""
    import numpy

    if temperature == UNCHANGED:
        return probabilities
    scaled = numpy.log(probabilities.clip(min=SMALLEST)) / temperature
    powers = numpy.exp(scaled - scaled.max(axis=1, keepdims=True))
    normed: Probabilities = powers / powers.sum(axis=1, keepdims=True)
    return normed


def calibration_figures(table: Table, probabilities: "Probabilities", *, temperature: float) -> CalibrationFigures:
    """Log loss, ECE, Brier score and reliability curve of these probabilities of the table's images."""
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
    """At most 15 bins of equally many images, from the least to the most confident."""
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
