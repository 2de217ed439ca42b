import hashlib
from collections import Counter
from dataclasses import replace

import pytest

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.inspection import Inspected
from image_classifier.prepare.layout import Listed
from image_classifier.prepare.split import choose, fill_both_splits, share, split_of


def inspected(name, content, split="train"):
    class_name = name.split("/")[0]
    sha256 = hashlib.sha256(content.encode()).hexdigest()
    return Inspected(Listed(name, class_name, None), split, sha256, f"{name}.jpg", 1, 1, uploaded=True)


def many(class_name, count, *, seed=0, fraction=0.2):
    contents = [f"{class_name}{number}" for number in range(count)]
    images = [inspected(f"{class_name}/{content}", content) for content in contents]
    return [replace(one, split=split_of(one.sha256, seed=seed, validation_fraction=fraction)) for one in images]


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


def test_another_seed_is_another_split():
    assert splits(many("cat", 50, seed=1)) != splits(many("cat", 50, seed=2))


def test_an_image_that_is_added_or_removed_moves_no_other():
    before, after = (
        splits(fill_both_splits(many("cat", 60), seed=0)),
        splits(fill_both_splits(many("cat", 61)[1:], seed=0)),
    )

    assert len(before.items() & after.items()) == 59


def test_a_tiny_class_gets_an_image_in_both_splits():
    for count in range(2, 8):
        for fraction in (0.01, 0.99):
            found = Counter(one.split for one in fill_both_splits(many("cat", count, fraction=fraction), seed=0))
            assert set(found) == {"train", "validation"}
            assert sum(found.values()) == count


def test_a_class_with_both_splits_is_left_alone():
    images = many("cat", 100)

    assert splits(fill_both_splits(images, seed=0)) == splits(images)


def test_a_class_with_one_image_is_refused():
    with pytest.raises(DatasetError, match="'dog' have one usable image each"):
        fill_both_splits([*many("cat", 9), inspected("dog/1", "x")], seed=0)


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


def test_an_image_under_two_classes_is_in_neither():
    same = [inspected("cat/a", "x"), inspected("dog/a", "x", "validation"), inspected("cat/b", "x")]

    chosen = choose([*same, inspected("cat/c", "y")])

    assert [one.image.name for one in chosen.images] == ["cat/c"]
    assert [sorted(one.image.name for one in group) for group in chosen.conflicts] == [["cat/a", "cat/b", "dog/a"]]
    assert (chosen.duplicates, chosen.leaks) == ((), ())
