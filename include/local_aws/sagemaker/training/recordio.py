"""Wraps bytes in a record of MXNet's RecordIO, as SageMaker does for `RecordWrapperType` RecordIO.

A record is a magic number, a word with a 3-bit flag above a 29-bit length, so many bytes, and zeros up to the next
multiple of 4. Where the bytes hold the magic number at a multiple of 4, MXNet leaves it out and cuts the record there.
The algorithm has code of its own for this: it reads what AWS sends, and may not lean on what this server believes.
"""

from __future__ import annotations

import struct

MAGIC = struct.pack("<I", 0xCED7230A)
LENGTH_BITS = 29
MAX_RECORD_BYTES = (1 << LENGTH_BITS) - 1
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


def framed(content: bytes) -> bytes:
    """Return the content as one record.

    Raises:
        ValueError: the content is too long for one.

    """
    if len(content) > MAX_RECORD_BYTES:
        raise ValueError(f"{len(content):,} bytes do not fit in a RecordIO record; at most {MAX_RECORD_BYTES:,} do")
    parts = _cut(content)
    flags = [_FIRST, *[_MIDDLE] * (len(parts) - 2), _LAST] if len(parts) > 1 else [_WHOLE]
    frames = [
        MAGIC + struct.pack("<I", flag << LENGTH_BITS | len(part)) + part
        for flag, part in zip(flags, parts, strict=True)
    ]
    return b"".join(frames) + bytes(-len(content) % 4)


def _cut(content: bytes) -> list[bytes]:
    parts = []
    start, found = 0, content.find(MAGIC)
    while found >= 0:
        if found % 4 == 0:
            parts.append(content[start:found])
            start = found + len(MAGIC)
        found = content.find(MAGIC, found + 1)
    return [*parts, content[start:]]
