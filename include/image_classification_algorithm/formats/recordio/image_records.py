"""Reads and writes the content of an im2rec record: a header, the labels, and the bytes of an image file."""

import struct
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from image_classification_algorithm.formats.recordio.records import RecordWriter, unreadable
from image_classifier.contracts.training.image_list import Entry

# The number of labels after the header (0: the single label is in the header), that label, the id, its upper half.
_HEADER = struct.Struct("<IfQQ")


class ImageRecord(NamedTuple):
    """One image; labels are 32-bit floats, so whole numbers are exact only up to 2**24."""

    labels: tuple[float, ...]
    id: int
    image: bytes
    id2: int = 0


def packed(record: ImageRecord) -> bytes:
    """Return the content of a record, as MXNet's recordio.pack makes it."""
    if len(record.labels) == 1:
        return _HEADER.pack(0, record.labels[0], record.id, record.id2) + record.image
    count = len(record.labels)
    labels = struct.pack(f"<{count}f", *record.labels)
    return _HEADER.pack(count, 0.0, record.id, record.id2) + labels + record.image


def unpacked(content: bytes, *, name: str, offset: int) -> ImageRecord:
    """Read the content of the record at `offset` of the file `name`.

    Raises:
        ClientError: the content is not an image record.

    """
    if len(content) < _HEADER.size:
        raise unreadable(name, offset, f"{len(content)} bytes cannot hold an image record's head of {_HEADER.size}")
    count, label, identity, identity2 = _HEADER.unpack_from(content)
    end = _HEADER.size + 4 * count
    if end > len(content):
        raise unreadable(
            name, offset, f"{count} labels are announced in {len(content):,} bytes; im2rec did not make it"
        )
    labels = struct.unpack_from(f"<{count}f", content, _HEADER.size) if count else (label,)
    return ImageRecord(labels, identity, content[end:], identity2)


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
