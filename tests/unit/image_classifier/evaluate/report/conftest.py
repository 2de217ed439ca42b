"""Provides tables of scored images for reports."""

import numpy as np
import pytest

from image_classifier.evaluate.report.scored import ScoredImage, scored_table


def random_table(seed, *, classes, images, sharpness=3.0, **facts):
    """A model that is right more often than not; its labels are drawn from its own probabilities."""
    random = np.random.default_rng(seed)
    logits = random.normal(size=(images, classes)) * sharpness
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = [int(random.choice(classes, p=row)) for row in probabilities]
    scored = [
        ScoredImage(key=f"pets/dataset/test/{label}/{place:04}.jpg", label=label, probabilities=row.tolist())
        for place, (label, row) in enumerate(zip(labels, probabilities, strict=True))
    ]
    return scored_table(scored, num_classes=classes)


@pytest.fixture
def table():
    return random_table(1, classes=6, images=400)


@pytest.fixture
def make_table():
    return random_table
