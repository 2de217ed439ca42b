"""Checks the split of each image: alone, with its near-duplicates, and after an earlier version."""

import hashlib
import random
from collections import Counter
from dataclasses import dataclass

import pytest

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.placed_before import PlacedBefore
from image_classifier.prepare.placement import Placer
from image_classifier.prepare.split import Fractions, choose
from image_classifier.prepare.spool import Spool


@dataclass(frozen=True)
class Placing:
    """Places images as they are chosen: in the order of their content, whatever their own order."""

    placer: Placer

    def of(self, images):
        return self.placer.place(choose(Spool.of(images)).images)


def placer(*, validation=0.2, test=0.0, needs_validation=True, before=None):
    return Placing(Placer(Fractions(0, validation, test), needs_validation, before or PlacedBefore()))


def splits(placement):
    return {one.image.name: one.split for one in placement.images}


def looks(seed, copies):
    """Looks of one picture and its copies: a bit or two of the hash differs."""
    made = random.Random(seed)
    first, grey = made.getrandbits(64), made.randbytes(128)
    return [Look(first ^ (1 << copy if copy else 0), grey) for copy in range(copies)]


@pytest.fixture
def many(inspected):
    def make(class_name, count):
        return [inspected(f"{class_name}/{class_name}{number}") for number in range(count)]

    return make


@pytest.fixture
def copied(inspected):
    """Groups of three images each that look nearly the same."""

    def make(groups, copies=3):
        return [
            inspected(f"cat/{group} {number}", look=look)
            for group in range(groups)
            for number, look in enumerate(looks(group, copies))
        ]

    return make


def before_of(placement, *, same_split=True):
    """What the next version knows of this one."""
    before = PlacedBefore()
    for one in placement.images:
        before.add(one.sha256, group=one.group, split=one.split if same_split else None, look=one.facts.look)
    return before


def test_an_image_that_is_added_or_removed_moves_no_other(many):
    before, after = splits(placer().of(many("cat", 60))), splits(placer().of(many("cat", 61)[1:]))

    assert len(before.items() & after.items()) == 59


@pytest.mark.parametrize("fraction", [0.01, 0.99])
def test_a_tiny_class_gets_an_image_in_both_splits(many, fraction):
    for count in range(2, 8):
        found = Counter(splits(placer(validation=fraction).of(many("cat", count))).values())
        assert set(found) == {"train", "validation"}
        assert sum(found.values()) == count


def test_a_tiny_class_whose_images_all_fall_into_test_still_trains(many, inspected):
    for count in range(2, 8):
        found = splits(placer(test=0.79).of(many("cat", count))).values()
        assert {"train", "validation"} <= set(found)
    placed = [inspected(f"cat/{number}", placed="train") for number in range(3)]
    found = splits(placer(test=0.999, needs_validation=False).of(placed)).values()
    assert sorted(found) == ["test", "test", "train"]


def test_test_images_that_the_source_names_stay_in_test(inspected):
    placed = [inspected(f"cat/{number}", placed="test") for number in range(3)]

    assert set(splits(placer(needs_validation=False).of(placed)).values()) == {"test"}


def test_a_class_with_one_image_is_refused(many, inspected):
    with pytest.raises(DatasetError, match="of 'dog' there is one usable image each"):
        placer().of([*many("cat", 9), inspected("dog/1")])


def test_no_group_of_near_duplicates_is_in_two_splits(copied):
    placement = placer(test=0.2).of(copied(60))

    by_group = Counter((one.group, one.split) for one in placement.images)
    assert set(by_group.values()) == {3}
    assert set(splits(placement).values()) == {"train", "validation", "test"}
    assert len(placement.near_test) == 0


def test_a_new_image_goes_where_the_oldest_of_its_group_is(copied):
    images = copied(60)
    first = placer(test=0.2).of(images[::3])

    second = placer(test=0.2, before=before_of(first)).of(images)

    assert splits(first).items() <= splits(second).items()
    assert {one.group for one in second.images} == {one.group for one in first.images}
    assert set(Counter((one.group, one.split) for one in second.images).values()) == {3}


def test_a_new_image_goes_where_a_group_was_whose_images_have_left(copied):
    images = copied(60)
    first = placer(test=0.2).of(images[::3])

    second = placer(test=0.2, before=before_of(first)).of(images[1::3])

    before = {one.group: one.split for one in first.images}
    assert {one.group: one.split for one in second.images} == before


def test_other_settings_split_again_and_keep_the_groups(copied):
    images = copied(60)
    first = placer().of(images)

    second = placer(validation=0.5, before=before_of(first, same_split=False)).of(images)

    assert splits(first) != splits(second)
    assert {one.image.name: one.group for one in first.images} == {one.image.name: one.group for one in second.images}


def test_images_of_a_version_without_groups_stay_where_their_contents_say(copied):
    images = copied(40)
    before = PlacedBefore()
    for one in images:
        before.add(one.sha256, group="", split=None, look=None)
    fractions = Fractions(0, 0.2, 0.0)

    placement = placer(before=before).of(images)

    assert splits(placement) == {one.image.name: fractions.split_of(one.sha256, None) for one in images}


@pytest.mark.parametrize("seed", range(8))
def test_train_and_validation_images_near_a_test_image_are_left_out(inspected, seed):
    train, test, validation, far = [*looks(1, 3), *looks(2, 1)]
    images = [
        inspected("cat/a", f"a{seed}", placed="train", look=train),
        inspected("cat/b", f"b{seed}", placed="test", look=test),
        inspected("cat/c", f"c{seed}", placed="validation", look=validation),
        inspected("cat/d", f"d{seed}", placed="train", look=far),
    ]

    placement = placer(needs_validation=False).of(images)

    assert splits(placement) == {"cat/b": "test", "cat/d": "train"}
    assert {(one.image.name, one.split, test.image.name) for one, test in placement.near_test} == {
        ("cat/a", "train", "cat/b"),
        ("cat/c", "validation", "cat/b"),
    }


@pytest.mark.parametrize("seed", range(8))
def test_an_image_near_the_source_s_own_test_image_does_not_go_to_test(inspected, many, seed):
    test, other = looks(1, 2)
    images = [
        *many("cat", 20),
        inspected("cat/b", f"b{seed}", placed="test", look=test),
        inspected("cat/a", f"a{seed}", look=other),
    ]

    placement = placer().of(images)

    assert [one.image.name for one in placement.images if one.split == "test"] == ["cat/b"]
    assert [one.image.name for one, _ in placement.near_test] == ["cat/a"]


def test_a_train_image_like_a_validation_image_does_not_go_to_test(inspected):
    pairs = [looks(seed, 2) for seed in range(40)]
    images = [inspected(f"cat/v{number}", placed="validation", look=pair[0]) for number, pair in enumerate(pairs)]
    images += [inspected(f"cat/t{number}", placed="train", look=pair[1]) for number, pair in enumerate(pairs)]

    placement = placer(test=0.5, needs_validation=False).of(images)

    assert Counter(splits(placement).values()) == {"validation": 40, "train": 40}


def test_the_source_may_take_an_image_out_of_the_split_that_it_was_in(inspected):
    was_test, was_validation = inspected("cat/a", placed="train"), inspected("cat/b", placed="train")
    before = PlacedBefore()
    before.add(was_test.sha256, group=was_test.sha256, split="test", look=None)
    before.add(was_validation.sha256, group=was_validation.sha256, split="validation", look=None)

    placement = placer(needs_validation=False, before=before).of([was_test, was_validation])

    assert set(splits(placement).values()) == {"train"}


def test_the_order_of_the_images_does_not_matter(copied):
    images = copied(30)
    shuffled = sorted(images, key=lambda one: hashlib.sha256(one.image.name.encode()).digest())

    assert splits(placer().of(images)) == splits(placer().of(shuffled))
