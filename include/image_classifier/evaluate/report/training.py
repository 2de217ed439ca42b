"""Reads the training curves from a job's log."""

import math
from collections.abc import Iterable

from image_classifier.evaluate.report.model import Epoch
from image_classifier.train.job_log import Metric, parse_metrics


def epochs_of(lines: Iterable[str]) -> tuple[Epoch, ...]:
    """Return the accuracies of each epoch; the last ones of an epoch that was repeated after an interruption."""
    found: dict[int, dict[str, float]] = {}
    for line in lines:
        metric: Metric | None = parse_metrics(line)
        if metric is not None and metric.name == "accuracy" and not math.isnan(metric.value):
            found.setdefault(metric.epoch, {})[metric.split] = metric.value
    return tuple(
        Epoch(epoch=epoch, train_accuracy=values.get("train"), validation_accuracy=values.get("validation"))
        for epoch, values in sorted(found.items())
    )
