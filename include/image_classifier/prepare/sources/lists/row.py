"""Reads a line of a list: its path, label and split, from the columns that were chosen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from image_classifier.classifier.source import Columns, plain_value
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.part_names import parts_among
from image_classifier.prepare.layout.split_folders import WORDS, Split, few, split_word
from image_classifier.prepare.sources.lists.split_columns import MOST_PARTS, YES, how_to_read
from image_classifier.prepare.sources.lists.splits import is_assigned, split_of_text
from image_classifier.prepare.sources.lists.text_lines import columns_before

_ARRAY: Final = re.compile(r"""\[\s*(?:(['"])([^'"]*)\1\s*)?\]""")  # ['cat'], as pandas writes an array of one text


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
class Chosen:
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


def read_row(values: Mapping[str, Any], chosen: Chosen, *, where: str) -> Row:
    """Return the row of a line; its path or label is empty if the line has none.

    Args:
        values: of the line, by column.
        chosen: the columns.
        where: the line in messages.

    Raises:
        DatasetError: the line has several labels, or a split that is none.

    """
    path, label = text_of(values.get(chosen.path)), only(_label(values, chosen, where=where))
    if isinstance(label, list | dict):
        found = str(label)[:60]
        message = f"The label in {where} is {found!r}; one label for each image is read, as a text without brackets."
        inner = [key for key in values if chosen.labels and key.startswith(f"{chosen.labels[0]}.")]
        raise DatasetError(
            f"{message} If it is one of {few(inner)}, name that with columns.label." if inner else message
        )
    return Row(path, text_of(label), _split(values, chosen, where=where))


def _label(values: Mapping[str, Any], chosen: Chosen, *, where: str) -> Any:
    """Return the label of a row: of several columns, the name of the one that holds 1; without one, the folder's name.

    Raises:
        DatasetError: several of the columns hold 1, or the folder is no class.

    """
    if not chosen.labels:
        return _folder(str(values.get(chosen.path) or ""), where=where)
    if len(chosen.labels) == 1:
        return values.get(chosen.labels[0])
    marked = [column for column in chosen.labels if plain_value(values.get(column)) in YES]
    if len(marked) > 1:
        message = (
            f"In {where} {few(marked)} are 1, and each image has one class: correct the line. If the images have "
            f"several labels, give each label a classifier of its own: `columns.label: {marked[0]}` gives it the "
            "classes 0 and 1."
        )
        raise DatasetError(message)
    return next(iter(marked), None)


def about_incomplete(incomplete: Mapping[str, Row], chosen: Chosen) -> str:
    """Return the message on lines without a path or label.

    Args:
        incomplete: the row by line.
        chosen: the columns.

    """
    where, row = next(iter(incomplete.items()))
    if row.path and len(chosen.labels) > 1:
        found = f"Of the columns {few(chosen.labels)} none is 1 in {where}, and each image has one class"
    else:
        found = f"There is no {(chosen.labels[0] if row.path else chosen.path)!r} in {where}"
    if len(incomplete) == 1:
        return f"{found}. Add it, or delete the line."
    return f"{found}; {len(incomplete):,} lines lack a path or label. Add it to each, or delete these lines."


def _folder(path: str, *, where: str) -> str:
    folder = PurePosixPath(path.replace("\\", "/")).parent.name
    if not folder or split_word(folder) or parts_among([folder]):
        message = (
            f"There is no label in {where}, and the path {path!r} is in no folder of a class. Use a list with labels: "
            "those of test images of competitions have none."
        )
        if columns := columns_before(path):
            message += f" If values stand before the path, use {columns}."
        raise DatasetError(message)
    return folder


def _split(values: Mapping[str, Any], chosen: Chosen, *, where: str) -> Split | None:
    written = text_of(values.get(chosen.split)) if chosen.split else ""
    if not is_assigned(written):
        return None
    splits = chosen.named.splits
    split = splits.get(plain_value(written)) if splits else split_of_text(written)
    if split is None:
        raise DatasetError(_no_split(written, chosen, where=where))
    return split


def _no_split(written: str, chosen: Chosen, *, where: str) -> str:
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


def only(value: Any) -> Any:
    """Return the value in an array of one, or in the text of such an array; others as they are, and None for none."""
    if isinstance(value, list) and len(value) < 2:
        return next(iter(value), None)
    found = _ARRAY.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[2] if found else value


def text_of(value: Any) -> str:
    """Return a value as text: empty for an absent one, and not for JSON's 0 and false."""
    return "" if value is None else str(value).strip()
