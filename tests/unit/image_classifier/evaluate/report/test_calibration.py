import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV, calibration_curve
from sklearn.frozen import FrozenEstimator

from image_classifier.evaluate.report.calibration import (
    at_temperature,
    calibration,
    calibration_figures,
    fitted_temperature,
    log_loss_at,
    reliability,
)
from image_classifier.evaluate.report.scored import ScoredImage, scored_table


class Known(ClassifierMixin, BaseEstimator):
    """A model whose input is its output."""

    def fit(self, x, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, x):
        return x

    def predict(self, x):
        return self.classes_[x.argmax(axis=1)]


def sharpened(table, power):
    """The same labels, from a model that is too certain of its answers."""
    rows = table.probabilities**power
    rows /= rows.sum(axis=1, keepdims=True)
    images = [ScoredImage(one.key, one.label, row.tolist()) for one, row in zip(table.images, rows, strict=True)]
    return scored_table(images, num_classes=table.num_classes)


@pytest.mark.parametrize("seed", range(4))
def test_the_temperature_is_scikit_learns(make_table, seed):
    table = sharpened(make_table(seed, classes=5, images=600), 2.5)
    known = FrozenEstimator(Known().fit(table.probabilities, table.labels))
    theirs = CalibratedClassifierCV(known, method="temperature").fit(table.probabilities, table.labels)

    temperature, _ = fitted_temperature(table)

    assert at_temperature(table.probabilities, temperature) == pytest.approx(
        theirs.predict_proba(table.probabilities), abs=2e-3
    )


def test_a_model_that_is_too_certain_gets_a_temperature_that_undoes_it(make_table):
    table = sharpened(make_table(9, classes=5, images=4000), 3)

    temperature, note = fitted_temperature(table)

    assert temperature == pytest.approx(3, rel=0.1)
    assert "less certain" in note


def test_the_fitted_temperature_has_the_least_log_loss(make_table):
    table = sharpened(make_table(2, classes=3, images=500), 0.5)
    temperature, _ = fitted_temperature(table)

    assert log_loss_at(table, temperature) <= min(log_loss_at(table, temperature * by) for by in (0.9, 1, 1.1))


def test_a_temperature_never_changes_the_predicted_class(make_table):
    table = make_table(4, classes=8, images=500)

    for temperature in (0.2, 0.7, 3, 10):
        assert (at_temperature(table.probabilities, temperature).argmax(axis=1) == table.predicted).all()


def test_probabilities_that_were_rounded_to_zero_stay_finite():
    tempered = at_temperature(np.array([[1.0, 0.0]]), 5)

    assert np.isfinite(tempered).all()
    assert tempered.sum() == pytest.approx(1)


def test_without_enough_validation_images_nothing_is_fitted(make_table):
    assert fitted_temperature(make_table(1, classes=3, images=49)) == (
        1.0,
        "No temperature is fitted: there are 49 validation images, and 50 are needed.",
    )
    assert fitted_temperature(make_table(1, classes=3, images=50))[0] != 1.0
    assert fitted_temperature(None)[0] == 1.0


def test_from_a_model_without_a_mistake_nothing_is_fitted():
    images = [ScoredImage(str(place), place % 2, [0.9, 0.1] if place % 2 == 0 else [0.1, 0.9]) for place in range(60)]

    assert fitted_temperature(scored_table(images, num_classes=2))[0] == 1.0


def test_the_reliability_curve_is_scikit_learns_and_bins_every_image(make_table):
    table = make_table(5, classes=4, images=600)

    bins = reliability(table, table.confidence)
    right, confidence = calibration_curve(table.right, table.confidence, n_bins=15, strategy="quantile")

    assert sum(part.images for part in bins) == 600
    assert [part.accuracy for part in bins] == pytest.approx(right, abs=0.03)
    assert [part.confidence for part in bins] == pytest.approx(confidence, abs=0.01)


def test_the_calibration_error_is_the_mean_gap_of_confidence_and_accuracy():
    images = [ScoredImage(str(place), int(place >= 12), [0.8, 0.2]) for place in range(15)]  # 12 of 15 right, 80 % sure
    table = scored_table(images, num_classes=2)

    figures = calibration_figures(table, table.probabilities, temperature=1.0)

    assert figures.ece == pytest.approx(12 / 15 * 0.2 + 3 / 15 * 0.8)  # fifteen bins of one image each
    assert figures.brier == pytest.approx((12 * 2 * 0.2**2 + 3 * 2 * 0.8**2) / 15)


def test_calibration_is_fitted_on_validation_and_evaluated_on_test(make_table):
    table = sharpened(make_table(6, classes=5, images=2000), 3)
    validation = sharpened(make_table(7, classes=5, images=2000), 3)

    figures, tempered = calibration(table, validation)

    assert figures.fitted_on == 2000
    assert figures.after.temperature == fitted_temperature(validation)[0]
    assert figures.after.ece < figures.before.ece / 2
    assert figures.after.log_loss < figures.before.log_loss
    assert tempered.shape == table.probabilities.shape
