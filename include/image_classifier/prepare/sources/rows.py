"""Reads lists of labelled images: .lst files, CSV, JSON Lines, and SageMaker's augmented manifests.

An augmented manifest has ``source-ref``, a label attribute and its metadata in each line; Ground Truth writes the same:
https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html
"""

import csv
import io
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.training import image_list
from image_classifier.prepare.layout.split_folders import WORDS, Split, few

PATHS: Final = ("path", "file_name", "filename", "file", "image", "image_path", "filepath", "source-ref")
LABELS: Final = ("label", "class", "class_name", "category", "target")
SPLITS: Final = ("split", "set", "subset")
LABEL_COLUMNS: Final = "; a list of columns, if each class has one with 0 and 1"
METADATA: Final = "-metadata"
_YES: Final = {"1", "1.0", "true", "yes"}
_NO_NAME: Final = re.compile("[\0\ud800-\udfff]")
SINGLE_LABEL: Final = "groundtruth/image-classification"


@dataclass(frozen=True)
class _Chosen:
    """The columns of a list; several label columns hold 1 for an image's class and 0 otherwise."""

    path: str
    labels: tuple[str, ...]
    split: str | None


@dataclass(frozen=True)
class Row:
    """A line of a list.

    Attributes:
        path: the path in the list.
        split: None if the list names no split.

    """

    path: str
    label: str
    split: Split | None


def read_rows(data: bytes, *, name: str, columns: Columns) -> list[Row]:
    """Return the rows of a list; repeated rows are returned once.

    Args:
        data: the file's bytes.
        name: the file's name, whose suffix decides the format.
        columns: the columns or keys to read.

    Raises:
        DatasetError: the list is not valid; the message names the line, or the existing columns.

    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DatasetError(f"List {name} is not UTF-8 text: {error}. Save it as UTF-8.") from error
    ending = PurePosixPath(name).suffix.lower()
    if ending == ".lst":
        rows: Iterator[Row] = (Row(one.path, str(one.label), None) for one in image_list.parse(text))
    elif ending in (".csv", ".tsv"):
        rows = _table(text, name=name, columns=columns)
    else:
        rows = _json_lines(text, name=name, columns=columns)
    found = list(dict.fromkeys(rows))
    if not found:
        raise DatasetError(f"List {name} has no row. Correct `source` in the classifier file.")
    _check_single_labels(found, name=name)
    for row in found:
        _check_text(row.path, name=name)
        _check_text(row.label, name=name)
    return found


def _check_text(text: str, *, name: str) -> None:
    """Refuse what no file and no class can be called: a null character, or half of a surrogate pair."""
    if _NO_NAME.search(text):
        message = f"List {name} has the path or label {text!r}, which is no name of a file or class. Correct that row."
        raise DatasetError(message)


def _table(text: str, *, name: str, columns: Columns) -> Iterator[Row]:
    first = text.partition("\n")[0]
    delimiter = max("\t;,", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        lines = list(reader)
    except csv.Error as error:
        message = f"Cannot read the row that ends in line {reader.line_num} of {name}: {error}. A quote may be missing."
        raise DatasetError(message) from error
    if not lines:
        return
    has_header = not any(isinstance(column, int) for column in (columns.path, *columns.labels, columns.split))
    header = [cell.strip() for cell in lines[0]] if has_header else [str(place) for place in range(len(lines[0]))]
    chosen = _chosen(header, name=name, columns=columns)
    for number, line in enumerate(lines[has_header:], start=1 + has_header):
        if any(cell.strip() for cell in line):
            yield _row(dict(zip(header, line, strict=False)), chosen, where=f"line {number} of {name}")


def _json_lines(text: str, *, name: str, columns: Columns) -> Iterator[Row]:
    chosen: _Chosen | None = None
    for number, line in enumerate(io.StringIO(text), start=1):
        if not line.strip():
            continue
        where = f"line {number} of {name}"
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise DatasetError(f"Cannot read {where}: {error}. Each line must be a JSON object.") from error
        if not isinstance(values, dict):
            raise DatasetError(f"Cannot read {where}: each line must be a JSON object, and this is {line[:60]!r}.")
        values = _with_label(values, columns=columns, where=where)
        chosen = chosen or _chosen(list(values), name=name, columns=columns)
        yield _row(values, chosen, where=where)


def _with_label(values: Mapping[str, Any], *, columns: Columns, where: str) -> dict[str, Any]:
    """Replace the label of a line with metadata by its class name; it becomes ``label`` if the file names no column."""
    attributes = [key.removesuffix(METADATA) for key in values if key.endswith(METADATA)]
    attributes = [key for key in attributes if key in values]
    if not attributes:
        return dict(values)
    wanted = columns.label if isinstance(columns.label, str) else attributes[0]
    metadata = values.get(f"{wanted}{METADATA}")
    if not isinstance(metadata, dict):
        return dict(values)
    if (kind := metadata.get("type", SINGLE_LABEL)) != SINGLE_LABEL:
        message = (
            f"Label {wanted!r} in {where} is of type {kind}; images with one label each ({SINGLE_LABEL}) are read. "
            "Name another attribute with columns.label in the classifier's file."
        )
        raise DatasetError(message)
    label = metadata.get("class-name", values[wanted])
    return {**values, wanted: label, **({} if columns.label else {LABELS[0]: label})}


def _chosen(found: Sequence[str], *, name: str, columns: Columns) -> _Chosen:
    """Return the columns of path and label, and of the split if there is one."""
    path = _column("path", columns.path, PATHS, found, name=name)
    labels = [_column("label", one, LABELS, found, name=name) for one in columns.labels or (None,)]
    has_split = columns.split is not None or any(one in found for one in SPLITS)
    split = _column("split", columns.split, SPLITS, found, name=name) if has_split else None
    return _Chosen(path, tuple(labels), split)


def _column(what: str, named: str | int | None, usual: Sequence[str], found: Sequence[str], *, name: str) -> str:
    wanted = [str(named)] if named is not None else list(usual)
    column = next((one for one in wanted if one in found), None)
    if column is not None:
        return column
    message = f"List {name} has no column {' or '.join(map(repr, wanted))} for the {what}; it has {few(found)}."
    if sum(one.startswith("pixel") for one in found) > 1:
        raise DatasetError(f"{message} Its columns are pixels: save each image as a file, and list these files.")
    raise DatasetError(
        f"{message} Name the column with columns.{what} in the classifier's file (a number, from 0, if it has no "
        f"header{LABEL_COLUMNS if what == 'label' else ''})."
    )


def _row(values: Mapping[str, Any], chosen: _Chosen, *, where: str) -> Row:
    path, label = values.get(chosen.path), _label(values, chosen, where=where)
    path_text, label_text = ("" if value is None else str(value).strip() for value in (path, label))
    if isinstance(label, list | dict):
        raise DatasetError(f"The label in {where} is {label!r}; one label for each image is read.")
    if not path_text or not label_text:
        missing = chosen.labels[0] if path_text else chosen.path
        raise DatasetError(f"There is no {missing!r} in {where}. Add it, or delete the line.")
    return Row(path_text, label_text, _split(values, chosen, where=where))


def _label(values: Mapping[str, Any], chosen: _Chosen, *, where: str) -> Any:
    """Return the label of a row: of several columns, the name of the one that holds 1.

    Raises:
        DatasetError: none of the columns holds 1, or several do.

    """
    if len(chosen.labels) == 1:
        return values.get(chosen.labels[0])
    marked = [column for column in chosen.labels if str(values.get(column)).strip().lower() in _YES]
    if len(marked) != 1:
        found = f"{few(marked)} are" if marked else "none is"
        message = (
            f"Of the columns {few(chosen.labels)} {found} 1 in {where}; each image has one class. Correct the line."
        )
        raise DatasetError(message)
    return marked[0]


def _check_single_labels(rows: Sequence[Row], *, name: str) -> None:
    """Check that no label is a combination of others, such as ``Edema|Mass``.

    Raises:
        DatasetError: the message says how many rows have several labels.

    """
    labels = {row.label for row in rows}
    combined = {label for label in labels if any(_is_combined(label, mark, labels) for mark in "|;,")}
    if combined:
        count = sum(row.label in combined for row in rows)
        message = (
            f"List {name} has rows with several labels, such as {min(combined)!r} ({count:,} of {len(rows):,} rows). "
            "Each image has one class: write a list without these rows, or with one label in each of them."
        )
        raise DatasetError(message)


def _is_combined(label: str, mark: str, labels: Collection[str]) -> bool:
    parts = [part.strip() for part in label.split(mark)]
    known = [part in labels for part in parts]
    return len(parts) > 1 and (any(known) if mark == "|" else all(known))


def _split(values: Mapping[str, Any], chosen: _Chosen, *, where: str) -> Split | None:
    written = str(values.get(chosen.split) or "").strip() if chosen.split else ""
    if written and written.lower() not in WORDS:
        message = (
            f"The split {written!r} in {where} is none of {', '.join(sorted(WORDS))}. Correct it, or leave it empty."
        )
        raise DatasetError(message)
    return WORDS.get(written.lower())
