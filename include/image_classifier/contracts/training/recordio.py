"""Writes RecordIO as MXNet's im2rec does: image records in a .rec file, and their offsets in an .idx file.

A record is a magic number, a 32-bit word (a 3-bit flag, then a 29-bit length), the bytes of that length, and zeros up
to the next multiple of 4. If the bytes hold the magic number at a multiple of 4, the record is cut into parts there and
that magic number is left out; the flag says whether a part is the whole record, its first, a middle or its last part.
An image record holds a header, the labels, and the bytes of an image file. Source: dmlc-core, include/dmlc/recordio.h;
python/mxnet/recordio.py.
"""

import os
import re
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.training.image_list import Entry

MAGIC: Final = struct.pack("<I", 0xCED7230A)
LENGTH_BITS: Final = 29
MAX_RECORD_BYTES: Final = (1 << LENGTH_BITS) - 1
WHOLE, FIRST, MIDDLE, LAST = range(4)
READ_AT_ONCE: Final = 1 << 16  # bytes; most image files are read in one call, without asking for their size first
WRITTEN_AT_ONCE: Final = 1 << 20

FRAME: Final = struct.Struct("<4sI")
# The number of labels after the header (0: the single label is in the header), that label, the id, its upper half.
HEADER: Final = struct.Struct("<IfQQ")
_MAGICS: Final = re.compile(re.escape(MAGIC))


class ImageRecord(NamedTuple):
    """One image; labels are 32-bit floats, so whole numbers are exact only up to 2**24."""

    labels: tuple[float, ...]
    id: int
    image: bytes
    id2: int = 0


def header(labels: tuple[float, ...], number: int, *, id2: int = 0) -> bytes:
    """Return the bytes in front of an image in the record with this number."""
    if len(labels) == 1:
        return HEADER.pack(0, labels[0], number, id2)
    count = len(labels)
    return HEADER.pack(count, 0.0, number, id2) + struct.pack(f"<{count}f", *labels)


def packed(record: ImageRecord) -> bytes:
    """Return the content of a record, as MXNet's recordio.pack makes it."""
    return header(record.labels, record.id, id2=record.id2) + record.image


def encoded(head: bytes, image: bytes = b"") -> bytes:
    """Return the bytes of one record as MXNet writes them; an image may be given apart, which saves a copy of it.

    Raises:
        DatasetError: the record is too long for the format.

    """
    length = len(head) + len(image)
    if length > MAX_RECORD_BYTES:
        raise DatasetError(f"A record of {length:,} bytes is too long for RecordIO; at most {MAX_RECORD_BYTES:,}.")
    whole = b"".join((FRAME.pack(MAGIC, length), head, image, bytes(-length % 4)))
    if whole.rfind(MAGIC, FRAME.size) < 0:  # faster than find, and most images have none
        return whole
    record = whole[FRAME.size : FRAME.size + length]
    cuts = [found.start() for found in _MAGICS.finditer(record) if found.start() % 4 == 0]
    return _in_parts(record, cuts) if cuts else whole


def _in_parts(record: bytes, cuts: list[int]) -> bytes:
    starts, ends = [0, *(cut + 4 for cut in cuts)], [*cuts, len(record)]
    flags = [FIRST, *[MIDDLE] * (len(cuts) - 1), LAST]
    framed = [
        FRAME.pack(MAGIC, flag << LENGTH_BITS | end - start) + record[start:end]
        for flag, start, end in zip(flags, starts, ends, strict=True)
    ]
    return b"".join(framed) + bytes(-len(record) % 4)


def pack_files(entries: Iterable[Entry], *, root: Path, rec: Path) -> int:
    """Pack the unchanged files of an image list with all their labels; return their number.

    The .rec file and the .idx file beside it are byte for byte those of `im2rec --pass-through --pack-label`.
    """
    count, offset, folder = 0, 0, os.fspath(root)
    with (
        rec.open("wb", buffering=WRITTEN_AT_ONCE) as records,
        rec.with_suffix(".idx").open("w", encoding="ascii", newline="\n") as index,
    ):
        for entry in entries:
            record = encoded(header(entry.labels, entry.index), _content(f"{folder}/{entry.path}"))
            records.write(record)
            index.write(f"{entry.index}\t{offset}\n")
            offset += len(record)
            count += 1
    return count


def _content(path: str) -> bytes:
    """Return a file's bytes; Python's open() needs seven system calls for them, this needs four."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        data = os.read(descriptor, READ_AT_ONCE)
        if more := os.read(descriptor, READ_AT_ONCE):
            with open(descriptor, "rb", closefd=False) as rest:
                data += more + rest.read()
        return data
    finally:
        os.close(descriptor)
