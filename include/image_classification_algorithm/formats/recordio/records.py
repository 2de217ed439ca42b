"""Reads and writes MXNet's RecordIO, the sequence of records in a .rec file or in a pipe.

A record is a magic number, a 32-bit word (a 3-bit flag, then a 29-bit length), the bytes of that length, and zeros up
to the next multiple of 4. If the bytes hold the magic number at a multiple of 4, the record is cut into parts there and
that magic number is left out; the flag says whether a part is the whole record, its first, a middle or its last part.
The protobuf RecordIO of other SageMaker algorithms has the same frame and other content.
"""

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final, TextIO

from image_classification_algorithm.errors import ClientError

MAGIC: Final = struct.pack("<I", 0xCED7230A)
LENGTH_BITS: Final = 29
MAX_RECORD_BYTES: Final = (1 << LENGTH_BITS) - 1
WHOLE, FIRST, MIDDLE, LAST = range(4)

_FRAME = struct.Struct("<4sI")
Part = tuple[int, int, bytes]


def records(stream: BinaryIO, *, name: str, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield (offset of its first byte, record) for each record, with one record in memory at a time.

    Args:
        stream: a buffered stream, so that a read returns all bytes that were asked for; it may be a pipe.
        name: the stream's name in error messages.
        offset: position in bytes at which the stream starts.

    Raises:
        ClientError: the stream is not RecordIO; names the byte.

    """
    parts = _parts(stream, name=name, offset=offset)
    for start, flag, part in parts:
        if flag == WHOLE:
            yield start, part
        elif flag == FIRST:
            yield start, _joined(part, parts, name=name, start=start)
        else:
            raise unreadable(name, start, "it goes on with a record that did not begin")


def unreadable(name: str, offset: int, problem: str) -> ClientError:
    """Return an error in the built-in algorithm's words, to which file and position are added."""
    return ClientError(
        f"Unable to parse record at byte {offset} of {name}: {problem}. "
        "Please make sure input data is in correct recordio format."
    )


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
        ClientError: the record is too long for the format.

    """
    if len(record) > MAX_RECORD_BYTES:
        raise ClientError(f"A record of {len(record):,} bytes is too long for RecordIO; at most {MAX_RECORD_BYTES:,}.")
    padding = bytes(-len(record) % 4)
    cuts = _aligned_magics(record)
    if not cuts:
        return _FRAME.pack(MAGIC, len(record)) + record + padding
    starts, ends = [0, *(cut + 4 for cut in cuts)], [*cuts, len(record)]
    flags = [FIRST, *[MIDDLE] * (len(cuts) - 1), LAST]
    framed = [
        _FRAME.pack(MAGIC, flag << LENGTH_BITS | end - start) + record[start:end]
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


def _parts(stream: BinaryIO, *, name: str, offset: int) -> Iterator[Part]:
    """Yield (offset, flag, bytes) of each part."""
    while head := stream.read(_FRAME.size):
        if len(head) < _FRAME.size:
            raise unreadable(name, offset, f"it ends after {len(head)} bytes of a record's head")
        magic, word = _FRAME.unpack(head)
        if magic != MAGIC:
            raise unreadable(name, offset, f"it does not begin with the magic number but with {head[:4].hex(' ')}")
        length = word & MAX_RECORD_BYTES
        data = stream.read(padded := length + -length % 4)
        if len(data) < padded:
            raise unreadable(name, offset, f"it ends after {len(data):,} of {padded:,} bytes")
        yield offset, word >> LENGTH_BITS, data if length == padded else data[:length]
        offset += _FRAME.size + padded


def _joined(first: bytes, parts: Iterator[Part], *, name: str, start: int) -> bytes:
    """Join the record that begins with `first`, and put the magic numbers back between its parts."""
    pieces, total = [first], len(first)
    for offset, flag, part in parts:
        if flag not in (MIDDLE, LAST):
            raise unreadable(name, offset, f"another record begins before that at byte {start} ended")
        pieces.append(part)
        total += len(MAGIC) + len(part)
        if total > MAX_RECORD_BYTES:
            raise unreadable(name, start, f"its parts have more than {MAX_RECORD_BYTES:,} bytes")
        if flag == LAST:
            return MAGIC.join(pieces)
    raise unreadable(name, start, "its last part is missing")
