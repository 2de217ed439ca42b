"""Which usable images are trained on and which validate: by content, so that no other image moves when one is added."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.inspection import Inspected
from image_classifier.prepare.layout import Split


def share(sha256: str, *, seed: int) -> float:
    """A number from 0 to below 1 that only the content and the seed decide."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{sha256}".encode()).digest()[:7], "big") / 2**56


def split_of(sha256: str, *, seed: int, validation_fraction: float) -> Split:
    """Validation if the image's share is below the fraction.

    Every image is placed by itself: of each class about the fraction validates (of 100 images and 0.2, 16 to 24 of
    them in two cases of three), and an image that is added, or taken away, moves none of the others.
    """
    return "validation" if share(sha256, seed=seed) < validation_fraction else "train"


@dataclass(frozen=True)
class Chosen:
    """The images of the data set, and those left out because their content was there already."""

    images: tuple[Inspected, ...]
    duplicates: tuple[tuple[Inspected, Inspected], ...]  # left out, and the same image that stayed
    leaks: tuple[tuple[Inspected, Inspected], ...]  # left out of validation, and the same image in train
    conflicts: tuple[tuple[Inspected, ...], ...]  # the same content under several classes: nobody knows which is right


def choose(inspected: Iterable[Inspected]) -> Chosen:
    """Keep one image of each content; in train, if it is in both splits; none, if it is under several classes."""
    groups: dict[str, list[Inspected]] = defaultdict(list)
    for image in sorted(inspected, key=lambda one: (one.split, one.image.name)):  # train sorts before validation
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


def fill_both_splits(images: Iterable[Inspected], *, seed: int) -> tuple[Inspected, ...]:
    """Give each class of a source without splits at least one image in both: in tiny classes chance may leave one out.

    Raises:
        DatasetError: a class has a single usable image.

    """
    classes: dict[str, list[Inspected]] = defaultdict(list)
    for image in sorted(images, key=lambda one: share(one.sha256, seed=seed)):
        classes[image.image.class_name].append(image)
    if single := sorted(name for name, members in classes.items() if len(members) == 1):
        message = (
            f"Too few images: {', '.join(map(repr, single))} have one usable image each, and every class needs one to "
            "train on and one to validate. Add images."
        )
        raise DatasetError(message)
    filled = []
    for members in classes.values():
        first, *middle, last = members
        filled += [replace(first, split="validation"), *middle, replace(last, split="train")]
    return tuple(filled)
