"""Reads the content of an im2rec record: a header, the labels, and the bytes of an image file."""

import struct

from image_classification_algorithm.formats.recordio.records import unreadable
from image_classifier.contracts.training.recordio import HEADER, ImageRecord


def unpacked(content: bytes, *, name: str, offset: int) -> ImageRecord:
    """Read the content of the record at `offset` of the file `name`.

    Raises:
        ClientError: the content is not an image record.

    """
    if len(content) < HEADER.size:
        raise unreadable(name, offset, f"{len(content)} bytes cannot hold an image record's head of {HEADER.size}")
    count, label, identity, identity2 = HEADER.unpack_from(content)
    end = HEADER.size + 4 * count
    if end > len(content):
        raise unreadable(
            name, offset, f"{count} labels are announced in {len(content):,} bytes; im2rec did not make it"
        )
    labels = struct.unpack_from(f"<{count}f", content, HEADER.size) if count else (label,)
    return ImageRecord(labels, identity, content[end:], identity2)
