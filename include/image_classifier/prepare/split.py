"""Assigns images to train, validation and test by their content, so that a new image does not move any other."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.picked import Pairs, Picked
from image_classifier.prepare.spool import Spool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from image_classifier.prepare.spool import Places


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
        16 to 24 in two cases of three), and adding or removing an image moves no other. An image that the source places
        in train may be assigned to test; images in other splits stay there.

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
        """Return whether an image with this split in the source may be in the split of an earlier version."""
        if placed in ("validation", "test"):
            return split == placed
        return self.test > 0 if split == "test" else split == "train" or placed is None


@dataclass(frozen=True)
class Chosen:
    """The images of the data set, and those left out as duplicates."""

    images: Picked  # in the order of their SHA-256
    duplicates: Pairs  # (left out, the equal image that was kept)
    leaks: Pairs  # (left out of one split, the equal image in another)
    conflicts: tuple[Picked, ...]  # images with equal content in several classes, of which the right one is unknown


def choose(images: Spool) -> Chosen:
    """Select one of the images with the same bytes; none if they are in several classes.

    Of images in several splits that in test is selected, otherwise that in train: an image that trains a model can
    neither test nor validate it.
    """
    import numpy as np

    order = images.by_content()
    words = images.sha_words
    is_same = np.zeros(len(order) + 1, bool)  # as the one before it
    for column in range(words.shape[1] if len(order) else 0):
        same = words[order[1:], column] == words[order[:-1], column]
        is_same[1:-1] = same if column == 0 else is_same[1:-1] & same
    left, firsts = _Left(), list[int]()
    for group in _copies(images, order, is_same):
        first = group[0]
        if len({int(images.classes[at]) for at in group}) > 1:
            left.conflicts.append(group)
            continue
        firsts.append(first)
        for other in group[1:]:
            pairs = left.duplicates if images.own[other] == images.own[first] else left.leaks
            pairs.append((other, first))
    is_kept = np.zeros(len(order), bool)
    is_kept[order[~(is_same[:-1] | is_same[1:])]] = True
    is_kept[firsts] = True
    return left.chosen(images, order[is_kept[order]])


@dataclass(frozen=True)
class _Left:
    """The places of what is left out."""

    duplicates: list[tuple[int, int]] = field(default_factory=list)
    leaks: list[tuple[int, int]] = field(default_factory=list)
    conflicts: list[list[int]] = field(default_factory=list)

    def chosen(self, images: Spool, places: "Places") -> Chosen:
        import numpy as np

        def picked(wanted: Iterable[int]) -> Picked:
            found = np.fromiter(wanted, np.int64)
            return Picked(images, found, images.own[found])

        def pairs(wanted: list[tuple[int, int]]) -> Pairs:
            return Pairs(picked(one for one, _ in wanted), picked(kept for _, kept in wanted))

        conflicts = tuple(map(picked, self.conflicts))
        return Chosen(Picked(images, places, images.own[places]), pairs(self.duplicates), pairs(self.leaks), conflicts)


def _copies(images: Spool, order: "Places", is_same: "NDArray[np.bool_]") -> list[list[int]]:
    """Return the groups of images with the same content, each by split (test, train, validation) and name."""

    def key(at: int) -> tuple[int, str]:
        return int(images.own[at]), images.image(at).name

    groups: list[list[int]] = []
    for position in (is_same[:-1] | is_same[1:]).nonzero()[0].tolist():
        if not is_same[position]:
            groups.append([])
        groups[-1].append(int(order[position]))
    return sorted((sorted(group, key=key) for group in groups), key=lambda group: key(group[0]))
