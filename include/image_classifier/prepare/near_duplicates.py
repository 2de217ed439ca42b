"""Groups images that look nearly alike, so that no copy of a training image can be in the test split.

Two images are near-duplicates if their 64-bit difference hashes differ in at most six bits. Images that show hardly
anything (black frames, placeholders) all have nearly the same hash and would form one giant group: they have no hash.
"""

from collections.abc import Iterable
from itertools import combinations
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from PIL import Image

MAX_DISTANCE: Final = 6
LEAST_ENTROPY_BITS: Final = 1.0  # of the grey values; a flat image has 0, a photograph about 7
LEAST_GRADIENTS: Final = 6  # a hash with fewer ones, or fewer zeros, says nothing about the picture

_SIDE: Final = 8
# Three bands of a 64-bit hash: of six differing bits, at most two are in one of them.
_BANDS: Final = ((0, 22), (22, 21), (43, 21))
_FLIPS: Final = tuple(
    [
        sum(1 << bit for bit in bits)
        for count in range(MAX_DISTANCE // len(_BANDS) + 1)
        for bits in combinations(range(width), count)
    ]
    for _, width in _BANDS
)


def difference_hash(image: "Image.Image") -> int | None:
    """The 64-bit difference hash of an image: of 9 x 8 grey values, which is brighter than its right neighbour.

    Args:
        image: of mode RGB or L.

    Returns:
        The hash, or None if the image shows too little for it to tell images apart.

    """
    grey = image if image.mode == "L" else image.convert("L")
    if grey.entropy() < LEAST_ENTROPY_BITS:
        return None
    values = grey.resize((_SIDE + 1, _SIDE)).tobytes()  # BICUBIC, which averages when it shrinks
    found = 0
    for row in range(_SIDE):
        for column in range(row * (_SIDE + 1), row * (_SIDE + 1) + _SIDE):
            found = found << 1 | (values[column] > values[column + 1])
    return found if LEAST_GRADIENTS <= found.bit_count() <= _SIDE * _SIDE - LEAST_GRADIENTS else None


def group_near_duplicates(hashes: Iterable[int | None]) -> list[int]:
    """Assign every image to the first image that it is a near-duplicate of.

    The images are taken in the given order. An image with the hash of an earlier one joins its group; else one within
    MAX_DISTANCE of the first image of a group joins that group (of several, the nearest, then the earliest); any other
    begins a group of its own. So an image that is added at the end changes no group that was there before.

    Args:
        hashes: of each image, oldest first; None for an image that is alone whatever it looks like.

    Returns:
        For each image the position of the first image of its group, its own if it began one.

    """
    index, group_of_hash = _FirstImages(), dict[int, int]()
    groups = []
    for position, value in enumerate(hashes):
        if value is None:
            groups.append(position)
            continue
        if value not in group_of_hash:
            nearest = index.nearest(value)
            if nearest is None:
                index.add(value, position)
            group_of_hash[value] = position if nearest is None else nearest
        groups.append(group_of_hash[value])
    return groups


class _FirstImages:
    """The images that began a group, found by each band of their hashes."""

    def __init__(self) -> None:
        self._entries: list[tuple[int, int]] = []  # hash and position
        self._tables: list[dict[int, list[int]]] = [{} for _ in _BANDS]  # band's bits: indices of entries

    def add(self, value: int, position: int) -> None:
        for (shift, width), table in zip(_BANDS, self._tables, strict=True):
            table.setdefault(value >> shift & ((1 << width) - 1), []).append(len(self._entries))
        self._entries.append((value, position))

    def nearest(self, value: int) -> int | None:
        """The position of the nearest first image, of equally near ones the earliest; None if none is near enough."""
        best = (MAX_DISTANCE + 1, -1)
        for (shift, width), flips, table in zip(_BANDS, _FLIPS, self._tables, strict=True):
            bits = value >> shift & ((1 << width) - 1)
            for flip in flips:
                for entry in table.get(bits ^ flip, ()):
                    other, position = self._entries[entry]
                    best = min(best, ((value ^ other).bit_count(), position))
        return best[1] if best[0] <= MAX_DISTANCE else None
