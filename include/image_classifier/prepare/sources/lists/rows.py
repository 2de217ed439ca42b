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

from image_classifier.classifier.source import Columns, plain_value
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.signatures import GIT_LFS
from image_classifier.contracts.training import image_list
from image_classifier.prepare.layout.part_names import parts_among
from image_classifier.prepare.layout.split_folders import WORDS, Split, few, split_word
from image_classifier.prepare.sources.lists.first_line import next_step
from image_classifier.prepare.sources.lists.formats import PATHS, Line, Table, encoding_of, read_table
from image_classifier.prepare.sources.lists.single_labels import check_labels
from image_classifier.prepare.sources.lists.split_columns import (
    MOST_PARTS,
    YES,
    about_unread_split,
    how_to_read,
    may_say_split,
    split_column,
)
from image_classifier.prepare.sources.lists.splits import UNASSIGNED, split_of_text

LABELS: Final = ("label", "class", "class_name", "category", "target")
MAX_LIST_BYTES: Final = 1024**3
LOOKED_AT: Final = 1000  # lines in which a column of splits is looked for
LABEL_COLUMNS: Final = "; a list of columns, if each class has one with 0 and 1"
METADATA: Final = "-metadata"
_NO_NAME: Final = re.compile("[\0\ud800-\udfff]")
SINGLE_LABEL: Final = "groundtruth/image-classification"


@dataclass(frozen=True)
class _Chosen:
    """The columns of a list.

    Attributes:
        labels: several hold 1 for an image's class and 0 otherwise; none, if the label is the name of the folder in the
            path.
        named: of the classifier's file.
        split_values: what the column of splits holds in the first lines.

    """

    path: str
    labels: tuple[str, ...]
    split: str | None
    named: Columns
    split_values: frozenset[str]


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


@dataclass(frozen=True)
class ReadList:
    """What a list says.

    Attributes:
        rows: each once.
        unread_split: a sentence on a column that looks like one of splits and is not read; or empty.

    """

    rows: list[Row]
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
    if data.startswith(GIT_LFS):
        message = f"List {name} is a Git LFS pointer, not the list, which was not downloaded: run `git lfs pull`."
        raise DatasetError(message)
    try:
        text = data.decode(encoding_of(data))
    except UnicodeDecodeError as error:
        raise DatasetError(f"List {name} is not UTF-8 text: {error}. Save it as UTF-8.") from error
    if PurePosixPath(name).suffix.lower() == ".lst":
        read = ReadList([Row(one.path, str(one.label), None) for one in image_list.parse(text)])
    else:
        named = (columns.path, *columns.labels, columns.split)
        table = read_table(text, name=name, has_header=not any(isinstance(column, int) for column in named))
        read = _read(table, name=name, columns=columns)
    if not read.rows:
        raise DatasetError(f"List {name} has no row. Correct `source` in the classifier file.")
    check_labels([(row.path, row.label) for row in read.rows], name=name)
    for row in read.rows:
        _check_text(row.path, name=name)
        _check_text(row.label, name=name)
    return read


def _check_text(text: str, *, name: str) -> None:
    """Refuse what no file and no class can be called: a null character, or half of a surrogate pair."""
    if _NO_NAME.search(text):
        message = f"List {name} has the path or label {text!r}, which is no name of a file or class. Correct that row."
        raise DatasetError(message)


def _read(table: Table, *, name: str, columns: Columns) -> ReadList:
    lines = ((where, _with_label(values, columns=columns, where=where)) for where, values in table.lines)
    first = list(islice(lines, LOOKED_AT))
    if not first:
        return ReadList([])
    found = {**dict.fromkeys(table.columns), **first[0][1]}
    chosen = _chosen(found, first, table=table, name=name, columns=columns)
    others = [column for column in found if column not in (chosen.path, *chosen.labels, "")]
    values_of = {column: set(_values(column, first)) for column in others} if chosen.split is None else {}
    suspects = {column: values for column, values in values_of.items() if may_say_split(column)}
    rows = dict[Row, None]()
    for where, values in chain(first, lines):
        rows[_row(values, chosen, where=where)] = None
        for column, held in suspects.items():
            if len(held) <= MOST_PARTS:
                held.add(_text(values.get(column)))
    return ReadList(list(rows), about_unread_split(values_of, name=name, columns=columns))


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


def _chosen(found: Mapping[str, Any], first: Sequence[Line], *, table: Table, name: str, columns: Columns) -> _Chosen:
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
        return _Chosen(path, (), split, columns, held)
    usual = [one for one in (*LABELS, table.label) if one != path]
    labels = [_column("label", one, usual, found, name=name) for one in columns.labels or (None,)]
    return _Chosen(path, tuple(labels), split, columns, held)


def _values(column: str, lines: Sequence[Line]) -> list[str]:
    return [_text(values.get(column)) for _, values in lines]


def _text(value: Any) -> str:
    """Return a value as text: empty for an absent one, and not for JSON's 0 and false."""
    return "" if value is None else str(value).strip()


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
        f"{LABEL_COLUMNS if what == 'label' else ''})."
    )
    raise DatasetError(f"{message} {next_step(found, name=name, otherwise=name_it)}")


def _row(values: Mapping[str, Any], chosen: _Chosen, *, where: str) -> Row:
    path, label = values.get(chosen.path), _label(values, chosen, where=where)
    path_text, label_text = _text(path), _text(label)
    if isinstance(label, list | dict):
        found = str(label)[:60]
        message = f"The label in {where} is {found!r}; one label for each image is read, as a text without brackets."
        inner = [key for key in values if chosen.labels and key.startswith(f"{chosen.labels[0]}.")]
        raise DatasetError(
            f"{message} If it is one of {few(inner)}, name that with columns.label." if inner else message
        )
    if not path_text or not label_text:
        missing = chosen.labels[0] if path_text else chosen.path
        raise DatasetError(f"There is no {missing!r} in {where}. Add it, or delete the line.")
    return Row(path_text, label_text, _split(values, chosen, where=where))


def _label(values: Mapping[str, Any], chosen: _Chosen, *, where: str) -> Any:
    """Return the label of a row: of several columns, the name of the one that holds 1; of none, the folder's name.

    Raises:
        DatasetError: none of the columns holds 1, or several do; or the folder is no class.

    """
    if not chosen.labels:
        return _folder(str(values.get(chosen.path) or ""), where=where)
    if len(chosen.labels) == 1:
        return values.get(chosen.labels[0])
    marked = [column for column in chosen.labels if plain_value(values.get(column)) in YES]
    if len(marked) != 1:
        found = f"{few(marked)} are" if marked else "none is"
        message = (
            f"Of the columns {few(chosen.labels)} {found} 1 in {where}; each image has one class. Correct the line."
        )
        raise DatasetError(message)
    return marked[0]


def _folder(path: str, *, where: str) -> str:
    folder = PurePosixPath(path.replace("\\", "/")).parent.name
    if not folder or split_word(folder) or parts_among([folder]):
        message = (
            f"There is no label in {where}, and the path {path!r} is in no folder of a class. Use a list with labels: "
            "those of test images of competitions have none."
        )
        raise DatasetError(message)
    return folder


def _split(values: Mapping[str, Any], chosen: _Chosen, *, where: str) -> Split | None:
    written = _text(values.get(chosen.split)) if chosen.split else ""
    if written.lower() in ("", UNASSIGNED):
        return None
    splits = chosen.named.splits
    split = splits.get(plain_value(written)) if splits else split_of_text(written)
    if split is None:
        raise DatasetError(_no_split(written, chosen, where=where))
    return split


def _no_split(written: str, chosen: _Chosen, *, where: str) -> str:
    splits, values = chosen.named.splits, chosen.split_values | {written}
    message = (
        f"The split {written!r} in {where} is none of {', '.join(sorted(splits or WORDS))}. Correct it, or leave it "
        "empty; or name another column with columns.split"
    )
    if not chosen.split or len(values) > MOST_PARTS:
        return f"{message}."
    return (
        f"{message}; or, to say which split each value is, {how_to_read(chosen.split, values, columns=chosen.named)}."
    )
