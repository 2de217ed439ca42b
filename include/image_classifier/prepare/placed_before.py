"""Keeps the splits and groups of the previous version's images in columns, and their looks on disk."""

from array import array
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from image_classifier.prepare.inspection.near_duplicates import GREY_BYTES, Greys, Look
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.spool import CODE_OF_SPLIT, SPLIT_OF_CODE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from image_classifier.prepare.spool import Places

_SHA_BYTES: Final = 32
_NO_LOOK, _LOOK, _SMALL_LOOK = range(3)


class _Columns(NamedTuple):
    """The images in the order of their SHA-256, each once."""

    shas: "NDArray[np.bytes_]"
    groups: "NDArray[np.bytes_]"  # empty in a version of release 0.1, which had none
    added: "Places"  # as which image, from 0


class PlacedBefore:
    """The images of the previous version by row, from 0, in the order of their SHA-256; a million take about 110 MB.

    All are added before the first is read.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._shas, self._groups = bytearray(), bytearray()
        self._splits, self._looks = bytearray(), bytearray()
        self._hashes, self._greys = array("Q"), Greys()

    def add(self, sha256: str, *, group: str, split: Split | None, look: Look | None) -> None:
        """Add an image; of several with the same SHA-256 the last counts.

        Args:
            sha256: of its file.
            group: the SHA-256 of the first image of its near-duplicates; empty in a version of release 0.1.
            split: None if the version was split with other settings, or by release 0.1.
            look: None if it shows too little.

        """
        self._shas += bytes.fromhex(sha256)
        self._groups += bytes.fromhex(group).ljust(_SHA_BYTES, b"\0")
        self._splits.append(CODE_OF_SPLIT[split])
        self._looks.append(_NO_LOOK if look is None else _SMALL_LOOK if look.is_small else _LOOK)
        self._hashes.append(look.difference_hash if look else 0)
        self._greys.add(look.grey if look else bytes(GREY_BYTES))

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._columns.shas)

    @property
    def groups(self) -> "NDArray[np.bytes_]":
        """Return the SHA-256 of the first image of each image's group; empty without a group."""
        return self._columns.groups

    def rows_of(self, shas: "NDArray[np.bytes_]") -> "Places":
        """Return the row of each SHA-256, or -1."""
        return places_in(self._columns.shas, shas)

    def by_group(self) -> "Places":
        """Return the rows of the images that have a group, group by group, its first image first."""
        import numpy as np

        shas, groups, _ = self._columns
        order = np.lexsort((shas, shas != groups, groups))
        rows: Places = order[groups[order] != b""]
        return rows

    def split(self, row: int) -> Split | None:
        """Return the split of an image."""
        return SPLIT_OF_CODE[self._splits[int(self._columns.added[row])]]

    def group(self, row: int) -> str:
        """Return the SHA-256 of the first image of an image's group; empty without a group."""
        group = bytes(self._columns.groups[row])
        return group.ljust(_SHA_BYTES, b"\0").hex() if group else ""

    def look(self, row: int) -> Look | None:
        """Return the look of an image."""
        at = int(self._columns.added[row])
        if self._looks[at] == _NO_LOOK:
            return None
        return Look(self._hashes[at], self._greys.of([at]), self._looks[at] == _SMALL_LOOK)

    def split_of(self, sha256: str) -> Split | None:
        """Return the split of an image by its SHA-256; None for an unknown one."""
        import numpy as np

        (row,) = self.rows_of(np.array([bytes.fromhex(sha256)], f"S{_SHA_BYTES}"))
        return self.split(int(row)) if row >= 0 else None

    @cached_property
    def _columns(self) -> _Columns:
        import numpy as np

        shas, groups = (np.frombuffer(column, f"S{_SHA_BYTES}") for column in (self._shas, self._groups))
        order = np.argsort(shas, kind="stable")
        shas = shas[order]
        is_last = np.ones(len(order), bool)
        is_last[:-1] = shas[1:] != shas[:-1]
        order = order[is_last]
        self._shas, self._groups = bytearray(), bytearray()
        return _Columns(shas[is_last], groups[order], order)


def places_in(ordered: "NDArray[np.bytes_]", wanted: "NDArray[np.bytes_]") -> "Places":
    """Return for each of some values its place among ordered ones, or -1."""
    import numpy as np

    if not len(ordered):
        return np.full(len(wanted), -1, np.int64)
    places = np.searchsorted(ordered, wanted)
    places[places == len(ordered)] = 0
    return np.where(ordered[places] == wanted, places, -1)
