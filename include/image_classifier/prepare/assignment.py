"""Holds the groups and splits that the images of a data set are assigned to, in columns."""

from array import array
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.picked import Picked
from image_classifier.prepare.placed_before import PlacedBefore, places_in

if TYPE_CHECKING:
    from image_classifier.prepare.spool import Places


class Assignment:
    """The groups and splits assigned so far; an image is known by its position among the images.

    Attributes:
        groups: the position of the first image of each image's group, or a number from ``len(images)`` on for `gone`.
        gone: the SHA-256 of groups' first images that are not in the data set.
        splits: the codes of the splits.
        before: the images of the previous version.

    """

    def __init__(self, images: Picked, before: PlacedBefore) -> None:
        """Start without groups and splits.

        Args:
            images: in the order of their SHA-256.
            before: the images of the previous version.

        """
        import numpy as np

        spool, places = images.spool, images.places
        self.images, self.before, self.count = images, before, len(images)
        self.placed, self.with_look = spool.placed[places], spool.with_look[places]
        self.groups = np.full(self.count, -1, np.int64)
        self.splits = np.zeros(self.count, np.uint8)
        self.gone: list[str] = []
        shas = spool.shas[places]
        self._rows = _column(before.rows_of(shas))
        self._groups_before = _column(places_in(shas, before.groups))
        self._gone_numbers: dict[str, int] = {}

    def shas(self) -> Iterator[tuple[int, str]]:
        """Yield each position with the SHA-256 of its image."""
        return ((position, self.sha256(position)) for position in range(self.count))

    @cached_property
    def oldest_first(self) -> "array[int]":
        """Return the positions of the images, those of the previous version first."""
        known, new = array("q"), array("q")
        for position, row in enumerate(self._rows):
            (new if row < 0 else known).append(position)
        return known + new

    def row_before(self, position: int) -> int | None:
        """Return the row of an image in the previous version, or None if it is new."""
        row = self._rows[position]
        return None if row < 0 else row

    def sha256(self, position: int) -> str:
        """Return the SHA-256 of an image."""
        return self.images.spool.sha256(int(self.images.places[position]))

    def look(self, position: int) -> Look | None:
        """Return the look of an image, or None if it shows too little."""
        if not self.with_look[position]:
            return None
        return self.images.spool.facts(int(self.images.places[position])).look

    def group_before(self, row: int) -> int:
        """Return the number of the group of an image of the previous version, which has one."""
        found = self._groups_before[row]
        if found >= 0:
            return found
        sha256 = self.before.group(row)
        if sha256 not in self._gone_numbers:
            self._gone_numbers[sha256] = self.count + len(self.gone)
            self.gone.append(sha256)
        return self._gone_numbers[sha256]

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


def _column(values: "Places") -> "array[int]":
    """Return the values as an array of Python, which gives a single number faster."""
    return array("q", values.astype("q").tobytes())
