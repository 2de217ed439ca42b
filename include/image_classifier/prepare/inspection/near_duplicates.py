"""Groups images that look nearly alike, so that no copy of a training image can be in the test split.

Two images are near-duplicates if their 64-bit difference hashes differ in at most six bits and their grey values,
reduced to 16 x 16, correlate. The hash alone would call a third of all handwritten digits copies of each other: images
of few details have few different hashes. Images that show hardly anything (black frames, placeholders) all have nearly
the same hash and would form one giant group: they have no look.

Measured: of 1,399 photographs, one pair is found, which is a copy. JPEG copies of quality 40, copies of half the size
and copies with a quarter less or more brightness are found in 98 of 100 cases, copies without a margin of 2 % in 92.
Images of one shape on an even ground (garments, scans) are taken for copies more easily.
"""

import base64
import operator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from PIL import Image

MAX_DISTANCE: Final = 6
LEAST_ENTROPY_BITS: Final = 2.5  # of the grey values; a drawing of two colours has about 2, a photograph about 6
LEAST_GRADIENTS: Final = 6  # a hash with fewer ones, or fewer zeros, says nothing about the picture
LEAST_CORRELATION: Final = 0.95
LEAST_CORRELATION_OF_SMALL: Final = 0.99  # of 10,000 garments of 28 x 28 pixels, 87 still reach it with another
SMALL_PX: Final = 64  # an image whose longer side has no more pixels is small
MOST_COMPARED: Final = 32  # groups whose grey values an image is compared with, the nearest first

_SIDE: Final = 8
_GREY_SIDE: Final = 16
_STEPS: Final = 15  # four bits per grey value
_HIGH: Final = bytes(value >> 4 for value in range(256))
_LOW: Final = bytes(value & 15 for value in range(256))
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


@dataclass(frozen=True)
class Look:
    """What an image looks like, in 136 bytes.

    Attributes:
        difference_hash: 64 bits: of 9 x 8 grey values, which is brighter than its right neighbour.
        grey: 16 x 16 grey values from 0 to 15, stretched to that range, two in a byte.
        is_small: the source's longer side has at most SMALL_PX pixels.

    """

    difference_hash: int
    grey: bytes
    is_small: bool = False

    @classmethod
    def of(cls, image: "Image.Image", *, size: tuple[int, int]) -> Self | None:
        """The look of an image; None if it shows too little, or has too few pixels, to tell it from others.

        Args:
            image: of mode RGB or L.
            size: width and height of the source in pixels, which may have been enlarged.

        """
        if min(size) < _GREY_SIDE:
            return None
        grey = image if image.mode == "L" else image.convert("L")
        found = difference_hash(grey)
        return None if found is None else cls(found, _reduced(grey), max(size) <= SMALL_PX)

    def dumps(self) -> str:
        """The look as text, for the manifest."""
        return f"{self.difference_hash:016x}{'s' if self.is_small else '-'}{base64.b64encode(self.grey).decode()}"

    @classmethod
    def loads(cls, text: str) -> Self:
        """Read what `dumps` wrote."""
        return cls(int(text[:16], 16), base64.b64decode(text[17:]), text[16] == "s")

    def is_like(self, other: "Look") -> bool:
        """Whether the grey values of both correlate as those of copies do."""
        small = self.is_small or other.is_small
        return self._correlation(other) >= (LEAST_CORRELATION_OF_SMALL if small else LEAST_CORRELATION)

    def distance(self, other: "Look") -> int:
        """How many bits of the difference hashes differ."""
        return (self.difference_hash ^ other.difference_hash).bit_count()

    @cached_property
    def _values(self) -> bytes:
        return self.grey.translate(_HIGH) + self.grey.translate(_LOW)

    def _correlation(self, other: "Look") -> float:
        ours, theirs = self._values, other._values
        count, ours_sum, theirs_sum = len(ours), sum(ours), sum(theirs)
        both = count * sum(map(operator.mul, ours, theirs)) - ours_sum * theirs_sum
        squares = (count * sum(value * value for value in ours) - ours_sum**2) * (
            count * sum(value * value for value in theirs) - theirs_sum**2
        )
        return both / squares**0.5 if squares > 0 else 0.0


def difference_hash(image: "Image.Image") -> int | None:
    """The 64-bit difference hash of an image.

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


class Looks:
    """Looks by name, found again by an image that looks nearly the same."""

    def __init__(self) -> None:
        self._entries: list[tuple[Look, str]] = []
        self._tables: list[dict[int, list[int]]] = [{} for _ in _BANDS]  # band's bits: indices of entries

    def add(self, look: Look, name: str) -> None:
        """Add a look."""
        for (shift, width), table in zip(_BANDS, self._tables, strict=True):
            table.setdefault(look.difference_hash >> shift & ((1 << width) - 1), []).append(len(self._entries))
        self._entries.append((look, name))

    def nearest(self, look: Look) -> str | None:
        """The name of the nearest look that this one is a near-duplicate of, of equally near ones the first added."""
        found = set[tuple[int, int]]()
        for (shift, width), flips, table in zip(_BANDS, _FLIPS, self._tables, strict=True):
            bits = look.difference_hash >> shift & ((1 << width) - 1)
            for flip in flips:
                for entry in table.get(bits ^ flip, ()):
                    distance = look.distance(self._entries[entry][0])
                    if distance <= MAX_DISTANCE:
                        found.add((distance, entry))
        for _, entry in sorted(found)[:MOST_COMPARED]:
            other, name = self._entries[entry]
            if look.is_like(other):
                return name
        return None


def _reduced(grey: "Image.Image") -> bytes:
    """16 x 16 averaged grey values in four bits each, stretched: a copy may be darker or of less contrast."""
    small = grey.resize((_GREY_SIDE, _GREY_SIDE), _box())
    grey_values = small.tobytes()
    low = min(grey_values)
    span = max(1, max(grey_values) - low)
    values = [round((value - low) * _STEPS / span) for value in grey_values]
    half = len(values) // 2
    return bytes(first << 4 | second for first, second in zip(values[:half], values[half:], strict=True))


def _box() -> "Image.Resampling":
    from PIL import Image

    return Image.Resampling.BOX
