"""Checks the overview's figures of predictions."""

import pytest

from image_classifier.gallery.overview import overview, percentile
from image_classifier.gallery.rows import Row


def row(day=28, *, status="predicted", label="cat", confidence=0.8, total_ms=1000.0, reason=None, generation=0):
    at = f"2026-11-{day:02d}T05:00:00+00:00"
    return Row(
        key="cats/incoming/a", version_id=None, sequencer=None, status=status, label=label, confidence=confidence,
        margin=None, likeliest=(), uploaded=at, predicted=at, total_ms=total_ms, training_job="job-1", reason=reason,
        sentence=None, has_thumbnail=True, generation=generation,
    )  # fmt: skip


def test_predictions_are_counted_by_day_class_and_status():
    rejected = row(27, status="rejected", label=None, confidence=None, reason="truncated")

    figures = overview([row(), row(label="dog", status="unsure"), rejected, row(27)])

    assert [(day.day[-2:], day.total) for day in figures.days] == [("28", 2), ("27", 2)]
    assert figures.days[1].labels == {"cat": 1}
    assert figures.days[1].statuses == {"rejected": 1, "predicted": 1}
    assert [(one.label, one.predictions, one.unsure) for one in figures.labels] == [("cat", 2, 0), ("dog", 1, 1)]
    assert (figures.share("unsure"), figures.reasons) == (0.25, (("truncated", 1),))


def test_the_mean_confidence_is_that_of_the_class():
    figures = overview([row(confidence=0.5), row(confidence=1.0), row(label="dog", confidence=0.2)])

    assert [one.confidence for one in figures.labels] == [0.75, 0.2]


def test_only_the_newest_thirty_days_are_kept():
    figures = overview(
        [row(day)._replace(predicted=f"2026-{month}-{day:02d}") for month in (10, 11) for day in range(1, 29)]
    )

    assert len(figures.days) == 30
    assert figures.days[0].day == "2026-11-28"


def test_times_of_a_run_over_existing_images_do_not_count():
    figures = overview([row(total_ms=900.0), row(total_ms=9e9, generation=5)])

    assert (figures.p50_s, figures.p99_s) == (0.9, 0.9)


def test_without_a_prediction_there_are_no_figures():
    figures = overview([])

    assert (figures.total, figures.share("unsure"), figures.p50_s) == (0, 0.0, None)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_nearest_rank(share, value):
    assert percentile(range(1, 101), share) == value
