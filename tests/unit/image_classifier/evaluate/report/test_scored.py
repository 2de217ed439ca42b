import pytest

from image_classifier.contracts.errors import PredictionError
from image_classifier.evaluate.report.scored import ScoredImage, scored_table


def test_rows_are_made_to_sum_to_one():
    table = scored_table([ScoredImage("k", 0, [0.5, 0.495])], num_classes=2)

    assert table.probabilities.sum() == pytest.approx(1)


def test_of_equally_likely_classes_the_first_is_predicted():
    assert scored_table([ScoredImage("k", 1, [0.5, 0.5])], num_classes=2).predicted.tolist() == [0]


@pytest.mark.parametrize(
    ("label", "probabilities", "problem"),
    [
        (0, [0.5, 0.3, 0.2], "has 3 numbers and the model has 2 classes"),
        (0, [float("nan"), 0.5], "no probability"),
        (0, [1.2, -0.2], "no probability"),
        (0, [0.4, 0.4], "sum to 0.800"),
        (2, [0.5, 0.5], "class index is 2"),
    ],
)
def test_an_answer_that_does_not_fit_the_model_is_refused_with_its_key(label, probabilities, problem):
    with pytest.raises(PredictionError, match=rf"pets/7\.jpg cannot be used: .*{problem}"):
        scored_table([ScoredImage("pets/7.jpg", label, probabilities)], num_classes=2)


def test_no_image_is_a_table_too():
    assert scored_table([], num_classes=3).probabilities.shape == (0, 3)
