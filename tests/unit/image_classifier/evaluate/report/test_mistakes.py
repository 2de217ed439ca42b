import warnings

import numpy as np
import pytest
from cleanlab.count import num_label_issues
from cleanlab.filter import find_label_issues

from image_classifier.evaluate.report.mistakes import MOST_SHOWN, label_mistakes, most_confident_mistakes
from image_classifier.evaluate.report.scored import ScoredImage, scored_table

NAMES = [f"class {index}" for index in range(10)]


def mislabelled(seed, *, classes=4, images=600, wrong=0.04):
    """A good model, and a part of the labels exchanged."""
    random = np.random.default_rng(seed)
    truth = random.integers(classes, size=images)
    logits = random.normal(size=(images, classes))
    logits[np.arange(images), truth] += 4
    rows = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    given = np.where(random.random(images) < wrong, (truth + 1) % classes, truth)
    scored = [ScoredImage(str(place), int(given[place]), rows[place].tolist()) for place in range(images)]
    return scored_table(scored, num_classes=classes), np.flatnonzero(given != truth)


def test_the_most_confident_mistakes_come_first(table):
    found = most_confident_mistakes(table, NAMES)

    assert len(found) == MOST_SHOWN
    assert [one.confidence for one in found] == sorted((one.confidence for one in found), reverse=True)
    assert found[0].confidence == pytest.approx(table.confidence[~table.right].max(), abs=1e-6)
    assert all(one.label != one.predicted for one in found)


def test_a_mistake_names_the_image_and_what_the_model_gave_its_label():
    table = scored_table([ScoredImage("k", 0, [0.2, 0.8], name="cat/1.jpg")], num_classes=2)

    [one] = most_confident_mistakes(table, ["cat", "dog"])

    assert one.model_dump() == {
        "key": "k", "name": "cat/1.jpg", "label": "cat", "predicted": "dog", "confidence": 0.8, "label_probability": 0.2
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
def test_likely_label_mistakes_are_cleanlabs_in_its_order(seed):
    table, _ = mislabelled(seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = find_label_issues(
            table.labels,
            table.probabilities,
            filter_by="confident_learning",
            return_indices_ranked_by="normalized_margin",
            n_jobs=1,
        )
        estimated = num_label_issues(table.labels, table.probabilities, estimation_method="off_diagonal_calibrated")

    found = label_mistakes(table, NAMES)

    assert found.estimated == pytest.approx(estimated, abs=2)  # theirs rounds each count of the joint
    assert [one.key for one in found.images] == [str(place) for place in theirs][: min(found.estimated, MOST_SHOWN)]


def test_exchanged_labels_are_found_and_right_ones_are_not():
    table, wrong = mislabelled(3, wrong=0.03)

    found = {int(one.key) for one in label_mistakes(table, NAMES).images}

    assert len(found & set(wrong)) >= 0.5 * len(wrong)
    assert found <= set(wrong)


def test_a_model_that_is_always_right_has_no_mistakes_of_either_kind():
    table = scored_table(
        [ScoredImage(str(place), place % 2, [1 - place % 2, place % 2]) for place in range(20)], num_classes=2
    )

    assert most_confident_mistakes(table, NAMES) == ()
    assert label_mistakes(table, NAMES).model_dump() == {"estimated": 0, "images": ()}


def repeated(*rows):
    """Of (number of images, class, probabilities)."""
    images = [(label, list(values)) for count, label, values in rows for _ in range(count)]
    return scored_table([ScoredImage(str(place), *one) for place, one in enumerate(images)], num_classes=2)


def test_an_image_that_the_model_predicts_as_labelled_is_no_label_mistake():
    """The second image passes only the other class's threshold, which is low; its own class is the likeliest still."""
    table = repeated((10, 0, (0.95, 0.05)), (1, 0, (0.55, 0.45)), (10, 1, (0.6, 0.4)))

    assert label_mistakes(table, NAMES).model_dump() == {"estimated": 1, "images": ()}


def test_the_number_of_wrong_labels_is_rounded():
    """One of five confident images is of the other class, and so are 1.6 of all eight."""
    table = repeated((4, 0, (0.9, 0.1)), (1, 0, (0.1, 0.9)), (3, 0, (0.6, 0.4)), (8, 1, (0.2, 0.8)))

    assert label_mistakes(table, NAMES).estimated == 2


def test_a_class_without_test_images_does_not_disturb():
    table = scored_table([ScoredImage(str(place), place % 2, [0.6, 0.3, 0.1]) for place in range(20)], num_classes=3)

    assert label_mistakes(table, NAMES).estimated >= 0
