import hashlib
from collections import Counter

import pytest

from image_classifier.prepare.split import Fractions, choose, share
from image_classifier.prepare.spool import Spool

SHAS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(2048)]


def splits(*, seed=0, validation=0.2, test=0.0, placed=None, shas=SHAS):
    fractions = Fractions(seed, validation, test)
    return [fractions.split_of(sha256, placed) for sha256 in shas]


def test_shares_spread_evenly():
    tenths = Counter(int(share(sha256, seed=0) * 10) for sha256 in SHAS)

    assert set(tenths) == set(range(10))
    assert all(150 < count < 260 for count in tenths.values())


@pytest.mark.parametrize("fraction", [0.1, 0.2, 0.5])
def test_about_the_fraction_validates(fraction):
    assert abs(splits(validation=fraction).count("validation") - 2048 * fraction) < 100


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3])
def test_about_the_fraction_is_for_tests_and_validation_stays_what_it_was(fraction):
    before, after = splits(), splits(test=fraction)

    assert abs(after.count("test") - 2048 * fraction) < 100
    assert [split == "validation" for split in before] == [split == "validation" for split in after]


def test_of_a_source_with_splits_only_train_images_go_to_test():
    assert set(splits(validation=0.5, test=0.99, placed="validation")) == {"validation"}
    assert splits(validation=0.5, test=0.95, placed="train").count("test") > 1850
    assert "validation" not in splits(validation=0.5, test=0.95, placed="train")


def test_another_seed_is_another_split():
    assert splits(seed=1) != splits(seed=2)


def test_copies_within_a_split_are_kept_once_the_first_by_name(inspected):
    chosen = choose(Spool.of([inspected("cat/b", "x"), inspected("cat/a", "x"), inspected("cat/c", "y")]))

    assert [one.image.name for one in chosen.images] == ["cat/a", "cat/c"]
    assert [(one.image.name, kept.image.name) for one, kept in chosen.duplicates] == [("cat/b", "cat/a")]
    assert (len(chosen.leaks), chosen.conflicts) == (0, ())


def test_an_image_in_both_splits_stays_in_train(inspected):
    chosen = choose(Spool.of([inspected("cat/a", "x", split="validation"), inspected("cat/b", "x")]))

    assert [one.image.name for one in chosen.images] == ["cat/b"]
    assert [(one.image.name, kept.image.name) for one, kept in chosen.leaks] == [("cat/a", "cat/b")]
    assert len(chosen.duplicates) == 0


def test_an_image_in_test_and_in_train_stays_in_test(inspected):
    chosen = choose(Spool.of([inspected("cat/a", "x"), inspected("cat/b", "x", split="test")]))

    assert [one.image.name for one in chosen.images] == ["cat/b"]
    assert [(one.image.name, kept.image.name) for one, kept in chosen.leaks] == [("cat/a", "cat/b")]


def test_an_image_under_two_classes_is_in_neither(inspected):
    same = [inspected("cat/a", "x"), inspected("dog/a", "x", split="validation"), inspected("cat/b", "x")]

    chosen = choose(Spool.of([*same, inspected("cat/c", "y")]))

    assert [one.image.name for one in chosen.images] == ["cat/c"]
    assert [sorted(one.image.name for one in group) for group in chosen.conflicts] == [["cat/a", "cat/b", "dog/a"]]
    assert (len(chosen.duplicates), len(chosen.leaks)) == (0, 0)
