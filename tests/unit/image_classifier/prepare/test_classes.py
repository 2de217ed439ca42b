import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classifier.contracts.errors import LabelsChangedError
from image_classifier.prepare.classes import class_folder, decide_labels

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)


def labels(found, previous=(), *, reset_labels=False):
    return decide_labels(found, previous=previous, reset_labels=reset_labels)


def test_first_labels_are_alphabetical():
    assert labels(["dog", "cat"]) == ("cat", "dog")


def test_known_classes_keep_their_index_and_new_ones_follow():
    assert labels(["ant", "bee", "cat", "dog"], ("dog", "cat")) == ("dog", "cat", "ant", "bee")


def test_a_class_that_is_gone_is_refused_by_name():
    with pytest.raises(LabelsChangedError, match=r"'dog'.*found 'ant', 'cat'.*reset_labels"):
        labels(["ant", "cat"], ("dog", "cat"))


def test_of_many_classes_a_few_are_named():
    with pytest.raises(LabelsChangedError, match=r"'8' and 1 more; found .*'17' and 3 more\."):
        labels([str(number) for number in range(10, 21)], [str(number) for number in range(1, 10)])


def test_a_reset_numbers_again():
    assert labels(["cat", "ant"], ("dog", "cat"), reset_labels=True) == ("ant", "cat")


@pytest.mark.parametrize("name", ["cat", "Cat-2_b", "0", "a" * 64])
def test_a_plain_name_is_its_folder(name):
    assert class_folder(name) == name


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("żółw żółty", "zow-zoty"),
        ("it's a\ttab/..", "it-s-a-tab"),
        ("亀", "class"),
        ("..", "class"),
        ("v1.2", "v1-2"),
        ("a" * 65, "a" * 40),
    ],
)
def test_an_odd_name_gets_a_readable_folder_with_a_hash(name, readable):
    assert re.fullmatch(rf"{re.escape(readable)}\.[0-9a-f]{{12}}", class_folder(name))


@given(names)
def test_a_folder_is_safe_everywhere(name):
    assert re.fullmatch(r"[A-Za-z0-9_-]+(\.[0-9a-f]{12})?", class_folder(name))
    assert len(class_folder(name)) <= 64


@given(names, names)
def test_two_classes_never_share_a_folder(one, other):
    assert one == other or class_folder(one) != class_folder(other)
    assert class_folder(class_folder(one)) != class_folder(one) or class_folder(one) == one
