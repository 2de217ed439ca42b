import numpy as np
import pytest

from image_classifier.evaluate.report.calibration import at_temperature
from image_classifier.evaluate.report.scored import ScoredImage, scored_table
from image_classifier.evaluate.report.thresholds import unsure


def threshold_table(table, **changed):
    settings = {"tempered": at_temperature(table.probabilities, 2), "calibrate": False, "present": 0.5}
    return unsure(table, **{**settings, "wanted_accuracy": 0.9, **changed})


def test_a_row_counts_what_is_kept_and_what_of_it_is_right(table):
    found = threshold_table(table)
    kept = table.confidence >= 0.8

    [row] = [row for row in found.table if row.unsure_below == 0.8]

    assert (row.accuracy.of, row.accuracy.right) == (kept.sum(), (table.right & kept).sum())
    assert row.kept == pytest.approx(kept.mean(), abs=1e-6)


def test_a_confidence_equal_to_the_threshold_is_kept():
    table = scored_table([ScoredImage("a", 0, [0.8, 0.2]), ScoredImage("b", 0, [0.2, 0.8])], num_classes=2)

    rows = {row.unsure_below: row.accuracy for row in threshold_table(table).table}

    assert [(rows[limit].right, rows[limit].of) for limit in (0.75, 0.8, 0.85)] == [(1, 2), (1, 2), (0, 0)]


def test_the_lowest_threshold_with_the_wanted_lower_bound_is_proposed(make_table):
    table = make_table(3, classes=4, images=3000)

    found = threshold_table(table, wanted_accuracy=0.9)

    below = [row for row in found.table if row.unsure_below < found.proposed]
    assert 0 < found.proposed < 1
    assert all(row.accuracy.low < 0.9 for row in below)
    assert "are kept" in found.note


def test_too_few_images_to_show_the_wanted_accuracy_propose_nothing(make_table):
    found = threshold_table(make_table(3, classes=4, images=30), wanted_accuracy=0.99)

    assert found.proposed is None
    assert found.note.startswith("No threshold shows an accuracy of 99.0%")


def test_the_share_below_the_threshold_has_a_value_with_a_temperature_too(table):
    tempered = at_temperature(table.probabilities, 2)

    found = threshold_table(table, present=0.6)

    assert found.share_before == pytest.approx((table.confidence < 0.6).mean(), abs=1e-6)
    assert found.share_after == pytest.approx((tempered.max(axis=1) < 0.6).mean(), abs=1e-6)
    assert found.share_after > found.share_before


def test_with_calibration_the_table_has_the_calibrated_confidences(table):
    tempered = at_temperature(table.probabilities, 2)

    found = threshold_table(table, calibrate=True)

    assert found.table[5].accuracy.of == np.sum(tempered.max(axis=1) >= found.table[5].unsure_below)


def test_auto_takes_the_proposal_without_and_with_the_temperature(make_table):
    table = make_table(3, classes=4, images=3000)
    plain, calibrated = (threshold_table(table, calibrate=calibrate) for calibrate in (False, True))

    assert (plain.auto, calibrated.auto_calibrated) == (plain.proposed, calibrated.proposed)
    assert plain.auto_calibrated == calibrated.auto_calibrated < plain.auto
    assert threshold_table(table, present=None).present == plain.auto
    assert threshold_table(table, present=None, calibrate=True).present == plain.auto_calibrated


def test_auto_is_the_most_accurate_threshold_if_none_reaches_the_accuracy(make_table):
    found = threshold_table(make_table(3, classes=4, images=30), wanted_accuracy=0.99)

    assert found.proposed is None
    assert f"unsure_below {found.auto:.2f}" in found.note
