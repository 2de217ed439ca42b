from types import SimpleNamespace

import pytest

from image_classifier.prepare.report import warnings
from image_classifier.prepare.report.look_alikes import look_alikes


def warned(*traits):
    images = [SimpleNamespace(facts=SimpleNamespace(traits=found)) for found in traits]
    return list(warnings._pixels(SimpleNamespace(images=images, pixels_key=""), side_px=224))


def test_dark_images_of_16_bits_are_to_be_multiplied_like_the_uploads():
    (warning,) = warned(("16_bit", "dark_16_bit"), ("16_bit", "dark_16_bit"))

    assert warning.startswith("2 images have 16 bits per value and nearly black pixels")
    assert "Multiply the values of all images, and of those to classify, by the same number, 16 for 12 bits." in warning


def test_a_single_image_is_one_image():
    small, dark = warned(("enlarged", "dark_16_bit"))

    assert small == "1 image is smaller than 224 pixels a side and was enlarged."
    assert dark.startswith("1 image has 16 bits")
    assert warned(("enlarged",), ("enlarged",)) == ["2 images are smaller than 224 pixels a side and were enlarged."]


def group(*placed):
    return [SimpleNamespace(split=split, image=SimpleNamespace(class_name=name)) for split, name in placed]


def test_groups_in_two_splits_or_of_two_classes_are_counted():
    one, two = group(("train", "cat"), ("validation", "cat")), group(("train", "cat"), ("train", "dog"))

    spanning, doubtful = warnings._spanning(SimpleNamespace(groups_of_several=lambda: [one, two, two]))

    assert spanning.startswith("1 group of nearly equal images is in train and in validation, ")
    assert doubtful == "2 groups of nearly equal images have several classes; see near_duplicates."


@pytest.mark.parametrize(
    ("test", "others", "is_said"), [(1, 335, True), (5, 335, False), (1, 20, False), (0, 335, False)]
)
def test_a_large_class_with_hardly_any_test_image_is_named(test, others, is_said):
    counts = {"train": {"normal": others - 10}, "validation": {"normal": 10}, "test": {"normal": test}}

    said = [warning.partition(":")[0] for warning in warnings._hardly_tested(counts)]

    assert said == (["Class 'normal' has 1 test image and 335 others"] if is_said else [])


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
