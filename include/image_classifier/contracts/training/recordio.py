"""Writes RecordIO as MXNet's im2rec does: image records in a .rec file, and their offsets in an .idx file.

A record is a magic number, a 32-bit word (a 3-bit flag, then a 29-bit length), the bytes of that length, and zeros up
to the next multiple of 4. If the bytes hold the magic number at a multiple of 4, the record is cut into parts there and
that magic number is left out; the flag says whether a part is the whole record, its first, a middle or its last part.
An image record holds a header, the labels, and the bytes of an image file. Source: dmlc-core, include/dmlc/recordio.h;
python/mxnet/recordio.py.
"""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, TextIO

from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.training.image_list import Entry

MAGIC: Final = struct.pack("<I", 0xCED7230A)
LENGTH_BITS: Final = 29
MAX_RECORD_BYTES: Final = (1 << LENGTH_BITS) - 1
WHOLE, FIRST, MIDDLE, LAST = range(4)

FRAME: Final = struct.Struct("<4sI")
# The number of labels after the header (0: the single label is in the header), that label, the id, its upper half.
HEADER: Final = struct.Struct("<IfQQ")


class ImageRecord(NamedTuple):
    """One image; labels are 32-bit floats, so whole numbers are exact only up to 2**24."""

    labels: tuple[float, ...]
    id: int
    image: bytes
    id2: int = 0


def packed(record: ImageRecord) -> bytes:
    """Return the content of a record, as MXNet's recordio.pack makes it."""
    if len(record.labels) == 1:
        return HEADER.pack(0, record.labels[0], record.id, record.id2) + record.image
    count = len(record.labels)
    labels = struct.pack(f"<{count}f", *record.labels)
    return HEADER.pack(count, 0.0, record.id, record.id2) + labels + record.image


class RecordWriter:
    """Writes records to a .rec file and their offsets to an .idx file, as im2rec does."""

    def __init__(self, rec: BinaryIO, idx: TextIO) -> None:
        """Start with the first record."""
        self.rec, self.idx, self.offset = rec, idx, 0

    def write(self, record: bytes, *, key: int) -> None:
        """Append one record."""
        data = encoded(record)
        self.rec.write(data)
        self.idx.write(f"{key}\t{self.offset}\n")
        self.offset += len(data)


def encoded(record: bytes) -> bytes:
    """Return the bytes of one record as MXNet writes them.

    Raises:
        DatasetError: the record is too long for the format.

    """
    if len(record) > MAX_RECORD_BYTES:
        raise DatasetError(f"A record of {len(record):,} bytes is too long for RecordIO; at most {MAX_RECORD_BYTES:,}.")
    padding = bytes(-len(record) % 4)
    cuts = _aligned_magics(record)
    if not cuts:
        return FRAME.pack(MAGIC, len(record)) + record + padding
    starts, ends = [0, *(cut + 4 for cut in cuts)], [*cuts, len(record)]
    flags = [FIRST, *[MIDDLE] * (len(cuts) - 1), LAST]
    framed = [
        FRAME.pack(MAGIC, flag << LENGTH_BITS | end - start) + record[start:end]
        for flag, start, end in zip(flags, starts, ends, strict=True)
    ]
    return b"".join(framed) + padding


def _aligned_magics(record: bytes) -> list[int]:
    found = []
    position = record.find(MAGIC)
    while position >= 0:
        if position % 4 == 0:
            found.append(position)
        position = record.find(MAGIC, position + 1)
    return found


def pack_files(entries: Iterable[Entry], *, root: Path, rec: Path) -> int:
    """Pack the unchanged files of an image list with all their labels; return their number.

    The .rec file and the .idx file beside it are byte for byte those of `im2rec --pass-through --pack-label`.
    """
    count = 0
    with rec.open("wb") as records, rec.with_suffix(".idx").open("w", encoding="ascii", newline="\n") as index:
        writer = RecordWriter(records, index)
        for entry in entries:
            record = ImageRecord(entry.labels, entry.index, (root / entry.path).read_bytes())
            writer.write(packed(record), key=entry.index)
            count += 1
    return count
