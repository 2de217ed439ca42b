"""Reads lists of labelled images: .lst files, CSV, text, JSON Lines, JSON, and SageMaker's augmented manifests.

An augmented manifest has ``source-ref``, a label attribute and its metadata in each line; Ground Truth writes the same:
https://docs.aws.amazon.com/sagemaker/latest/dg/sms-data-output.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import PurePosixPath
from typing import Any, Final

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.training import image_list
from image_classifier.prepare.layout.split_folders import few
from image_classifier.prepare.sources.lists.first_line import next_step
from image_classifier.prepare.sources.lists.formats import PATHS, TEXT, Line, Table, read_table, text_in
from image_classifier.prepare.sources.lists.row import Chosen, Row, about_incomplete, read_row, text_of
from image_classifier.prepare.sources.lists.single_labels import check_labels
from image_classifier.prepare.sources.lists.split_columns import (
    MOST_PARTS,
    about_unread_split,
    may_say_split,
    split_column,
)
from image_classifier.prepare.sources.lists.text_lines import BLANKS, no_row

LABELS: Final = ("label", "class", "class_name", "category", "target")
MAX_LIST_BYTES: Final = 1024**3
LOOKED_AT: Final = 1000  # lines in which a column of splits is looked for
LABEL_COLUMNS: Final = "; a list of columns, if each class has one with 0 and 1"
METADATA: Final = "-metadata"
_NO_NAME: Final = re.compile("[\0\ud800-\udfff]")
SINGLE_LABEL: Final = "groundtruth/image-classification"


@dataclass(frozen=True)
class ReadList:
    """What a list says.

    Attributes:
        rows: each once.
        columns: that were read.
        unread_split: a sentence on a column that looks like one of splits and is not read; or empty.

    """

    rows: list[Row]
    columns: Columns
    unread_split: str = ""


def read_list(data: bytes, *, name: str, columns: Columns) -> ReadList:
    """Read a list of images.

    Args:
        data: the file's bytes.
        name: the file's name, whose suffix decides the format.
        columns: the columns or keys to read.

    Raises:
        DatasetError: the list is not valid; the message names the line, or the existing columns.

    """
    text = text_in(data, name=name)
    if PurePosixPath(name).suffix.lower() == ".lst":
        read = ReadList(_rows_of_mxnet(text, name=name), columns)
    else:
        read = _read(read_table(text, name=name, columns=columns), name=name, columns=columns)
    if not read.rows:
        raise DatasetError(no_row(text if name.lower().endswith(TEXT) else "", name=name))
    check_labels([(row.path, row.label) for row in read.rows], name=name)
    for row in read.rows:
        _check_text(row.path, name=name)
        _check_text(row.label, name=name)
    return read


def _rows_of_mxnet(text: str, *, name: str) -> list[Row]:
    try:
        entries = image_list.parse(text)
    except DatasetError as error:
        message = (
            f"{error} The lines of {name} must be index, label as a number, and path, divided by tabs, as MXNet's "
            "im2rec writes them. Rename another list: a .txt has a path in each line, and a label after it."
        )
        raise DatasetError(message) from error
    return [Row(one.path, str(one.label), None) for one in entries]


def _check_text(text: str, *, name: str) -> None:
    """Refuse what no file and no class can be called: a null character, or half of a surrogate pair."""
    if _NO_NAME.search(text):
        message = f"List {name} has the path or label {text!r}, which is no name of a file or class. Correct that row."
        raise DatasetError(message)


def _read(table: Table, *, name: str, columns: Columns) -> ReadList:
    lines = ((where, _with_label(values, columns=columns, where=where)) for where, values in table.lines)
    first = list(islice(lines, LOOKED_AT))
    if not first:
        return ReadList([], columns)
    found = {**dict.fromkeys(table.columns), **first[0][1]}
    chosen = _chosen(found, first, table=table, name=name, columns=columns)
    _check_columns(table, chosen, name=name)
    others = [column for column in found if column not in (chosen.path, *chosen.labels, "")]
    values_of = {column: set(_values(column, first)) for column in others} if chosen.split is None else {}
    suspects = {column: values for column, values in values_of.items() if may_say_split(column)}
    rows, incomplete = dict[Row, None](), dict[str, Row]()
    for where, values in chain(first, lines):
        row = read_row(values, chosen, where=where)
        if row.path and row.label:
            rows[row] = None
        else:
            incomplete[where] = row
        for column, held in suspects.items():
            if len(held) <= MOST_PARTS:
                held.add(text_of(values.get(column)))
    if incomplete:
        raise DatasetError(about_incomplete(incomplete, chosen))
    return ReadList(
        list(rows),
        _as_named(chosen, table),
        about_unread_split(values_of, name=name, columns=columns),
    )


def _check_columns(table: Table, chosen: Chosen, *, name: str) -> None:
    """Refuse a list in which two columns have the name of one that is read, or the last one is cut at a delimiter."""
    columns, used = list(table.columns), (chosen.path, *chosen.labels, chosen.split)
    if twice := [one for one in used if one and columns.count(one) > 1]:
        raise DatasetError(f"List {name} has several columns {few(twice)}. Rename or delete those that are not meant.")
    if table.overfull and columns[-1] in used:
        message = (
            f"There are more values than columns in {table.overfull}, so nobody can tell which are in {columns[-1]!r}. "
            "Delete those that are not meant: each image has one label. If a value contains the delimiter, put quotes "
            "around it, without a blank before them."
        )
        raise DatasetError(message)


def _as_named(chosen: Chosen, table: Table) -> Columns:
    """Return the columns as a classifier's file names them; of an augmented manifest it need not name the label."""
    kind = int if table.is_numbered else str
    labels = [kind(column) for column in chosen.labels if column in table.columns]
    label = labels[0] if len(labels) == 1 else tuple(labels) or None
    split = None if chosen.split is None else kind(chosen.split)
    return chosen.named.model_copy(update={"path": kind(chosen.path), "label": label, "split": split})


def _with_label(values: Mapping[str, Any], *, columns: Columns, where: str) -> dict[str, Any]:
    """Replace the label of a line with metadata by its class name; it becomes ``label`` if the file names no column.

    Raises:
        DatasetError: the metadata is that of another kind of label, or the line has several labels.

    """
    attributes = [key.removesuffix(METADATA) for key in values if key.endswith(METADATA)]
    attributes = [key for key in attributes if key in values]
    if not attributes:
        return dict(values)
    kinds = {one: _kind(values[f"{one}{METADATA}"]) for one in attributes}
    single = [one for one in attributes if kinds[one] == SINGLE_LABEL]
    wanted = columns.label if isinstance(columns.label, str) else (single or attributes)[0]
    metadata = values.get(f"{wanted}{METADATA}")
    if not isinstance(metadata, dict):
        return dict(values)
    if (kind := _kind(metadata)) != SINGLE_LABEL:
        message = (
            f"Label {wanted!r} in {where} is of type {kind}; images with one label each ({SINGLE_LABEL}) are read. "
            "Name another attribute with columns.label in the classifier's file."
        )
        raise DatasetError(message)
    labels = {one: text_of(_class_name(values, one)) for one in single}
    if columns.label is None and len(set(labels.values())) > 1:
        found = ", ".join(f"{one!r} is {label!r}" for one, label in list(labels.items())[:4])
        message = (
            f"There are several labels in {where}: {found}. If each is of another labelling job, name one with "
            "columns.label in the classifier's file. Otherwise the image has several classes, and each image has one: "
            "delete the line."
        )
        raise DatasetError(message)
    label = _class_name(values, wanted)
    return {**values, wanted: label, **({} if columns.label else {LABELS[0]: label})}


def _kind(metadata: Any) -> str:
    """Return the type of a label by its metadata."""
    return str(metadata.get("type", SINGLE_LABEL)) if isinstance(metadata, dict) else ""


def _class_name(values: Mapping[str, Any], attribute: str) -> Any:
    return values[f"{attribute}{METADATA}"].get("class-name", values[attribute])


def _chosen(found: Mapping[str, Any], first: Sequence[Line], *, table: Table, name: str, columns: Columns) -> Chosen:
    """Return the columns of path and label, and of the split if there is one.

    Args:
        found: all columns, with the values of the first line.
        first: lines at the beginning of the list.
        table: names the columns to use in a list without a header.
        name: of the list.
        columns: of the classifier's file.

    """
    path = _column("path", columns.path, (*PATHS, table.path), found, name=name)
    others = [column for column in found if column not in (path, "")]
    if columns.split is not None:
        split: str | None = _column("split", columns.split, (), found, name=name)
    else:
        labels_named = {*map(str, columns.labels), *LABELS}
        split = split_column({one: _values(one, first) for one in others if one not in labels_named})
    held = frozenset(_values(split, first) if split is not None else ())
    if columns.label is None and not any(column != split for column in others):
        return Chosen(path, (), split, columns, held)
    usual = [one for one in (*LABELS, table.label) if one != path]
    labels = [_column("label", one, usual, found, name=name) for one in columns.labels or (None,)]
    return Chosen(path, tuple(labels), split, columns, held)


def _values(column: str, lines: Sequence[Line]) -> list[str]:
    return [text_of(values.get(column)) for _, values in lines]


def _column(
    what: str, named: str | int | None, usual: Sequence[str | None], found: Mapping[str, Any], *, name: str
) -> str:
    wanted = [str(named)] if named is not None else list(filter(None, usual))
    written = {**({} if named is not None else {one.lower(): one for one in found}), **{one: one for one in found}}
    column = next((written[one] for one in wanted if one in written), None)  # usual names in capitals, too
    if column is not None:
        return column
    message = f"List {name} has no column {' or '.join(map(repr, wanted))} for the {what}; it has {few(list(found))}."
    name_it = (
        f"Name the column with columns.{what} in the classifier's file (a number, from 0, if it has no header"
        f"{LABEL_COLUMNS if what == 'label' else ''}).{f' {BLANKS}' if name.lower().endswith(TEXT) else ''}"
    )
    raise DatasetError(f"{message} {next_step(found, name=name, otherwise=name_it)}")
