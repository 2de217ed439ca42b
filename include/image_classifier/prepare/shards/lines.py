"""Defines the lines of a listing's files: images to read, and results."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from image_classifier.prepare import manifest
from image_classifier.prepare.inspection.inspector import Facts, Inspected, Rejected
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.layout.split_folders import Split

Line = Mapping[str, Any]
NUMBERS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Entry:
    """An image that is to be read.

    Attributes:
        at: its place in the source's listing, from 0.
        known: what the previous version says of a file that probably has the same bytes.
        split_before: where the previous version has an image of those bytes.

    """

    at: int
    image: Listed
    known: Facts | None = None
    split_before: Split | None = None


def image_line(at: int, image: Listed) -> dict[str, Any]:
    """Return a line of unchanged/: ``at``, ``name``, ``class``; ``placed``, the source's split, and ``stamp``."""
    optional = {"placed": image.split, "stamp": image.stamp}
    given = {name: value for name, value in optional.items() if value}
    return {"at": at, "name": image.name, "class": image.class_name, **given}


def read_image(line: Line) -> Listed:
    """Read what `image_line` made."""
    return Listed(line["name"], sys.intern(line["class"]), line.get("placed"), line.get("stamp", ""))


def entry_line(entry: Entry) -> dict[str, Any]:
    """Return a line of part-<n>.jsonl.gz: the keys of `image_line`, and the previous version's facts.

    That is ``known``, with the keys of `manifest.Line`, and ``split_before``.
    """
    line = image_line(entry.at, entry.image)
    if entry.known:
        line["known"] = manifest.line_of(Inspected(entry.image, "train", entry.known, uploaded=False))
    return {**line, "split_before": entry.split_before} if entry.split_before else line


def read_entry(line: Line) -> Entry:
    """Read what `entry_line` made."""
    known = manifest.facts_of(line["known"]) if "known" in line else None
    return Entry(line["at"], read_image(line), known, line.get("split_before"))


def result_line(at: int, found: Inspected | Rejected) -> dict[str, Any]:
    """Return a line of inspected/: the keys of `manifest.line_of`, and ``at`` and ``placed`` as in `image_line`.

    Of a usable image also ``stored_in``, the split below which its prepared form was stored, and ``uploaded``, whether
    that was done then.
    """
    line = {"at": at, **manifest.line_of(found)}
    if found.image.split:
        line["placed"] = found.image.split
    if isinstance(found, Inspected):
        line |= {"stored_in": found.split, "uploaded": found.uploaded}
    return line


def read_result(line: Line) -> Inspected | Rejected:
    """Read what `result_line` made."""
    if "rejected" in line:
        return Rejected(read_image(line), line["rejected"], line["reason"])
    return Inspected(read_image(line), line["stored_in"], manifest.facts_of(line), uploaded=line["uploaded"])


def json_of(numbers: Sequence[int]) -> Iterator[str]:
    """Yield the pieces of ``json.dumps(list(numbers))``, which takes 100 MB of memory for a million."""
    for start in range(0, len(numbers), NUMBERS_AT_ONCE):
        yield (", " if start else "[") + ", ".join(map(str, numbers[start : start + NUMBERS_AT_ONCE]))
    yield "]" if numbers else "[]"
