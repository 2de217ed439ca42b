"""Assigns every image and its near-duplicates to a split, and keeps the splits of an earlier version."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.inspection.inspector import Inspected
from image_classifier.prepare.inspection.near_duplicates import Look, Looks
from image_classifier.prepare.layout.folders import LISTED
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.split import Fractions, share


@dataclass(frozen=True)
class PlacedBefore:
    """The split and group of an image in the previous version.

    Attributes:
        group: the group of near-duplicates; empty in a version of release 0.1, which had none.
        split: None if the version was split with other settings, or by release 0.1.

    """

    group: str
    split: Split | None
    look: Look | None


@dataclass(frozen=True)
class Placement:
    """The images in their splits, and those left out as near-duplicates of a test image."""

    images: tuple[Inspected, ...]
    near_test: tuple[tuple[Inspected, Inspected], ...] = ()


@dataclass(frozen=True)
class Placer:
    """Assigns the images of a data set to splits.

    Attributes:
        before: the images of the previous version, by the SHA-256 of their files.
        needs_validation: whether every class needs a validation image, because the source names none.

    """

    fractions: Fractions
    needs_validation: bool
    before: Mapping[str, PlacedBefore] = field(default_factory=dict)

    def place(self, images: Iterable[Inspected]) -> Placement:
        """Assign a group and a split to every image, and give each class an image in train and one in validation.

        Raises:
            DatasetError: a class has a single usable image but needs two.

        """
        grouped = self._grouped(images)
        placed = self._filled(self._split(grouped))
        return _without_near_test(placed)

    def _grouped(self, images: Iterable[Inspected]) -> list[Inspected]:
        """Return the images with their groups, the oldest first; the name of a group never changes."""
        oldest_first = sorted(images, key=lambda one: (one.sha256 not in self.before, one.sha256))
        looks = self._looks_before()
        grouped = []
        for image in oldest_first:
            before, look = self.before.get(image.sha256), image.facts.look
            group = before.group if before else ""
            if not group:
                group = (looks.nearest(look) if look else None) or image.sha256
                if look and group == image.sha256:
                    looks.add(look, group)
            grouped.append(replace(image, group=group))
        return grouped

    def _looks_before(self) -> Looks:
        """Return the looks of the previous version's groups, by the first image that still exists."""
        firsts: dict[str, tuple[bool, str]] = {}
        for sha256, before in self.before.items():
            if before.group and before.look:
                candidate = (sha256 != before.group, sha256)
                firsts[before.group] = min(candidate, firsts.get(before.group, candidate))
        looks = Looks()
        for group, (_, sha256) in sorted(firsts.items()):
            if look := self.before[sha256].look:
                looks.add(look, group)
        return looks

    def _split(self, grouped: Sequence[Inspected]) -> list[Inspected]:
        """Assign a new image to the split of the oldest image of its group, and the first of a group by its content."""
        of_group: dict[str, Split] = {}
        for image in grouped:
            if image.image.split in ("validation", "test"):
                of_group.setdefault(image.group, image.image.split)
        for _, before in sorted(self.before.items(), key=lambda item: (item[0] != item[1].group, item[0])):
            if before.group and before.split:  # perhaps that of an image that left the data set
                of_group.setdefault(before.group, before.split)
        placed = []
        for image in grouped:
            split = self._split_of(image, of_group.get(image.group))
            of_group.setdefault(image.group, split)
            placed.append(replace(image, split=split))
        return placed

    def _split_of(self, image: Inspected, of_group: Split | None) -> Split:
        placed, before = image.image.split, self.before.get(image.sha256)
        if placed in ("validation", "test"):
            return placed
        if before and before.split and self.fractions.may_be(before.split, placed):
            return before.split
        if image.sha256 in self.fractions.only_train:
            return "train"
        if before and not before.group:  # a version of release 0.1, which had no groups
            return self.fractions.split_of(image.sha256, placed)
        own = self.fractions.split_of(image.group, placed)
        if of_group and self.fractions.may_be(of_group, placed):
            return of_group
        return "train" if placed == "train" and of_group == "validation" else own

    def _filled(self, images: Iterable[Inspected]) -> list[Inspected]:
        """Give each class an image in train, and one in validation if the source names none.

        In very small classes a split may be empty by chance.
        """
        classes: dict[str, list[Inspected]] = defaultdict(list)
        for image in sorted(images, key=lambda one: share(one.sha256, seed=self.fractions.seed)):
            classes[image.image.class_name].append(image)
        if self.needs_validation:
            _check_two_images(classes)
        filled: list[Inspected] = []
        for members in classes.values():
            validated = _with(members, "validation") if self.needs_validation else members
            filled += _with(validated, "train")
        return filled


def _check_two_images(classes: Mapping[str, Sequence[Inspected]]) -> None:
    single = sorted(name for name, members in classes.items() if sum(map(_may_move, members)) == 1)
    if single:
        message = (
            f"Too few images: {', '.join(map(repr, single))} have one usable image each, and every class needs one to "
            "train on and one to validate. Add images."
        )
        raise DatasetError(message)


def _may_move(image: Inspected) -> bool:
    """Whether the source does not name the image's split."""
    return image.image.split in (None, "train")


def _with(members: list[Inspected], wanted: Split) -> list[Inspected]:
    """Return the members of a class, ordered by their shares; move one to the wanted split if it has none.

    The first member moves to validation; the last of several validation images, or else the first member, moves to
    train. Images without near-duplicates are preferred.
    """
    if any(one.split == wanted for one in members):
        return members
    places = [place for place, one in enumerate(members) if _may_move(one)]
    if wanted == "train":
        validating = [place for place in places if members[place].split == "validation"]
        testing = [place for place in places if members[place].split == "test"]
        places = validating[::-1] if len(validating) > 1 or not testing else testing
    sizes: dict[str, int] = defaultdict(int)
    for one in members:
        sizes[one.group] += 1
    places.sort(key=lambda place: sizes[members[place].group] > 1)
    return [replace(one, split=wanted) if place in places[:1] else one for place, one in enumerate(members)]


def _without_near_test(images: Sequence[Inspected]) -> Placement:
    """Leave out train and validation images that are near-duplicates of a test image; no image changes its split."""
    looks, tests = Looks(), {one.sha256: one for one in images if one.split == "test"}
    for sha256, one in sorted(tests.items()):
        if one.facts.look:
            looks.add(one.facts.look, sha256)
    kept, near = [], []
    for image in images:
        look = image.facts.look if tests and image.split in LISTED else None
        test = looks.nearest(look) if look else None
        if test is None:
            kept.append(image)
        else:
            near.append((image, tests[test]))
    return Placement(tuple(kept), tuple(near))
