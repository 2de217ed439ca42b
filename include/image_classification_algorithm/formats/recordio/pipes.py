"""Reads Pipe mode: SageMaker writes a channel to a named pipe per epoch, `/opt/ml/input/data/<channel>_<epoch>`.

With `RecordWrapperType` None, the pipe of an `application/x-recordio` channel carries the .rec files below the S3
prefix of the channel, one after the other: image records, as im2rec made them.

With `RecordWrapperType` RecordIO and `S3DataType` AugmentedManifestFile, SageMaker walks the lines of the manifest, in
order, and the `AttributeNames` of each line, in the request's order, and writes one RecordIO record per attribute. An
attribute whose name ends in `-ref` becomes the bytes of the S3 object that it names; any other becomes its value as
text. The algorithm wants `AttributeNames` `["source-ref", "class"]`, so the pipe carries

    record(bytes of the first image) record(label of the first image) record(bytes of the second image) ...

without image headers, names or the number of lines. The manifest `{"source-ref": "s3://b/a.jpg", "class": "0"}` gives
`record(ff d8 ff ...) record("0")`. A label is `0` for one class, or a JSON list for multi-label: `[1, 0, 1]`, one 0 or
1 per class, or with the content type `application/x-recordio; label-format=class-id` the indices `[0, 2]`. Whether a
text arrives with its quotation marks is not documented; `0` and `"0"`, `[1, 0, 1]` and `"[1, 0, 1]"` are read alike.

Only the pipe of the first epoch is read: its images are kept in a temporary file, where later epochs find them in any
order.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial

from image_classification_algorithm.formats.channels import Channel
from image_classification_algorithm.formats.recordio.records import records, unreadable
from image_classification_algorithm.job_log import log
from image_classifier.contracts.training.recordio import MAGIC

BUFFER_BYTES = 1 << 20


class Kept:
    """Keeps images in an unnamed temporary file, which disappears with the last reference to it."""

    def __init__(self) -> None:
        """Open an empty temporary file."""
        self.file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the last reference to it
        self.size = 0

    def keep(self, image: bytes) -> Callable[[], bytes]:
        """Write the image; return a function that reads it back, from any thread."""
        self.file.write(image)
        self.file.flush()
        start, self.size = self.size, self.size + len(image)
        return partial(self._read, start, len(image))

    def _read(self, start: int, length: int) -> bytes:
        return os.pread(self.file.fileno(), length, start)


def records_of(channel: Channel) -> Iterator[tuple[int, bytes]]:
    """Yield the records of the first epoch's pipe as pairs (offset of its first byte, record)."""
    log.info("The channel '%s' is in pipe input mode under %s.", channel.name, channel.path)
    try:
        stream = channel.pipe.open("rb", buffering=BUFFER_BYTES)
    except FileNotFoundError as error:
        raise channel.missing(f"has no pipe {channel.pipe.name} beside it") from error
    with stream:
        yield from records(stream, name=str(channel.pipe))


def pairs_of(channel: Channel) -> Iterator[tuple[int, bytes, tuple[float, ...]]]:
    """Yield (offset of the image's record, image, labels) from the pipe of an augmented manifest.

    Raises:
        ClientError: the records are not alternately an image and its label.

    """
    name, stream = str(channel.pipe), records_of(channel)
    for offset, image in stream:
        label_offset, label = next(stream, (offset, None))
        labels = _labels(label)
        if labels is None:
            raise unreadable(name, label_offset, _problem(image, label))
        yield offset, image, labels


def _problem(image: bytes, label: bytes | None) -> str:
    if image.startswith(MAGIC):
        return "it holds a .rec file, which needs no RecordWrapperType"
    found = "no label follows this image" if label is None else f"{label[:40]!r} is neither a number nor a list of them"
    return f"{found}; AttributeNames must name the image first, then the label"


def _labels(record: bytes | None) -> tuple[float, ...] | None:
    try:
        value = json.loads(record or b"")
        value = json.loads(value) if isinstance(value, str) else value
        return tuple(_number(label) for label in (value if isinstance(value, list) else [value]))
    except (ValueError, TypeError, OverflowError, RecursionError):
        return None


def _number(label: object) -> float:
    if isinstance(label, bool) or not isinstance(label, int | float):
        raise TypeError(f"{label!r} is no number")
    return float(label)
