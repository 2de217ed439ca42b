from types import SimpleNamespace

import pytest

from image_classifier.prepare.report import warnings
from image_classifier.prepare.report.look_alikes import look_alikes


def test_dark_images_of_16_bits_are_to_be_multiplied_like_the_uploads():
    dark = SimpleNamespace(facts=SimpleNamespace(traits=("16_bit", "dark_16_bit")))

    (warning,) = warnings._pixels(SimpleNamespace(images=[dark, dark], pixels_key=""), side_px=224)

    assert warning.startswith("2 images have 16 bits per value and are nearly black")
    assert "Multiply the values of all images, and of those to classify, by the same number, 16 for 12 bits." in warning


@pytest.mark.parametrize(
    ("labels", "differ"),
    [
        (["cat", "cat "], "in blanks or in letters that look alike"),
        (["hot dog", "hot  dog"], "in blanks or in letters that look alike"),
        (["hot_dog", "hot dog"], "in blanks or in letters that look alike"),
        (["cat", "\u0441\u0430t"], "in blanks or in letters that look alike"),
        (["no", "n\u03bf"], "in blanks or in letters that look alike"),
        (["cat", "ca\u200bt"], "in blanks or in letters that look alike"),
        (["Cat", "cat"], "in case alone"),
    ],
)
def test_classes_that_look_alike_are_warned_of(labels, differ):
    (warning,) = look_alikes(labels)

    assert "are they one?" in warning
    assert repr(labels[0]) in warning
    assert f"differ {differ}" in warning


def test_a_letter_of_another_script_is_shown_by_its_number():
    (warning,) = look_alikes(["cat", "\u0441at"])

    assert r"(\u0441at)" in warning


def test_other_classes_are_not():
    assert list(look_alikes(["cat", "cat2", "dog", "c", "\u043a\u043e\u0442", "1 1", "11"])) == []


def test_four_thousand_classes_are_compared_at_once():
    labels = [f"class {number}" for number in range(4000)]

    assert list(look_alikes([*labels, "Class 7"])) == [
        "Classes 'class 7' and 'Class 7' differ in case alone; are they one?"
    ]


def test_of_many_pairs_eight_are_named():
    labels = [f"{kind} {number}" for number in range(20) for kind in ("class", "Class")]

    assert len(found := list(look_alikes(labels))) == 9
    assert found[-1] == "12 more classes have names that look like another's."
