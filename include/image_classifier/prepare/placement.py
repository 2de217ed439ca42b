"""Assigns every image and its near-duplicates to a split, and keeps the splits of an earlier version."""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.assignment import Assignment
from image_classifier.prepare.inspection.near_duplicates import Looks
from image_classifier.prepare.layout.split_folders import Split, few
from image_classifier.prepare.picked import Pairs, Picked
from image_classifier.prepare.placed_before import PlacedBefore
from image_classifier.prepare.split import Fractions, share
from image_classifier.prepare.spool import CODE_OF_SPLIT, SPLIT_OF_CODE, TEST, TRAIN, VALIDATION

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from image_classifier.prepare.spool import Places


@dataclass(frozen=True)
class Placement:
    """The images in their splits, by split and path; and those left out as near-duplicates of a test image."""

    images: Picked
    near_test: Pairs


@dataclass(frozen=True)
class Placer:
    """Assigns the images of a data set to splits.

    Attributes:
        before: the images of the previous version.
        needs_validation: whether every class needs a validation image, because the source names none.

    """

    fractions: Fractions
    needs_validation: bool
    before: PlacedBefore = field(default_factory=PlacedBefore)

    def place(self, images: Picked) -> Placement:
        """Assign a group and a split to every image, and give each class an image in train and one in validation.

        Args:
            images: in the order of their SHA-256, each content once.

        Raises:
            DatasetError: a class has a single usable image but needs two.

        """
        assigned = Assignment(images, self.before)
        _group(assigned)
        _split(assigned, self.fractions)
        order = _by_share(assigned, self.fractions.seed)
        classes = _of_each_class(assigned, order)
        if self.needs_validation:
            _check_two_images(assigned, classes)
        for members in classes:
            if self.needs_validation:
                _give(members, "validation", assigned)
            _give(members, "train", assigned)
        return _without_near_test(assigned, order)


def _group(assigned: Assignment) -> None:
    """Assign the images to groups, the oldest first; the name of a group never changes."""
    looks, group_of_look = _looks_before(assigned)
    for position in assigned.oldest_first:
        row = assigned.row_before(position)
        if row is not None and assigned.before.group(row):
            assigned.groups[position] = assigned.group_before(row)
            continue
        look = assigned.look(position)
        near = looks.nearest(look) if look else None
        group = position if near is None else group_of_look[near]
        assigned.groups[position] = group
        if look and group == position:
            looks.add(look)
            group_of_look.append(group)


def _looks_before(assigned: Assignment) -> "tuple[Looks, array[int]]":
    """Return the looks of the previous version's groups, by the first image that still exists, and their groups."""
    before = assigned.before
    looks, groups = Looks(), array("q")
    for _, rows in groupby(map(int, before.by_group()), key=before.group):
        for row in rows:
            if look := before.look(row):
                looks.add(look)
                groups.append(assigned.group_before(row))
                break
    return looks, groups


def _split(assigned: Assignment, fractions: Fractions) -> None:
    """Assign a new image to the split of the oldest image of its group, and the first of a group by its content."""
    import numpy as np

    of_group = np.zeros(assigned.count + len(assigned.gone) + len(assigned.before), np.uint8)

    def note(group: int, code: int) -> None:
        if not of_group[group]:
            of_group[group] = code

    for position in assigned.oldest_first:
        if assigned.placed[position] in (TEST, VALIDATION):
            note(assigned.groups[position], assigned.placed[position])
    for row in map(int, assigned.before.by_group()):
        if split_before := assigned.before.split(row):  # perhaps that of an image that left the data set
            note(assigned.group_before(row), CODE_OF_SPLIT[split_before])
    for position in assigned.oldest_first:
        group = int(assigned.groups[position])
        split = _split_of(position, SPLIT_OF_CODE[of_group[group]], assigned=assigned, fractions=fractions)
        assigned.splits[position] = CODE_OF_SPLIT[split]
        note(group, CODE_OF_SPLIT[split])


def _split_of(position: int, of_group: Split | None, *, assigned: Assignment, fractions: Fractions) -> Split:
    placed, row = SPLIT_OF_CODE[int(assigned.placed[position])], assigned.row_before(position)
    if placed in ("validation", "test"):
        return placed
    before = None if row is None else assigned.before.split(row)
    if before and fractions.may_be(before, placed):
        return before
    if fractions.only_train and assigned.sha256(position) in fractions.only_train:
        return "train"
    if row is not None and not assigned.before.group(row):  # a version of release 0.1, which had no groups
        return fractions.split_of(assigned.sha256(position), placed)
    if of_group and fractions.may_be(of_group, placed):
        return of_group
    own = fractions.split_of(assigned.group_name(int(assigned.groups[position])), placed)
    return "train" if placed == "train" and of_group == "validation" else own


def _by_share(assigned: Assignment, seed: int) -> "Places":
    """Return the positions in the order of their shares, class by class, the class with the lowest share first."""
    import numpy as np

    shares = np.fromiter((share(sha256, seed=seed) for _, sha256 in assigned.shas()), np.float64, assigned.count)
    classes = assigned.images.classes
    lowest = np.full(len(assigned.images.spool.class_names), np.inf)
    np.minimum.at(lowest, classes, shares)
    return np.lexsort((shares, lowest[classes]))


def _of_each_class(assigned: Assignment, order: "Places") -> "list[Places]":
    """Divide the positions, which are class by class."""
    import numpy as np

    classes = assigned.images.classes[order]
    return np.split(order, np.flatnonzero(classes[1:] != classes[:-1]) + 1) if len(order) else []


def _check_two_images(assigned: Assignment, classes: "Sequence[Places]") -> None:
    names = assigned.images.spool.class_names
    single = sorted(
        names[assigned.images.classes[members[0]]] for members in classes if _may_move(members, assigned).sum() == 1
    )
    if single:
        message = (
            f"Too few images: of {few(single)} there is one usable image each, and every class needs one to train on "
            "and one to validate. Add images."
        )
        raise DatasetError(message)


def _may_move(members: "Places", assigned: Assignment) -> "NDArray[np.bool_]":
    """Return which of the images the source does not assign to a split other than train."""
    placed = assigned.placed[members]
    may: NDArray[np.bool_] = (placed == 0) | (placed == TRAIN)
    return may


def _give(members: "Places", wanted: Split, assigned: Assignment) -> None:
    """Move one of a class's images, which are in the order of their shares, to the wanted split if that has none.

    In very small classes a split may be empty by chance. The first member moves to validation; the last of several
    validation images, or else the first member, moves to train. Images without near-duplicates are preferred.
    """
    import numpy as np

    splits, code = assigned.splits, CODE_OF_SPLIT[wanted]
    if (splits[members] == code).any():
        return
    moving = members[_may_move(members, assigned)]
    if wanted == "train":
        validating, testing = moving[splits[moving] == VALIDATION], moving[splits[moving] == TEST]
        moving = validating[::-1] if len(validating) > 1 or not len(testing) else testing
    groups, sizes = np.unique(assigned.groups[members], return_counts=True)
    is_alone = np.isin(assigned.groups[moving], groups[sizes == 1])
    splits[[*moving[is_alone], *moving[~is_alone]][:1]] = code


def _without_near_test(assigned: Assignment, order: "Places") -> Placement:
    """Leave out train and validation images that are near-duplicates of a test image; no image changes its split."""
    import numpy as np

    looks, tests = Looks(), array("q")
    for position in map(int, np.flatnonzero(assigned.splits == TEST)):
        if look := assigned.look(position):
            looks.add(look)
            tests.append(position)
    is_kept, near, of_test = np.ones(assigned.count, bool), array("q"), array("q")
    listed = order[assigned.splits[order] != TEST] if tests else order[:0]
    for position in map(int, listed):
        look = assigned.look(position)
        test = looks.nearest(look) if look else None
        if test is not None:
            is_kept[position] = False
            near.append(position)
            of_test.append(tests[test])
    kept = assigned.picked(np.flatnonzero(is_kept)).ordered()
    return Placement(
        kept, Pairs(assigned.picked(np.array(near, np.int64)), assigned.picked(np.array(of_test, np.int64)))
    )
