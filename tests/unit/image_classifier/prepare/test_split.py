import hashlib
from collections import Counter
from dataclasses import replace

import pytest

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.inspection import Inspected
from image_classifier.prepare.layout import Listed
from image_classifier.prepare.split import Fractions, choose, fill_splits, share


def inspected(name, content, split="train", placed=None):
    class_name = name.split("/")[0]
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    return Inspected(Listed(name, class_name, placed), split, sha256, f"{name}.jpg", 1, 1, uploaded=True)


def many(class_name, count, *, seed=0, fraction=0.2, test=0.0):
    fractions = Fractions(seed, fraction, test)
    contents = [f"{class_name}{number}" for number in range(count)]
    images = [inspected(f"{class_name}/{content}", content) for content in contents]
    return [replace(one, split=fractions.split_of(one.sha256, None)) for one in images]


def splits(images):
    return {one.image.name: one.split for one in images}


def test_shares_spread_evenly():
    shares = [share(hashlib.sha256(str(number).encode()).hexdigest(), seed=0) for number in range(2048)]

    tenths = Counter(int(one * 10) for one in shares)

    assert set(tenths) == set(range(10))
    assert all(150 < count < 260 for count in tenths.values())


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_about_the_fraction_validates(fraction):
    found = Counter(one.split for one in many("cat", 1000, fraction=fraction))

    assert abs(found["validation"] - 1000 * fraction) < 50


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3])
def test_about_the_fraction_is_for_tests_and_validation_stays_what_it_was(fraction):
    before, after = splits(many("cat", 1000)), splits(many("cat", 1000, test=fraction))

    assert abs(Counter(after.values())["test"] - 1000 * fraction) < 50
    assert [name for name, split in after.items() if split == "validation"] == [
        name for name, split in before.items() if split == "validation"
    ]


def test_of_a_source_with_splits_only_train_images_go_to_test():
    fractions = Fractions(0, 0.5, 0.99)
    shas = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(100)]

    assert {fractions.split_of(sha256, "validation") for sha256 in shas} == {"validation"}
    assert Counter(fractions.split_of(sha256, "train") for sha256 in shas)["test"] > 90
    assert "validation" not in {fractions.split_of(sha256, "train") for sha256 in shas}


def test_another_seed_is_another_split():
    assert splits(many("cat", 50, seed=1)) != splits(many("cat", 50, seed=2))


def test_an_image_that_is_added_or_removed_moves_no_other():
    before, after = (
        splits(fill_splits(many("cat", 60), seed=0, is_split=False)),
        splits(fill_splits(many("cat", 61)[1:], seed=0, is_split=False)),
    )

    assert len(before.items() & after.items()) == 59


def test_a_tiny_class_gets_an_image_in_both_splits():
    for count in range(2, 8):
        for fraction in (0.01, 0.99):
            found = Counter(
                one.split for one in fill_splits(many("cat", count, fraction=fraction), seed=0, is_split=False)
            )
            assert set(found) == {"train", "validation"}
            assert sum(found.values()) == count


def test_a_tiny_class_whose_images_all_fall_into_test_still_trains():
    for count in range(2, 8):
        found = [one.split for one in fill_splits(many("cat", count, test=0.79), seed=0, is_split=False)]
        assert {"train", "validation"} <= set(found)
    placed = [replace(one, split="test", image=replace(one.image, split="train")) for one in many("cat", 3)]
    assert sorted(one.split for one in fill_splits(placed, seed=0, is_split=True)) == ["test", "test", "train"]


def test_test_images_that_the_source_names_stay_in_test():
    placed = [replace(one, split="test", image=replace(one.image, split="test")) for one in many("cat", 3)]

    assert {one.split for one in fill_splits(placed, seed=0, is_split=True)} == {"test"}


def test_a_class_with_both_splits_is_left_alone():
    images = many("cat", 100)

    assert splits(fill_splits(images, seed=0, is_split=False)) == splits(images)


def test_a_class_with_one_image_is_refused():
    with pytest.raises(DatasetError, match="'dog' have one usable image each"):
        fill_splits([*many("cat", 9), inspected("dog/1", "x")], seed=0, is_split=False)


def test_copies_within_a_split_are_kept_once_the_first_by_name():
    chosen = choose([inspected("cat/b", "x"), inspected("cat/a", "x"), inspected("cat/c", "y")])

    assert [one.image.name for one in chosen.images] == ["cat/a", "cat/c"]
    assert [(one.image.name, kept.image.name) for one, kept in chosen.duplicates] == [("cat/b", "cat/a")]
    assert (chosen.leaks, chosen.conflicts) == ((), ())


def test_an_image_in_both_splits_stays_in_train():
    chosen = choose([inspected("cat/a", "x", "validation"), inspected("cat/b", "x", "train")])

    assert [one.image.name for one in chosen.images] == ["cat/b"]
    assert [(one.image.name, kept.image.name) for one, kept in chosen.leaks] == [("cat/a", "cat/b")]
    assert chosen.duplicates == ()


def test_an_image_in_test_and_in_train_stays_in_test():
    chosen = choose([inspected("cat/a", "x"), inspected("cat/b", "x", "test")])

    assert [one.image.name for one in chosen.images] == ["cat/b"]
    assert [(one.image.name, kept.image.name) for one, kept in chosen.leaks] == [("cat/a", "cat/b")]


def test_an_image_under_two_classes_is_in_neither():
    same = [inspected("cat/a", "x"), inspected("dog/a", "x", "validation"), inspected("cat/b", "x")]

    chosen = choose([*same, inspected("cat/c", "y")])

    assert [one.image.name for one in chosen.images] == ["cat/c"]
    assert [sorted(one.image.name for one in group) for group in chosen.conflicts] == [["cat/a", "cat/b", "dog/a"]]
    assert (chosen.duplicates, chosen.leaks) == ((), ())
