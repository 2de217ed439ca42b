"""Keeps the inspected images of a data set: what the split needs in columns, and the facts of many images on disk.

A million images take about 100 MB of memory: 32 bytes are the SHA-256 of the file, and the rest are numbers. Of at
most `KEPT` images the facts stay in memory, too, where they are faster to read.
"""

import marshal
import os
import sys
import tempfile
import weakref
from array import array
from collections.abc import Iterable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from image_classifier.prepare.inspection.inspector import Facts, Inspected
from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.inspection.statistics import NUMBERS, Statistics
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.layout.split_folders import Split

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.int64]

KEPT: Final = 20_000
SPLIT_OF_CODE: Final[tuple[Split | None, ...]] = (None, "test", "train", "validation")  # ordered as their names
CODE_OF_SPLIT: Final = {split: code for code, split in enumerate(SPLIT_OF_CODE)}
TEST, TRAIN, VALIDATION = 1, 2, 3
_SHA_BYTES: Final = 32
_numbers: Final = attrgetter(*NUMBERS)
_FILE_BYTES: Final = 24  # of a prepared image's name, which has 20; see `inspector.file_name`


class Spool:
    """The inspected images in the order in which they were added, numbered from 0."""

    def __init__(self) -> None:
        """Start empty."""
        self.class_names: list[str] = []
        self._class_codes: dict[str, int] = {}
        self._kept: list[tuple[Listed, Facts]] = []
        self._offsets = array("Q", [0])
        self._file: Any = None
        self._last: tuple[int, tuple[Listed, Facts]] | None = None
        self._shas, self._files = bytearray(), bytearray()
        self._placed, self._own, self._uploaded, self._with_look = (bytearray() for _ in range(4))
        self._classes, self._revised = array("I"), dict[int, str]()

    @classmethod
    def of(cls, images: Iterable[Inspected]) -> "Spool":
        """Return a spool of these images."""
        spool = cls()
        for image in images:
            spool.add(image)
        return spool

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._uploaded)

    def add(self, one: Inspected) -> None:
        """Add an image; its group is not kept."""
        at, facts, image = len(self), one.facts, one.image
        if image.class_name not in self._class_codes:
            self._class_codes[image.class_name] = len(self.class_names)
            self.class_names.append(image.class_name)
        self._shas += bytes.fromhex(facts.sha256)
        self._files += facts.file_name.encode().ljust(_FILE_BYTES, b"\0")
        self._placed.append(CODE_OF_SPLIT[image.split])
        self._own.append(CODE_OF_SPLIT[one.split])
        self._uploaded.append(one.uploaded)
        self._with_look.append(facts.look is not None)
        self._classes.append(self._class_codes[image.class_name])
        if facts.revision:
            self._revised[at] = facts.revision
        if self._file is None and at >= KEPT:
            self._spill()
        if self._file is None:
            self._kept.append((image, facts))
        else:
            self._write(image, facts)

    def image(self, at: int) -> Listed:
        """Return an image as the source lists it."""
        return self.row(at)[0]

    def facts(self, at: int) -> Facts:
        """Return the facts of an image."""
        return self.row(at)[1]

    def numbers(self, at: int) -> tuple[float, ...]:
        """Return the statistics of an image in the order of `statistics.NUMBERS`."""
        return _numbers(self.facts(at).statistics)

    def sha256(self, at: int) -> str:
        """Return the SHA-256 of an image's file."""
        return self._shas[at * _SHA_BYTES : (at + 1) * _SHA_BYTES].hex()

    def was_uploaded(self, at: int) -> bool:
        """Return whether an image was uploaded."""
        return bool(self._uploaded[at])

    def identity(self, at: int) -> str:
        """Return what decides the prepared image, besides the parameters: SHA-256 and revision of its file."""
        return self.sha256(at) + self._revised.get(at, "")

    @property
    def shas(self) -> "NDArray[np.bytes_]":
        """Return the SHA-256 of each image."""
        import numpy as np

        return np.frombuffer(self._shas, f"S{_SHA_BYTES}")

    @property
    def sha_words(self) -> "NDArray[np.uint64]":
        """Return the SHA-256 of each image as four numbers, the most significant first."""
        import numpy as np

        return np.frombuffer(self._shas, ">u8").reshape(-1, 4)

    @property
    def placed(self) -> "NDArray[np.uint8]":
        """Return the code of the split that the source names."""
        return _column(self._placed)

    @property
    def own(self) -> "NDArray[np.uint8]":
        """Return the code of the split in which the prepared image was stored."""
        return _column(self._own)

    @property
    def uploaded(self) -> "NDArray[np.uint8]":
        """Return for each image whether it was uploaded; may be written to."""
        return _column(self._uploaded)

    @property
    def with_look(self) -> "NDArray[np.uint8]":
        """Return for each image whether it has a look."""
        return _column(self._with_look)

    @property
    def classes(self) -> "NDArray[np.uint32]":
        """Return the position of each image's class in ``class_names``."""
        import numpy as np

        return np.frombuffer(self._classes, np.uint32) if self._classes else np.zeros(0, np.uint32)

    @property
    def files(self) -> "NDArray[np.bytes_]":
        """Return the names of the prepared images below the folder of their class."""
        import numpy as np

        return np.frombuffer(self._files, f"S{_FILE_BYTES}")

    def named(self, places: "Places | slice" = slice(None)) -> set[tuple[Split | None, str]]:
        """Return the splits that the source names, with the classes of their images."""
        import numpy as np

        codes = np.unique(self.classes[places].astype(np.int64) << 2 | self.placed[places])
        return {(SPLIT_OF_CODE[code & 3], self.class_names[code >> 2]) for code in codes.tolist()}

    def mark_copies(self) -> None:
        """Mark all files of a prepared image as uploaded if one of them was."""
        import numpy as np

        order, words = self.by_content(), self.sha_words
        is_new = np.ones(len(order), bool)
        same = (words[order[1:]] == words[order[:-1]]).all(axis=1)
        is_new[1:] = ~same | (self.own[order[1:]] != self.own[order[:-1]])
        is_new[1:] |= self.classes[order[1:]] != self.classes[order[:-1]]
        starts = np.flatnonzero(is_new)
        if len(starts):
            self.uploaded[order] = np.repeat(
                np.maximum.reduceat(self.uploaded[order], starts), np.diff([*starts, len(order)])
            )

    def by_content(self) -> "Places":
        """Return the images in the order of their SHA-256; those with the same one by split and class."""
        return in_order(self.sha_words, self.own, self.classes)

    def row(self, at: int) -> tuple[Listed, Facts]:
        """Return an image as the source lists it, and its facts."""
        if self._file is None:
            return self._kept[at]
        last = self._last
        if last is None or last[0] != at:
            start, end = self._offsets[at], self._offsets[at + 1]
            self._file.flush()
            last = at, unpacked(os.pread(self._file.fileno(), end - start, start), self.sha256(at))
            self._last = last
        return last[1]

    def _spill(self) -> None:
        self._file = tempfile.TemporaryFile(prefix="images-", buffering=1 << 20)  # noqa: SIM115 - it lives as long
        weakref.finalize(self, self._file.close)
        for image, facts in self._kept:
            self._write(image, facts)
        self._kept = []

    def _write(self, image: Listed, facts: Facts) -> None:
        data = packed(image, facts)
        self._file.write(data)
        self._offsets.append(self._offsets[-1] + len(data))


def in_order(words: "NDArray[np.uint64]", *then: "NDArray[Any]") -> "Places":
    """Return the rows of numbers in their order, and equal ones in the order of other columns."""
    import numpy as np

    return np.lexsort((*then[::-1], *(words[:, column] for column in range(words.shape[1] - 1, -1, -1))))


def _column(values: bytearray) -> "NDArray[np.uint8]":
    import numpy as np

    return np.frombuffer(values, np.uint8)


def packed(image: Listed, facts: Facts) -> bytes:
    """Return an image and its facts, but for the SHA-256 of its file, as bytes for a file of this process."""
    look, statistics = facts.look, facts.statistics
    return marshal.dumps(
        (
            (image.name, image.class_name, image.split, image.stamp),
            (facts.width, facts.height, facts.traits, facts.file_name, facts.revision),
            (*(getattr(statistics, name) for name in NUMBERS), statistics.camera),
            (look.difference_hash, look.grey, look.is_small) if look else None,
        )
    )


def unpacked(data: bytes, sha256: str) -> tuple[Listed, Facts]:
    """Return what `packed` was given."""
    image, (width, height, traits, file_name, revision), statistics, look = marshal.loads(data)  # noqa: S302 - own file
    listed = Listed(image[0], sys.intern(image[1]), image[2], image[3])
    found = Look(*look) if look else None
    return listed, Facts(sha256, width, height, Statistics(*statistics), traits, found, file_name, revision)
