import pytest
from pydantic import ValidationError

from image_classifier.classifier import Classifier
from image_classifier.contracts.training.sentences import problems_of

FIELDS = "It must have fields of its own: {name: value}."
LIST = "It must be a list: [a, b]."
TEXT = "It must be text; a number needs quotes."


def problems(**values):
    with pytest.raises(ValidationError) as caught:
        Classifier.model_validate({"name": "cats", "source": "cats", **values})
    return problems_of(caught.value)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({"exclude": "*/masks/*"}, f"exclude is '*/masks/*'. {LIST}"),
        ({"classes": {"cat": "tabby"}}, f"classes.cat is 'tabby'. {LIST}"),
        ({"classes": {"cat": [1]}}, f"classes.cat.0 is 1. {TEXT}"),
        ({"classes": {"cat": []}}, "classes.cat is []. Tuple should have at least 1 item after validation, not 0."),
        ({"classes": ["cat"]}, f"classes is ['cat']. {FIELDS}"),
        ({"promotion": "never"}, f"promotion is 'never'. {FIELDS}"),
        ({"tags": {"team": 7}}, f"tags.team is 7. {TEXT}"),
    ],
)
def test_a_value_of_the_wrong_kind_is_one_problem_in_words_of_yaml(values, found):
    assert problems(**values) == [found]


def test_a_field_of_two_kinds_has_its_own_name_in_both_problems():
    assert [problem.partition(".")[0] for problem in problems(unsure_below=50)] == ["unsure_below is 50"] * 2
