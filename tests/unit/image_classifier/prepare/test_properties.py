"""Checks properties of every data set: its split, its groups of near-duplicates, its lists and its fingerprint."""

import random
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.image_classifier.prepare.inspected_images import inspected_image

from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.training.image_list import parse
from image_classifier.prepare import spool as spool_module
from image_classifier.prepare.assemble import Assembler, Dataset
from image_classifier.prepare.inspection.inspector import Rejected
from image_classifier.prepare.inspection.near_duplicates import MAX_DISTANCE, Look
from image_classifier.prepare.layout.folders import LISTED, layout_of
from image_classifier.prepare.layout.images import Listed, ListedImages
from image_classifier.prepare.picked import Found, Picked
from image_classifier.prepare.placed_before import PlacedBefore
from image_classifier.prepare.placement import Placer
from image_classifier.prepare.publish import image_lists
from image_classifier.prepare.report.document import manifest_lines
from image_classifier.prepare.split import Fractions
from image_classifier.prepare.spool import Spool

KEYS = Keys("pets")
CLASSES = ("ant", "bee", "cat")
FRACTIONS = Fractions(0, validation=0.3, test=0.2)
GREYS = [random.Random(seed).randbytes(128) for seed in (1, 2)]
HASHES = [random.Random(seed).getrandbits(64) for seed in range(10, 14)]


@st.composite
def looks(draw):
    """Looks around a few pictures: up to nine bits from them, so that near ones form chains."""
    bits = draw(st.sets(st.integers(0, 20), max_size=9))
    near = draw(st.sampled_from(HASHES)) ^ sum(1 << bit for bit in bits)
    return Look(near, draw(st.sampled_from(GREYS)), draw(st.booleans()))


@dataclass(frozen=True)
class Drawn:
    """The files of a source: (content, class, split that the source names), and the look of each content."""

    files: tuple[tuple[int, str, str | None], ...]
    looks: dict[int, Look | None]

    def images(self, name="{number}"):
        """Return the inspected images; each has its own name."""
        return [
            inspected_image(
                f"{class_name}/{name.format(number=number)}",
                f"content {content}",
                placed=placed,
                look=self.looks[content],
            )
            for number, (content, class_name, placed) in enumerate(self.files)
        ]


def sha_of(content):
    return inspected_image("x", f"content {content}").sha256


@st.composite
def drawn(draw, *, first=0, names_splits=None):
    """Some files of each class; a few have the same content."""
    contents = st.integers(first, first + 25)
    is_split = draw(st.booleans()) if names_splits is None else names_splits
    placed = st.sampled_from(["train", "train", "validation", "test"]) if is_split else st.none()
    one = st.tuples(contents, st.sampled_from(CLASSES), placed)
    rest = draw(st.lists(one, max_size=24))
    # Two contents of each class that no other file has, in train where the source names splits.
    least = [(first + 26 + number, CLASSES[number % 3], "train" if is_split else None) for number in range(6)]
    files = (*rest, *least)
    found = {content: draw(st.none() | looks()) for content in sorted({content for content, _, _ in files})}
    return Drawn(files, found)


def assembled(images, *, before=None, rejected=()):
    """The data set, or None if it is refused."""
    layout = layout_of(ListedImages(one.image for one in [*images, *rejected]), where="x", level="")
    listed = layout.images[: len(images)]  # where the source has no validation images, those of train have no split
    images = [
        replace(one, image=image, split=FRACTIONS.split_of(one.sha256, image.split))
        for one, image in zip(images, listed, strict=True)
    ]
    placer = Placer(FRACTIONS, not layout.has_validation, before or PlacedBefore())
    assembler = Assembler("x", layout, layout.classes, "p", placer, 0.9)
    try:
        return assembler.assemble(Found([*images, *rejected]))
    except DatasetError:
        return None


def every(dataset: Dataset):
    """The images with a split, also those left out beside a test image."""
    return [*dataset.images, *(one for one, _ in dataset.placement.near_test)]


def splits(dataset):
    return {one.sha256: (one.split, one.group) for one in every(dataset)}


@settings(max_examples=50)
@given(drawn())
def test_facts_on_disk_make_the_same_data_set_as_facts_in_memory(source):
    kept = assembled(source.images())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spool_module, "KEPT", 3)
        spilled = assembled(source.images())

    assert (kept is None) == (spilled is None)
    if kept:
        assert list(spilled.images) == list(kept.images)
        assert spilled.fingerprint == kept.fingerprint
        assert image_lists(spilled) == image_lists(kept)
        assert list(manifest_lines(spilled, keys=KEYS)) == list(manifest_lines(kept, keys=KEYS))


@settings(max_examples=50)
@given(drawn(), st.randoms(use_true_random=False))
def test_the_order_of_the_files_changes_nothing(source, chance):
    images = source.images()
    mixed = chance.sample(images, len(images))

    one, other = assembled(images), assembled(mixed)

    assert (one is None) == (other is None)
    if one and other:
        assert one.fingerprint == other.fingerprint
        assert image_lists(one) == image_lists(other)
        assert list(one.images) == list(other.images)
        assert set(one.placement.near_test) == set(other.placement.near_test)


@settings(max_examples=50)
@given(drawn())
def test_the_names_of_the_files_do_not_change_the_fingerprint(source):
    one, other = assembled(source.images()), assembled(source.images("deep/{number:>9}.jpeg"))

    assert (one is None) == (other is None)
    if one and other:
        assert (one.fingerprint, splits(one), image_lists(one)) == (
            other.fingerprint,
            splits(other),
            image_lists(other),
        )


@settings(max_examples=50)
@given(drawn(), st.data())
def test_the_fingerprint_changes_with_every_image(source, data):
    dataset = assembled(source.images())
    if dataset is None:
        return
    place = data.draw(st.integers(0, len(dataset.images) - 1))
    image = dataset.images[place]
    other = replace(image, facts=replace(image.facts, sha256=sha_of(999)))
    moved = replace(image, split="test" if image.split == "train" else "train")
    for changed in ([], [other], [moved]):
        spool = Spool.of([*dataset.images[:place], *changed, *dataset.images[place + 1 :]])
        images = Picked(spool, np.arange(len(spool)), spool.own)
        placement = replace(dataset.placement, images=images)
        assert replace(dataset, placement=placement).fingerprint != dataset.fingerprint


@settings(max_examples=50)
@given(drawn(), st.integers(0, 5))
def test_every_file_is_used_or_left_out_once(source, broken):
    images = source.images()
    rejected = [Rejected(Listed(f"ant/broken {number}", "ant", None), "corrupt", "It is.") for number in range(broken)]

    dataset = assembled(images, rejected=rejected)

    if dataset:
        chosen = dataset.chosen
        left_out = [one for pairs in (chosen.duplicates, chosen.leaks, dataset.placement.near_test) for one, _ in pairs]
        conflicting = [one for group in chosen.conflicts for one in group]
        found = [one.image.name for one in (*dataset.images, *left_out, *conflicting, *dataset.rejected)]
        assert sorted(found) == sorted([one.image.name for one in (*images, *rejected)])
        assert len({one.sha256 for one in dataset.images}) == len(dataset.images)


@settings(max_examples=50)
@given(drawn())
def test_every_class_is_trained_and_validated_and_source_splits_stay(source):
    dataset = assembled(source.images())

    if dataset:
        assert all(dataset.counts()["train"].values())
        placed = [one for one in every(dataset) if one.image.split in ("validation", "test")]
        assert all(one.split == one.image.split for one in placed)
        if not dataset.layout.has_validation:
            of_class = defaultdict(set)
            for one in every(dataset):
                of_class[one.image.class_name].add(one.split)
            assert all("validation" in found for found in of_class.values())


def alike(one, other):
    return bool(one and other) and one.distance(other) <= MAX_DISTANCE and one.is_like(other)


@settings(max_examples=50)
@given(drawn())
def test_no_listed_image_looks_like_a_test_image(source):
    dataset = assembled(source.images())

    if dataset:
        tests = [one.facts.look for one in dataset.of("test")]
        listed = [one.facts.look for one in dataset.images if one.split in LISTED]
        assert not [1 for look in listed for test in tests if alike(look, test)]
        for one, test in dataset.placement.near_test:
            assert alike(one.facts.look, test.facts.look)
            assert (one.split in LISTED, test.split) == (True, "test")


@settings(max_examples=50)
@given(drawn())
def test_the_images_of_a_group_look_like_its_first(source):
    dataset = assembled(source.images())

    if dataset:
        by_sha = {one.sha256: one for one in every(dataset)}
        firsts = [one for one in by_sha.values() if one.group == one.sha256]
        for one in by_sha.values():
            first = by_sha[one.group]
            assert first.group == first.sha256
            assert one is first or alike(one.facts.look, first.facts.look)
        assert not [
            1 for one in firsts for other in firsts if one is not other and alike(one.facts.look, other.facts.look)
        ]


@settings(max_examples=50)
@given(drawn(names_splits=False))
def test_a_group_is_in_one_split_but_for_what_a_class_needs(source):
    dataset = assembled(source.images())

    if dataset:
        by_group = defaultdict(Counter)
        for one in every(dataset):
            by_group[one.group][one.split] += 1
        # `_filled` moves at most two images of a class, which would otherwise have none in a split.
        moved = sum(sum(counts.values()) - max(counts.values()) for counts in by_group.values())
        assert moved <= 2 * len(dataset.labels)


@given(st.booleans().flatmap(lambda is_split: st.tuples(*(drawn(first=at, names_splits=is_split) for at in (0, 40)))))
@settings(max_examples=60)
def test_images_that_are_added_later_move_none(sources):
    old, new = (source.images(f"{at} {{number}}") for at, source in enumerate(sources))
    first = assembled(old)
    if first is None:
        return
    before = PlacedBefore()
    for one in every(first):
        before.add(one.sha256, group=one.group, split=one.split, look=one.facts.look)

    second = assembled([*old, *new], before=before)

    if second and second.layout.splits == first.layout.splits:
        now = splits(second)
        assert {sha256: found for sha256, found in now.items() if sha256 in splits(first)} == splits(first)


@settings(max_examples=50)
@given(drawn())
def test_the_lists_hold_every_listed_image_once_with_its_class(source):
    dataset = assembled(source.images())

    if dataset:
        lists = {split: parse(text.decode()) for split, text in image_lists(dataset).items()}
        indices = [entry.index for entries in lists.values() for entry in entries]
        assert sorted(indices) == list(range(len(indices)))
        for split, entries in lists.items():
            wanted = [(one.path, dataset.labels.index(one.image.class_name)) for one in dataset.of(split)]
            assert sorted((entry.path, entry.label) for entry in entries) == sorted(wanted)


HASHED = st.integers(0, 10**9).map(sha_of)
TENTHS = st.integers(0, 10).map(lambda tenths: tenths / 10)


@given(HASHED, TENTHS, TENTHS, st.integers(0, 3))
def test_a_test_split_takes_images_from_train_alone(sha256, validation, test, seed):
    if validation + test >= 1:
        return
    before, after = (Fractions(seed, validation, share).split_of(sha256, None) for share in (0.0, test))

    assert (before, after) in {("train", "train"), ("train", "test"), ("validation", "validation")}
    assert Fractions(seed, validation, test).split_of(sha256, "validation") == "validation"
    assert Fractions(seed, validation, test, frozenset({sha256})).split_of(sha256, None) == "train"
