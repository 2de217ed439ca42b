"""Splits an object into the bodies of requests: the whole object, or its lines, one or several in each request."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MB = 1024 * 1024
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


class TooLargeError(Exception):
    """A record is larger than a request may be."""


def payloads(data: bytes, *, split_type: str, strategy: str, max_payload_mb: int) -> Iterator[bytes]:
    """Return the bodies of the requests for one object; a `max_payload_mb` of 0 is no limit.

    Raises:
        TooLargeError: one record is over the limit.

    """
    max_bytes = max_payload_mb * MB if max_payload_mb else len(data)
    records = _LINE.findall(data) if split_type == "Line" else [data]
    batch = b""
    for record in records:
        if len(record) > max_bytes:
            raise TooLargeError("Too much data for max payload size")
        is_full = strategy == "SINGLE_RECORD" or len(batch) + len(record) > max_bytes
        if batch and is_full:
            yield batch
            batch = b""
        batch += record
    if batch or split_type == "None":
        yield batch


def assembled(answers: list[bytes], *, assemble_with: str) -> bytes:
    """Return the content of the object's .out file."""
    if assemble_with == "None":
        return b"".join(answers)
    return b"".join(answer if answer.endswith(b"\n") else answer + b"\n" for answer in answers)
