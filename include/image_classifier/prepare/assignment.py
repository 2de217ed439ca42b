"""Holds the groups and splits that the images of a data set are assigned to, in columns."""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.picked import Picked

if TYPE_CHECKING:
    from image_classifier.prepare.spool import Places


@dataclass(frozen=True, slots=True)
class PlacedBefore:
    """The split and group of an image in the previous version.

    Attributes:
        group: the group of near-duplicates; empty in a version of release 0.1, which had none.
        split: None if the version was split with other settings, or by release 0.1.

    """

    group: str
    split: Split | None
    look: Look | None


class Assignment:
    """The groups and splits assigned so far; an image is known by its position among the images.

    Attributes:
        groups: the position of the first image of each image's group, or a number from ``len(images)`` on for `gone`.
        gone: the SHA-256 of groups' first images that are not in the data set.
        splits: the codes of the splits.
        known: what the previous version says of an image, by its position.

    """

    def __init__(self, images: Picked, before: Mapping[str, PlacedBefore]) -> None:
        """Start without groups and splits.

        Args:
            images: in the order of their SHA-256.
            before: the images of the previous version, by the SHA-256 of their files.

        """
        import numpy as np

        spool, places = images.spool, images.places
        self.images, self.before, self.count = images, before, len(images)
        self.placed, self.with_look = spool.placed[places], spool.with_look[places]
        self.groups = np.full(self.count, -1, np.int64)
        self.splits = np.zeros(self.count, np.uint8)
        self.gone: list[str] = []
        self.known = {at: before[sha256] for at, sha256 in self.shas() if sha256 in before} if before else {}
        self._groups_before: dict[str, int] = {}

    def shas(self) -> Iterator[tuple[int, str]]:
        """Yield each position with the SHA-256 of its image."""
        return ((position, self.sha256(position)) for position in range(self.count))

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {sha256: position for position, sha256 in self.shas()}

    @cached_property
    def oldest_first(self) -> "array[int]":
        """Return the positions of the images, those of the previous version first."""
        new = (position for position in range(self.count) if position not in self.known)
        return array("q", chain(self.known, new))

    def sha256(self, position: int) -> str:
        """Return the SHA-256 of an image."""
        return self.images.spool.sha256(int(self.images.places[position]))

    def look(self, position: int) -> Look | None:
        """Return the look of an image, or None if it shows too little."""
        if not self.with_look[position]:
            return None
        return self.images.spool.facts(int(self.images.places[position])).look

    def group_before(self, sha256: str) -> int:
        """Return the number of a group of the previous version."""
        if sha256 not in self._groups_before:
            found = self._positions.get(sha256)
            if found is None:
                found = self.count + len(self.gone)
                self.gone.append(sha256)
            self._groups_before[sha256] = found
        return self._groups_before[sha256]

    def group_name(self, group: int) -> str:
        """Return the SHA-256 of the first image of a group."""
        return self.sha256(group) if group < self.count else self.gone[group - self.count]

    def picked(self, chosen: "Places") -> Picked:
        """Return some of the images, with their splits and groups."""
        import numpy as np

        spool, places = self.images.spool, self.images.places
        groups = self.groups[chosen]
        is_here = groups < self.count
        in_spool = np.where(is_here, places[np.where(is_here, groups, 0)], groups - self.count + len(spool))
        return Picked(spool, places[chosen], self.splits[chosen], in_spool, self.gone)
