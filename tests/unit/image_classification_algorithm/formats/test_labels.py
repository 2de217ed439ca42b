"""Checks the conversion of labels to training targets."""

import pytest

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.formats.examples import Example
from image_classification_algorithm.formats.labels import target

SINGLE = {"multi_label": False, "label_format": "multi-hot"}
MULTI_HOT = {"multi_label": True, "label_format": "multi-hot"}
CLASS_ID = {"multi_label": True, "label_format": "class-id"}


def target_of(*labels, **how):
    return target(Example(tuple(map(float, labels)), "a.jpg", bytes), num_classes=3, **how)


@pytest.mark.parametrize(
    ("labels", "how", "expected"),
    [
        ((2,), SINGLE, (2,)),
        ((2,), SINGLE | {"label_format": "class-id"}, (2,)),
        ((1, 0, 1), MULTI_HOT, (1, 0, 1)),
        ((0, 2), CLASS_ID, (1, 0, 1)),
        ((2, 2), CLASS_ID, (0, 0, 1)),
        ((), CLASS_ID, (0, 0, 0)),
    ],
)
def test_a_target_is_a_class_index_or_a_number_per_class(labels, how, expected):
    assert target_of(*labels, **how) == expected


@pytest.mark.parametrize(
    ("labels", "how", "sentence"),
    [
        ((3,), SINGLE, "a.jpg has label 3; labels are whole numbers from 0 to 2."),
        ((-1,), SINGLE, "has label -1"),
        ((0.5,), SINGLE, "has label 0.5"),
        ((float("nan"),), SINGLE, "has label nan"),
        ((1, 0, 1), SINGLE, "a.jpg has 3 labels, not one; set multi_label to 1."),
        ((), SINGLE, "a.jpg has 0 labels"),
        ((1, 2, 0), MULTI_HOT, "has label 2; labels are whole numbers from 0 to 1."),
        ((0, 3), CLASS_ID, "has label 3; labels are whole numbers from 0 to 2."),
        (
            (1, 0),
            MULTI_HOT,
            "Mismatch between number of labels in the multi-label data (2) and the num_classes parameter (3)",
        ),
    ],
)
def test_labels_that_training_cannot_use_are_refused(labels, how, sentence):
    with pytest.raises(ClientError) as raised:
        target_of(*labels, **how)
    assert sentence in str(raised.value)
