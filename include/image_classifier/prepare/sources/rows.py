"""Reads lists of labelled images: .lst files, CSV, JSON Lines, and SageMaker's augmented manifests.

An augmented manifest has ``source-ref``, a label attribute and its metadata in each line; Ground Truth writes the same:
https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
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
METADATA: Final = "-metadata"
_NO_NAME: Final = re.compile("[\0\ud800-\udfff]")
SINGLE_LABEL: Final = "groundtruth/image-classification"


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
    has_header = not any(isinstance(column, int) for column in (columns.path, columns.label, columns.split))
    header = lines[0] if has_header else [str(place) for place in range(len(lines[0]))]
    chosen = _chosen(header, name=name, columns=columns)
    for number, line in enumerate(lines[has_header:], start=1 + has_header):
        if any(cell.strip() for cell in line):
            yield _row(dict(zip(header, line, strict=False)), chosen, where=f"line {number} of {name}")


def _json_lines(text: str, *, name: str, columns: Columns) -> Iterator[Row]:
    chosen: dict[str, str] | None = None
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


def _chosen(found: Sequence[str], *, name: str, columns: Columns) -> dict[str, str]:
    """Return the columns of path and label, and of the split if there is one."""
    chosen = {}
    for what, named, usual in (
        ("path", columns.path, PATHS),
        ("label", columns.label, LABELS),
        ("split", columns.split, SPLITS),
    ):
        wanted = [str(named)] if named is not None else list(usual)
        column = next((one for one in wanted if one in found), None)
        if column is None and (named is not None or what != "split"):
            message = (
                f"List {name} has no column {' or '.join(map(repr, wanted))} for the {what}; it has {few(found)}. Name "
                f"the column with columns.{what} in the classifier's file (a number, from 0, if it has no header)."
            )
            raise DatasetError(message)
        if column is not None:
            chosen[what] = column
    return chosen


def _row(values: Mapping[str, Any], chosen: Mapping[str, str], *, where: str) -> Row:
    path, label = (values.get(chosen[what]) for what in ("path", "label"))
    path_text, label_text = ("" if value is None else str(value).strip() for value in (path, label))
    if isinstance(label, list | dict):
        raise DatasetError(f"The label in {where} is {label!r}; one label for each image is read.")
    if not path_text or not label_text:
        missing = chosen["label"] if path_text else chosen["path"]
        raise DatasetError(f"There is no {missing!r} in {where}. Add it, or delete the line.")
    return Row(path_text, label_text, _split(values, chosen, where=where))


def _split(values: Mapping[str, Any], chosen: Mapping[str, str], *, where: str) -> Split | None:
    written = str(values.get(chosen.get("split", ""), "") or "").strip()
    if written and written.lower() not in WORDS:
        message = (
            f"The split {written!r} in {where} is none of {', '.join(sorted(WORDS))}. Correct it, or leave it empty."
        )
        raise DatasetError(message)
    return WORDS.get(written.lower())
