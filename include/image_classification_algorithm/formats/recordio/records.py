"""Reads MXNet's RecordIO, the sequence of records in a .rec file or in a pipe.

`image_classifier.contracts.training.recordio` describes the format and writes it. The protobuf RecordIO of other
SageMaker algorithms has the same frame and other content.
"""

from collections.abc import Iterator
from typing import BinaryIO

from image_classification_algorithm.errors import ClientError
from image_classifier.contracts.training.recordio import (
    FIRST,
    FRAME,
    LAST,
    LENGTH_BITS,
    MAGIC,
    MAX_RECORD_BYTES,
    MIDDLE,
    WHOLE,
)

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


def _parts(stream: BinaryIO, *, name: str, offset: int) -> Iterator[Part]:
    """Yield (offset, flag, bytes) of each part."""
    while head := stream.read(FRAME.size):
        if len(head) < FRAME.size:
            raise unreadable(name, offset, f"it ends after {len(head)} bytes of a record's head")
        magic, word = FRAME.unpack(head)
        if magic != MAGIC:
            raise unreadable(name, offset, f"it does not begin with the magic number but with {head[:4].hex(' ')}")
        length = word & MAX_RECORD_BYTES
        data = stream.read(padded := length + -length % 4)
        if len(data) < padded:
            raise unreadable(name, offset, f"it ends after {len(data):,} of {padded:,} bytes")
        yield offset, word >> LENGTH_BITS, data if length == padded else data[:length]
        offset += FRAME.size + padded


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
