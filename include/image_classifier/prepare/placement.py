"""Decides the split of every image, together with its near-duplicates, and keeps what an earlier version decided."""

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
    """Where the previous version has an image.

    Attributes:
        group: of near-duplicates; empty in a version of release 0.1, which knew none.
        split: None if the version was split by other settings, or by release 0.1.

    """

    group: str
    split: Split | None
    look: Look | None


@dataclass(frozen=True)
class Placement:
    """The images in their splits, and those left out because a test image looks nearly the same."""

    images: tuple[Inspected, ...]
    near_test: tuple[tuple[Inspected, Inspected], ...] = ()


@dataclass(frozen=True)
class Placer:
    """Places the images of a data set.

    Attributes:
        before: the images of the previous version, by the sha256 of their files.
        needs_validation: the source names no validation images, so that every class needs one.

    """

    fractions: Fractions
    needs_validation: bool
    before: Mapping[str, PlacedBefore] = field(default_factory=dict)

    def place(self, images: Iterable[Inspected]) -> Placement:
        """Give every image its group and its split, and each class an image to train on and one to validate.

        Raises:
            DatasetError: a class has a single usable image, and needs two.

        """
        grouped = self._grouped(images)
        placed = self._filled(self._split(grouped))
        return _without_near_test(placed)

    def _grouped(self, images: Iterable[Inspected]) -> list[Inspected]:
        """The images with their groups, oldest first. What a group is called never changes."""
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
        """The looks of the previous version's groups: of the first image, or of one that is left if that is gone."""
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
        """A new image goes where the oldest of its group is; the first of a group where its content says."""
        of_group: dict[str, Split] = {}
        for image in grouped:
            if image.image.split in ("validation", "test"):
                of_group.setdefault(image.group, image.image.split)
        for _, before in sorted(self.before.items(), key=lambda item: (item[0] != item[1].group, item[0])):
            if before.group and before.split:  # of an image that has left the set, perhaps
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
        if before and not before.group:  # of release 0.1, which placed every image by itself
            return self.fractions.split_of(image.sha256, placed)
        own = self.fractions.split_of(image.group, placed)
        if of_group and self.fractions.may_be(of_group, placed):
            return of_group
        return "train" if placed == "train" and of_group == "validation" else own

    def _filled(self, images: Iterable[Inspected]) -> list[Inspected]:
        """Give each class an image to train on, and one to validate if the source names none.

        In tiny classes chance may leave a split out.
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
    """Whether the source leaves the image's split to this package."""
    return image.image.split in (None, "train")


def _with(members: list[Inspected], wanted: Split) -> list[Inspected]:
    """The members of a class, ordered by their shares; one is moved to the wanted split if none is there.

    The first goes to validation, the last of several validating ones or else the first to train; an image without
    near-duplicates is preferred.
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
    """Leave out train and validation images that a test image looks nearly the same as; no image moves."""
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
