"""Finds near-duplicates, so that no copy of a training image is in the test split.

Two images are near-duplicates if their 64-bit difference hashes differ in at most six bits and their grey values,
reduced to 16 x 16, correlate. By the hash alone a third of all handwritten digits would be near-duplicates, because
images with few details have few different hashes. Images that show hardly anything (black frames, placeholders) have
nearly equal hashes and would form one large group; so they have no `Look`.

Measured: of 1,399 photographs, one pair is found, which is a copy. JPEG copies of quality 40, copies of half the size
and copies with a quarter less or more brightness are found in 98 of 100 cases, copies without a margin of 2 % in 92.
Images of one shape on an even ground (garments, scans) are taken for copies more easily.
"""

import base64
import operator
import os
import tempfile
import weakref
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    Entries = NDArray[np.int64]

MAX_DISTANCE: Final = 6
LEAST_ENTROPY_BITS: Final = (
    2.5  # entropy of the grey values in bits; a drawing of two colours has about 2, a photograph about 6
)
LEAST_GRADIENTS: Final = 6  # a hash with fewer ones, or fewer zeros, does not describe the image
LEAST_CORRELATION: Final = 0.95
LEAST_CORRELATION_OF_SMALL: Final = 0.99  # of 10,000 garments of 28 x 28 pixels, 87 still reach it with another
SMALL_PX: Final = 64  # an image is small if its longer side has at most this number of pixels
MOST_COMPARED: Final = 32  # groups whose grey values an image is compared with, the nearest first

_SIDE: Final = 8
_GREY_SIDE: Final = 16
GREY_BYTES: Final = _GREY_SIDE * _GREY_SIDE // 2
_STEPS: Final = 15  # four bits per grey value
_HIGH: Final = bytes(value >> 4 for value in range(256))
_LOW: Final = bytes(value & 15 for value in range(256))
# Three bands of a 64-bit hash: of six differing bits, at most two are in one of them.
_BANDS: Final = ((0, 22), (22, 21), (43, 21))
_TABLE_BITS: Final = 22  # of the widest band
_ENTRY_BITS: Final = 40
_ROOM: Final = 1024  # entries, at first
_RECENT: Final = 1 << 16  # looks whose grey values are in memory, at most
# Similar images, such as garments, have so many hashes in common that comparing all of them is faster than following
# the lists: an entry of a list costs about 50 times as much as one that is compared in order.
_FOLLOWED_SHARE: Final = 64
_FEWEST_TO_FOLLOW: Final = 1 << 16
_FLIPS: Final = tuple(
    [
        sum(1 << bit for bit in bits)
        for count in range(MAX_DISTANCE // len(_BANDS) + 1)
        for bits in combinations(range(width), count)
    ]
    for _, width in _BANDS
)


@dataclass(frozen=True, slots=True)
class Look:
    """The appearance of an image in 136 bytes.

    Attributes:
        difference_hash: 64 bits: for 9 x 8 grey values, whether each one is brighter than its right neighbour.
        grey: 16 x 16 grey values, stretched to the range 0 to 15, two per byte.
        is_small: the source's longer side has at most SMALL_PX pixels.

    """

    difference_hash: int
    grey: bytes
    is_small: bool = False

    @classmethod
    def of(cls, image: "Image.Image", *, size: tuple[int, int]) -> Self | None:
        """Return the look of an image; None if it shows too little, or has too few pixels, to be distinguished.

        Args:
            image: an image of mode RGB or L.
            size: width and height of the source in pixels, which may have been enlarged.

        """
        if min(size) < _GREY_SIDE:
            return None
        grey = image if image.mode == "L" else image.convert("L")
        found = difference_hash(grey)
        return None if found is None else cls(found, _reduced(grey), max(size) <= SMALL_PX)

    def dumps(self) -> str:
        """Return the look as text, for the manifest."""
        return f"{self.difference_hash:016x}{'s' if self.is_small else '-'}{base64.b64encode(self.grey).decode()}"

    @classmethod
    def loads(cls, text: str) -> Self:
        """Parse the result of `dumps`."""
        return cls(int(text[:16], 16), base64.b64decode(text[17:]), text[16] == "s")

    def is_like(self, other: "Look") -> bool:
        """Return whether the grey values of both correlate as strongly as those of copies."""
        small = self.is_small or other.is_small
        return self._correlation(other) >= (LEAST_CORRELATION_OF_SMALL if small else LEAST_CORRELATION)

    def distance(self, other: "Look") -> int:
        """Return the number of differing bits of the difference hashes."""
        return (self.difference_hash ^ other.difference_hash).bit_count()

    @property
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
    """Return the 64-bit difference hash of an image.

    Args:
        image: an image of mode RGB or L.

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


class Greys:
    """The grey values of looks, the newest in memory and the others on disk: a million have 128 MB."""

    def __init__(self) -> None:
        """Start empty."""
        self._recent, self._written = bytearray(), 0  # and the number of looks on disk
        self._file: Any = None

    def add(self, grey: bytes) -> None:
        """Add those of one look."""
        self._recent += grey
        if len(self._recent) >= _RECENT * GREY_BYTES:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="looks-")  # noqa: SIM115 - it lives as long
                weakref.finalize(self, self._file.close)
            self._file.write(self._recent)
            self._file.flush()
            self._written += _RECENT
            self._recent.clear()

    def of(self, entries: Iterable[int]) -> bytes:
        """Return those of some looks, by their numbers."""
        return b"".join(map(self._of, entries))

    def _of(self, entry: int) -> bytes:
        if entry < self._written:
            return os.pread(self._file.fileno(), GREY_BYTES, entry * GREY_BYTES)
        start = (entry - self._written) * GREY_BYTES
        return bytes(self._recent[start : start + GREY_BYTES])


class Looks:
    """Looks by number, from 0, found again by an image that looks nearly the same.

    A million looks take about 75 MB.
    """

    def __init__(self) -> None:
        """Start empty."""
        import numpy as np

        self._np = np
        self._flips, self._band_of_flip = _all_flips()
        # Nodes are numbered from 1: node 1 + 3 * entry + band is in the list of the entries with the same bits there.
        self._first = np.zeros(len(_BANDS) << _TABLE_BITS, np.uint32)  # by band and its bits: a list's first node
        self._next = np.zeros(1 + len(_BANDS) * _ROOM, np.uint32)
        self._hashes = np.zeros(_ROOM, np.uint64)
        self._greys = Greys()
        self._small = bytearray()

    def add(self, look: Look) -> None:
        """Add a look."""
        entry = len(self._small)
        if entry == len(self._hashes):
            self._hashes.resize(2 * entry, refcheck=False)
            self._next.resize(1 + 2 * len(_BANDS) * entry, refcheck=False)
        self._hashes[entry] = look.difference_hash
        for node, key in enumerate(_keys(look.difference_hash), start=1 + len(_BANDS) * entry):
            self._next[node] = self._first[key]
            self._first[key] = node
        self._greys.add(look.grey)
        self._small.append(look.is_small)

    def nearest(self, look: Look) -> int | None:
        """Return the number of the nearest near-duplicate, of equally near ones the first added; None without one."""
        near = self._near(look.difference_hash)
        alike = self._alike(look, near) if len(near) else near
        return int(alike[0]) if len(alike) else None

    def _near(self, difference_hash: int) -> "Entries":
        """The entries within MAX_DISTANCE, the nearest first, MOST_COMPARED at most."""
        np = self._np
        entries = self._entries_of_bands(difference_hash)
        hashes = self._hashes[: len(self._small)] if entries is None else self._hashes[entries]
        distances = np.bitwise_count(hashes ^ np.uint64(difference_hash))
        near = np.flatnonzero(distances <= MAX_DISTANCE)
        found = near if entries is None else entries[near]
        order = np.unique(distances[near].astype(np.int64) << _ENTRY_BITS | found)  # sorted
        nearest: Entries = order[:MOST_COMPARED] & ((1 << _ENTRY_BITS) - 1)
        return nearest

    def _entries_of_bands(self, difference_hash: int) -> "Entries | None":
        """Return the entries with nearly the same bits in a band; None if they are so many that all are compared."""
        np, limit = self._np, len(self._small) // _FOLLOWED_SHARE
        if len(self._small) < _FEWEST_TO_FOLLOW:
            return None
        nodes = self._first[self._flips ^ np.array(_keys(difference_hash), np.uint32)[self._band_of_flip]]
        lists = [nodes[:0]]
        while (nodes := nodes[nodes != 0]).size:
            limit -= nodes.size
            if limit < 0:
                return None
            lists.append(nodes)
            nodes = self._next[nodes]
        entries: Entries = (np.concatenate(lists).astype(np.int64) - 1) // len(_BANDS)
        return entries

    def _alike(self, look: Look, entries: "Entries") -> "Entries":
        """The entries that `Look.is_like`, computed with the same integers."""
        np = self._np
        greys = np.frombuffer(self._greys.of(entries.tolist()), np.uint8).reshape(-1, GREY_BYTES)
        theirs = np.concatenate([greys >> 4, greys & 15], axis=1).astype(np.int64)
        own = np.frombuffer(look.grey, np.uint8)
        ours = np.concatenate([own >> 4, own & 15]).astype(np.int64)
        count, ours_sum, theirs_sum = len(ours), ours.sum(), theirs.sum(axis=1)
        both = count * (theirs @ ours) - ours_sum * theirs_sum
        ours_square = count * (ours @ ours) - ours_sum**2
        squares = ours_square * (count * (theirs * theirs).sum(axis=1) - theirs_sum**2)
        correlations = np.where(squares > 0, both / np.sqrt(np.maximum(squares, 1)), 0.0)
        small = np.array([self._small[entry] for entry in entries.tolist()], np.uint8) | look.is_small
        least = np.where(small, LEAST_CORRELATION_OF_SMALL, LEAST_CORRELATION)
        found: Entries = entries[correlations >= least]
        return found


def _keys(difference_hash: int) -> list[int]:
    """Return the positions of each band's bits in the table."""
    return [
        band << _TABLE_BITS | difference_hash >> shift & ((1 << width) - 1)
        for band, (shift, width) in enumerate(_BANDS)
    ]


@cache
def _all_flips() -> "tuple[NDArray[np.uint32], NDArray[np.intp]]":
    """Return the flips of all bands, and the band of each."""
    import numpy as np

    bands = np.repeat(np.arange(len(_BANDS)), [len(flips) for flips in _FLIPS])
    return np.array([flip for flips in _FLIPS for flip in flips], np.uint32), bands


def _reduced(grey: "Image.Image") -> bytes:
    """Return 16 x 16 averaged grey values of four bits each, stretched: a copy may be darker or have less contrast."""
    values = grey.resize((_GREY_SIDE, _GREY_SIDE), _box()).tobytes()
    low, high = min(values), max(values)
    steps = values.translate(bytes(low) + _stretched(high - low) + bytes(255 - high))
    first, second = steps[:GREY_BYTES], steps[GREY_BYTES:]
    return (int.from_bytes(first) << 4 | int.from_bytes(second)).to_bytes(GREY_BYTES)  # each is below 16


@cache
def _stretched(span: int) -> bytes:
    """Return the steps of the values from 0 to a span, which is 255 at most."""
    return bytes(round(value * _STEPS / max(1, span)) for value in range(span + 1))


def _box() -> "Image.Resampling":
    from PIL import Image

    return Image.Resampling.BOX
