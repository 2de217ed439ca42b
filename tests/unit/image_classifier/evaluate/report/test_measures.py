import numpy as np
import pytest
from sklearn import metrics

from image_classifier.evaluate.report import measures
from image_classifier.evaluate.report.scored import ScoredImage, scored_table


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_are_scikit_learns(make_table, seed):
    table = make_table(seed, classes=7, images=300)
    labels = [f"class {index}" for index in range(7)]

    found = measures.per_class(table, labels)

    assert measures.accuracy(table).value == pytest.approx(metrics.accuracy_score(table.labels, table.predicted))
    assert measures.log_loss(table.labels, table.probabilities) == pytest.approx(
        -np.log(table.probabilities[np.arange(300), table.labels]).mean(), abs=1e-6
    )
    assert [one.f1 for one in found] == pytest.approx(
        metrics.f1_score(table.labels, table.predicted, average=None), abs=1e-6
    )
    assert [one.recall.value for one in found] == pytest.approx(
        metrics.recall_score(table.labels, table.predicted, average=None), abs=1e-6
    )
    assert [one.label for one in found] == labels


def test_the_matrix_has_the_true_class_in_its_rows():
    table = scored_table([ScoredImage("k", 0, [0.1, 0.9]), ScoredImage("l", 1, [0.1, 0.9])], num_classes=2)

    assert measures.confusion_matrix(table) == ((0, 1), (0, 1))


def test_the_most_confused_classes_come_first_without_right_answers():
    found = measures.most_confused([[9, 1, 0], [4, 9, 0], [0, 0, 9]], ["a", "b", "c"])

    assert [(one.label, one.predicted, one.images) for one in found] == [("b", "a", 4), ("a", "b", 1)]


def test_a_class_without_images_or_predictions_has_none_instead_of_zero():
    table = scored_table([ScoredImage("k", 0, [1, 0, 0]), ScoredImage("l", 1, [1, 0, 0])], num_classes=3)

    a, b, c = measures.per_class(table, ["a", "b", "c"])

    assert (a.precision, a.recall.value) == (0.5, 1)
    assert (b.support, b.predicted, b.precision, b.recall.value) == (1, 0, None, 0)
    assert (c.support, c.recall) == (0, None)


@pytest.mark.parametrize(("classes", "ks"), [(2, []), (3, []), (4, [3]), (5, [3]), (9, [3, 5])])
def test_top_k_is_reported_where_there_are_more_classes_than_k(make_table, classes, ks):
    table = make_table(3, classes=classes, images=100)

    found = measures.top_k(table)

    assert [one.k for one in found] == ks
    for one in found:
        likeliest = np.argsort(table.probabilities, axis=1)[:, -one.k :]
        assert one.accuracy.right == sum(label in row for label, row in zip(table.labels, likeliest, strict=True))
