"""Reads and writes image lists (.lst files) as MXNet's im2rec does. It imports the standard library only."""

import hashlib
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from image_classifier.contracts.errors import DatasetError

FINGERPRINT_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: an image and its label.

    Attributes:
        index: a number that is unique over train and validation; RecordIO uses it as the record's key.
        labels: one class index; for a multi-label set one 0 or 1 per class.
        path: the image's path relative to the root of its channel.

    """

    index: int
    labels: tuple[float, ...]
    path: str

    @property
    def label(self) -> int:
        """Return the class index of a single-label entry.

        Raises:
            DatasetError: the entry has several labels.

        """
        if len(self.labels) != 1 or not self.labels[0].is_integer():
            raise DatasetError(f"Image {self.path!r} has the labels {_few(self.labels)}; one class index was expected.")
        return int(self.labels[0])


def dumps(entries: Iterable[Entry]) -> str:
    """Return the list's text; as UTF-8 it equals the file that im2rec writes for the same entries in the same order.

    Raises:
        DatasetError: im2rec would read an entry back differently.

    """
    return "".join(_line(entry) for entry in entries)


def parse(text: str) -> list[Entry]:
    """Parse a list as im2rec does, but refuse the lines that im2rec drops with a printed message.

    Raises:
        DatasetError: names the line.

    """
    entries: list[Entry] = []
    seen: dict[int, int] = {}
    # Only LF, CRLF and CR end a line: splitlines() would also split at U+2028, which a file name may contain.
    for number, line in enumerate(io.StringIO(text, newline=None), start=1):
        if line.strip():
            entry = _entry(line, number)
            first = seen.setdefault(entry.index, number)
            if first != number:
                raise DatasetError(f"Line {number} of the image list repeats index {entry.index} of line {first}.")
            entries.append(entry)
    return entries


def shuffled(entries: Iterable[Entry], *, seed: str) -> list[Entry]:
    """Return the entries in an order that depends only on their paths and the seed, on every machine and Python."""
    return sorted(entries, key=lambda entry: digest(entry.path, seed=seed))


def digest(path: str, *, seed: str) -> bytes:
    """Return the 32 bytes by which `shuffled` orders an entry."""
    return hashlib.sha256(f"{seed}\n{path}".encode()).digest()


def fingerprint(images: Iterable[tuple[str, int, str]], *, pixels_key: str, labels: Sequence[str]) -> str:
    """Return the identity of a data set, 16 hex digits; it is independent of file names, order, machine and encoder.

    Args:
        images: (split, class index, SHA-256 of the source bytes) of every image.
        pixels_key: ``PixelParameters.key()``, or the text that replaces it for unmodified images.
        labels: the labels by class index.

    """
    return fingerprint_of_sorted(sorted(images), pixels_key=pixels_key, labels=labels)


def fingerprint_of_sorted(images: Iterable[tuple[str, int, str]], *, pixels_key: str, labels: Sequence[str]) -> str:
    """Return the `fingerprint` of images that are given in their order, without holding all of them in memory."""
    found = hashlib.sha256(json.dumps([FINGERPRINT_FORMAT, pixels_key, list(labels), []]).encode()[:-2])
    for number, image in enumerate(images):  # as json.dumps writes a list of them
        found.update((", " if number else "").encode() + json.dumps(image).encode())
    found.update(b"]]")
    return found.hexdigest()[:16]


def _line(entry: Entry) -> str:
    _check(entry)
    labels = "".join([f"{label:f}\t" for label in entry.labels])
    return f"{entry.index}\t{labels}{entry.path}\n"


def _check(entry: Entry) -> None:
    path = entry.path
    if entry.index < 0:
        raise DatasetError(f"Image {path!r} has index {entry.index}; indices start at 0.")
    if not entry.labels or not all(map(math.isfinite, entry.labels)):
        raise DatasetError(
            f"Image {path!r} has the labels {_few(entry.labels)}; at least one, all finite, were expected."
        )
    if path != path.strip() or not path or "\t" in path or "\n" in path or "\r" in path:
        message = (
            f"Path {path!r} cannot stand in an image list: it is empty, has a blank at an end, a tab or a line end."
        )
        raise DatasetError(message)
    try:
        if not path.isascii():
            path.encode()
    except UnicodeEncodeError as error:
        raise DatasetError(f"Path {path!r} cannot stand in an image list: it is not Unicode text.") from error


def _few(labels: Sequence[float]) -> str:
    shown = ", ".join(map(str, labels[:8]))
    return shown if len(labels) <= 8 else f"{shown} and {len(labels) - 8} more"


def _entry(line: str, number: int) -> Entry:
    fields = [field.strip() for field in line.strip().split("\t")]
    if len(fields) < 3:
        message = (
            f"Line {number} of the image list has {len(fields)} fields; index, label and path were expected: {line!r}."
        )
        raise DatasetError(message)
    try:
        entry = Entry(int(fields[0]), tuple(float(field) for field in fields[1:-1]), fields[-1])
        _check(entry)
    except (ValueError, DatasetError) as error:
        raise DatasetError(f"Line {number} of the image list cannot be read: {error}") from error
    return entry
