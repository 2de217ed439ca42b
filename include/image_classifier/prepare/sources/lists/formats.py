"""Reads the text of a list as a table: CSV, text with a path in each line, JSON Lines, and JSON.

JSON is an array of objects; ``{path: label}``, ``{path: {key: value}}`` or ``{label: [paths]}``; or the format of COCO
(https://cocodataset.org/#format-data), in which each image must have one category.
"""

import codecs
import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.signatures import GIT_LFS
from image_classifier.prepare.layout.split_folders import few, is_image_name
from image_classifier.prepare.sources.lists.text_lines import (
    divided,
    is_header,
    is_label_certain,
    without_comments,
    without_count,
)

if TYPE_CHECKING:
    from _csv import Reader

PATHS: Final = ("path", "file_name", "filename", "file", "image", "image_path", "filepath", "source-ref")
TABLES: Final = (".csv", ".tsv")
TEXT: Final = ".txt"
JSON: Final = ".json"
COCO: Final = ("images", "annotations", "categories")
VIA: Final = "_via_img_metadata"  # the images in a project of VGG Image Annotator
_DELIMITERS: Final = "\t;,"
_PACKED: Final = {
    b"PK\3\4": "an archive (unpack it) or a spreadsheet (save the sheet as CSV in UTF-8)",
    b"\xd0\xcf\x11\xe0": "a spreadsheet (save the sheet as CSV in UTF-8)",
    b"\x1f\x8b": "compressed by gzip (unpack it)",
}
MOST_CELLS: Final = 1000  # in a line of text

Line = tuple[str, Mapping[str, Any]]  # where it is, for messages; and its values by column


@dataclass(frozen=True)
class Table:
    """The lines of a list.

    Attributes:
        columns: of the header; numbers as text, from 0, if there is none; or the keys of the first line.
        lines: those with values.
        path, label: the columns to use if none is named and none has a usual name.
        is_numbered: whether there is no header, and columns are numbers.
        overfull: the first line with more values than columns; empty if there is none.

    """

    columns: Sequence[str]
    lines: Iterable[Line]
    path: str | None = None
    label: str | None = None
    is_numbered: bool = False
    overfull: str = ""


def encoding_of(data: bytes) -> str:
    """Return the encoding of a list: UTF-16 if it begins with its mark, as Excel's "Unicode text" does; else UTF-8.

    Without a mark it is UTF-16 if every second byte of the beginning is 0.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    first, second = data[:64:2], data[1:64:2]
    if second and not any(second) and any(first):
        return "utf-16-le"
    return "utf-16-be" if second and not any(first) and any(second) else "utf-8-sig"


def text_in(data: bytes, *, name: str) -> str:
    """Return the text of a list.

    Raises:
        DatasetError: the bytes are no text, or that of a Git LFS pointer.

    """
    if data.startswith(GIT_LFS):
        message = f"List {name} is a Git LFS pointer, not the list, which was not downloaded: run `git lfs pull`."
        raise DatasetError(message)
    if kind := next((kind for start, kind in _PACKED.items() if data.startswith(start)), None):
        raise DatasetError(f"List {name} is no text, in spite of its name: it is {kind}.")
    try:
        return data.decode(encoding_of(data))
    except UnicodeDecodeError as error:
        raise DatasetError(f"List {name} is not UTF-8 text: {error}. Save it as UTF-8.") from error


def read_table(text: str, *, name: str, columns: Columns) -> Table:
    """Return the lines of a list.

    Args:
        text: the file's text.
        name: the file's name, whose suffix decides the format.
        columns: that are read; the first line of a CSV file names them, unless one is a number.

    Raises:
        DatasetError: the text is not of the format; the message names the line. It is raised while lines are taken.

    """
    ending = PurePosixPath(name).suffix.lower()
    if ending in TABLES:
        named = (columns.path, *columns.labels, columns.split)
        return _csv(text, name=name, has_header=not any(isinstance(column, int) for column in named))
    if ending == TEXT:
        return _words(text, name=name, columns=columns)
    lines = _json(text, name=name) if ending == JSON else _json_lines(text, name=name)
    first = next(lines, None)
    return Table(list(first[1]) if first else (), (line for part in ([first] if first else [], lines) for line in part))


def _csv(text: str, *, name: str, has_header: bool) -> Table:
    delimiter = max(_DELIMITERS, key=text.partition("\n")[0].count)
    rows = _csv_rows(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), name=name)
    if not rows:
        return Table((), ())
    columns = [cell.strip() for cell in rows[0]] if has_header else _numbers(rows[0])
    lines = _numbered(columns, rows[has_header:], name=name, first=1 + has_header)
    more = next((at for at, row in enumerate(rows, start=1) if any(map(str.strip, row[len(columns) :]))), None)
    overfull = "" if more is None else f"line {more} of {name}"
    return Table(columns, lines, is_numbered=not has_header, overfull=overfull)


def _csv_rows(reader: "Reader", *, name: str) -> list[list[str]]:
    try:
        return list(reader)
    except csv.Error as error:
        message = f"Cannot read the row that ends in line {reader.line_num} of {name}: {error}. A quote may be missing."
        raise DatasetError(message) from error


def _words(text: str, *, name: str, columns: Columns) -> Table:
    """Read lines of a path, and a label or other values after it; a delimiter in each line divides them, or blanks."""
    lines = without_count(without_comments(text.splitlines(), name=name))
    written = [line for line in lines if line]
    if not written:
        return Table((), ())
    delimiter = next((one for one in _DELIMITERS if all(one in line for line in written)), None)
    header = [cell.strip().strip('"') for cell in written[0].split(delimiter)]
    path = next((at for at, cell in enumerate(header) if cell.lower() in PATHS), None)
    if path is None and is_header(written[0], written[1:]):
        path = 0
    if path is not None:
        start = lines.index(written[0]) + 1
        lines = [*[""] * start, *lines[start:]]
        rows = _rows_of(lines, name=name, delimiter=delimiter, most=len(header), is_path_first=path == 0)
        label = header[1 - path] if len(header) == 2 else None
        return Table(header, _numbered(header, rows, name=name, first=1), path=header[path], label=label)
    is_first = not isinstance(columns.path, int) or columns.path == 0
    rows = _rows_of(lines, name=name, delimiter=delimiter, most=MOST_CELLS, is_path_first=is_first)
    numbers = _numbers(max(rows, key=len))
    label = "1" if len(numbers) > 1 and (delimiter or is_label_certain(rows)) else None
    return Table(numbers, _numbered(numbers, rows, name=name, first=1), path="0", label=label, is_numbered=True)


def _rows_of(
    lines: Sequence[str], *, name: str, delimiter: str | None, most: int, is_path_first: bool
) -> list[list[str]]:
    if delimiter is None:
        return divided(lines, most=most, is_path_first=is_path_first, name=name)
    written = list(filter(None, lines))
    quote = "'" if all(re.match(rf"'[^']*'\s*({delimiter}|$)", line) for line in written) else '"'
    if any(line.startswith(quote) or f"{delimiter}{quote}" in line for line in written):
        reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, skipinitialspace=True)
        return _csv_rows(reader, name=name)
    width = min([most, *(len(line.split(delimiter)) for line in written)])
    return [line.rsplit(delimiter, width - 1) if line else [] for line in lines]  # a path may contain the delimiter


def _numbers(row: Sequence[str]) -> list[str]:
    return [str(place) for place in range(len(row))]


def _numbered(columns: Sequence[str], rows: Iterable[Sequence[str]], *, name: str, first: int) -> Iterator[Line]:
    for number, row in enumerate(rows, start=first):
        if any(cell.strip() for cell in row):
            yield f"line {number} of {name}", dict(zip(columns, row, strict=False))


def _json_lines(text: str, *, name: str) -> Iterator[Line]:
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {name}"
        try:
            values = _loads(line)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"Cannot read {where}: {error}. Each line must be a JSON object.") from error
        if isinstance(values, list) and any(isinstance(one, dict) for one in values):
            raise DatasetError(f"Cannot read {where}: it is an array of objects. Rename {name} to end in .json.")
        if not isinstance(values, dict):
            raise DatasetError(f"Cannot read {where}: each line must be a JSON object, and this is {line[:60]!r}.")
        if all(isinstance(values.get(key), list) for key in COCO):
            raise DatasetError(f"List {name} is one object in the format of COCO: rename it to end in .json.")
        yield where, _flat(values)


def _json(text: str, *, name: str) -> Iterator[Line]:
    try:
        found = _loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"Cannot read {name}: {error}. It must be JSON; JSON Lines end in .jsonl.") from error
    for number, values in enumerate(_objects(found, name=name), start=1):
        if not isinstance(values, dict):
            raise DatasetError(f"Cannot read object {number} of {name}: it must be a JSON object with path and label.")
        yield f"object {number} of {name}", _flat(values)


def _loads(text: str) -> Any:
    """Parse JSON; NaN, which some programs write for an empty value, is null.

    Raises:
        ValueError: the text is no JSON, or an object has two values of one key.

    """
    return json.loads(text, object_pairs_hook=_object, parse_constant=lambda _: None)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs) and (twice := [key for key, value in pairs if found[key] != value]):
        raise ValueError(f"{twice[0]!r} is there twice, with different values")
    return found


def _objects(found: Any, *, name: str) -> Iterable[Any]:
    if isinstance(found, list):
        return found
    if isinstance(found, dict) and all(isinstance(found.get(key), list) for key in COCO):
        return _of_coco(found, name=name)
    if isinstance(found, dict):
        found = found.get(VIA, found)
    values = list(found.values()) if isinstance(found, dict) else []
    if values and all(isinstance(value, str | int) for value in values):
        return [{"path": key, "label": value} for key, value in found.items()]
    if values and all(isinstance(value, dict) for value in values):
        return [{"path": key, **value} for key, value in found.items()]
    if values and all(isinstance(value, list) and all(isinstance(one, str) for one in value) for value in values):
        if all(map(is_image_name, found)):
            return [{"path": key, "label": value} for key, value in found.items()]
        return [{"path": path, "label": key} for key, paths in found.items() for path in paths]
    message = (
        f"List {name} is JSON in a form that is not read. Write an array of objects with path and label, or "
        "labels.csv with the columns path and label."
    )
    raise DatasetError(message)


def _of_coco(found: Mapping[str, Any], *, name: str) -> Iterator[dict[str, Any]]:
    """Yield the file and the category of each image of COCO that has one.

    Raises:
        DatasetError: images have several categories.

    """
    labels: dict[Any, set[str]] = defaultdict(set)
    try:
        names = {one["id"]: str(one["name"]) for one in found["categories"]}
        files = {one["id"]: one["file_name"] for one in found["images"]}
        for one in found["annotations"]:
            labels[one["image_id"]].add(names[one["category_id"]])
    except (KeyError, TypeError) as error:
        raise DatasetError(f"Cannot read {name}, which is in the format of COCO: {error} is missing.") from error
    if several := [image for image, of_image in labels.items() if len(of_image) > 1]:
        message = (
            f"{name} is in the format of COCO, and {len(several):,} of {len(labels):,} images have several "
            f"categories, such as {files.get(several[0])!r} with {few(sorted(labels[several[0]]))}. Each image has one "
            "class: write labels.csv with the columns path and label, or cut the objects out of the images."
        )
        raise DatasetError(message)
    for image, of_image in labels.items():
        if image in files:
            yield {"file_name": files[image], "label": next(iter(of_image))}


def _flat(values: dict[str, Any]) -> dict[str, Any]:
    """Add the values in objects by their path, such as ``annotations.label``."""
    objects = [key for key, value in values.items() if isinstance(value, dict)]
    inside = {f"{key}.{inner}": value for key in objects for inner, value in _flat(values[key]).items()}
    return {**values, **inside} if inside else values
