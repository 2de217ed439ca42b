"""Which usable images are for train, validation and test: by content, so that an image that is added moves no other."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from image_classifier.prepare.inspection.inspector import Inspected
from image_classifier.prepare.layout.split_folders import Split


def share(sha256: str, *, seed: int) -> float:
    """A number from 0 to below 1 that only the content and the seed decide."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{sha256}".encode()).digest()[:7], "big") / 2**56


@dataclass(frozen=True)
class Fractions:
    """How large validation and test are; the seed decides, with an image's content, which images are in them.

    Attributes:
        only_train: the sha256 of images that neither validate nor test.

    """

    seed: int
    validation: float
    test: float
    only_train: frozenset[str] = frozenset()

    def split_of(self, sha256: str, placed: Split | None) -> Split:
        """Where an image goes: validation if its share is low, test if it is high.

        Every image is placed by itself: of each class about the fraction validates (of 100 images and 0.2, 16 to 24 of
        them in two cases of three), and an image that is added, or taken away, moves none of the others. What a source
        places in train may go to test; what it places elsewhere stays there.

        Args:
            sha256: of the source file.
            placed: the split that the source names, if it names one.

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
        """Whether an image that the source places there may be in a split that an earlier version chose for it."""
        if placed in ("validation", "test"):
            return split == placed
        return self.test > 0 if split == "test" else split == "train" or placed is None


@dataclass(frozen=True)
class Chosen:
    """The images of the data set, and those left out because their content was there already."""

    images: tuple[Inspected, ...]
    duplicates: tuple[tuple[Inspected, Inspected], ...]  # left out, and the same image that stayed
    leaks: tuple[tuple[Inspected, Inspected], ...]  # left out of one split, and the same image in another
    conflicts: tuple[tuple[Inspected, ...], ...]  # the same content under several classes: nobody knows which is right


def choose(inspected: Iterable[Inspected]) -> Chosen:
    """Keep one image of each content; none, if it is under several classes.

    Of several splits test keeps it, else train: what a model has seen can neither test nor validate it.
    """
    groups: dict[str, list[Inspected]] = defaultdict(list)
    for image in sorted(inspected, key=lambda one: (one.split, one.image.name)):  # test, train, validation
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
