"""Assigns images to train, validation and test by their content, so that a new image does not move any other."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from image_classifier.prepare.inspection.inspector import Inspected
from image_classifier.prepare.layout.split_folders import Split


def share(sha256: str, *, seed: int) -> float:
    """Return a number from 0 to below 1 that depends only on the content and the seed."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{sha256}".encode()).digest()[:7], "big") / 2**56


@dataclass(frozen=True)
class Fractions:
    """The shares of validation and test; the seed and an image's content decide its split.

    Attributes:
        only_train: the SHA-256 of images that must be in train.

    """

    seed: int
    validation: float
    test: float
    only_train: frozenset[str] = frozenset()

    def split_of(self, sha256: str, placed: Split | None) -> Split:
        """Return the split of an image: validation if its share is low, test if it is high.

        Every image is assigned independently: about the fraction of each class is in validation (of 100 images and 0.2,
            16
        to 24 in two cases of three), and adding or removing an image moves no other. An image that the source places in
        train may be assigned to test; images in other splits stay there.

        Args:
            sha256: SHA-256 of the source file.
            placed: the split that the source names, or None.

        """
        if placed in ("validation", "test"):
            return placed
        if sha256 in self.only_train:
            return "train"
        own_share = share(sha256, seed=self.seed)
        if own_share >= 1 - self.test:
            return "test"
        return "validation" if placed is None and own_share < self.validation else "train"

    def may_be(self, split: Split, placed: Split | None) -> bool:
        """Whether an image with this split in the source may be in the split of an earlier version."""
        if placed in ("validation", "test"):
            return split == placed
        return self.test > 0 if split == "test" else split == "train" or placed is None


@dataclass(frozen=True)
class Chosen:
    """The images of the data set, and those left out as duplicates."""

    images: tuple[Inspected, ...]
    duplicates: tuple[tuple[Inspected, Inspected], ...]  # (left out, the equal image that was kept)
    leaks: tuple[tuple[Inspected, Inspected], ...]  # (left out of one split, the equal image in another)
    conflicts: tuple[
        tuple[Inspected, ...], ...
    ]  # images with equal content in several classes, of which the right one is unknown


def choose(inspected: Iterable[Inspected]) -> Chosen:
    """Keep one image of each content; none if it is in several classes.

    Of several splits test keeps it, otherwise train, because an image of train can neither test nor validate a model.
    """
    groups: dict[str, list[Inspected]] = defaultdict(list)
    for image in sorted(inspected, key=lambda one: (one.split, one.image.name)):  # in the order test, train, validation
        groups[image.sha256].append(image)
    images, duplicates, leaks, conflicts = [], [], [], []
    for group in groups.values():
        first, *others = group
        if len({one.image.class_name for one in group}) > 1:
            conflicts.append(tuple(group))
            continue
        images.append(first)
        duplicates += [(other, first) for other in others if other.split == first.split]
        leaks += [(other, first) for other in others if other.split != first.split]
    return Chosen(tuple(images), tuple(duplicates), tuple(leaks), tuple(conflicts))
