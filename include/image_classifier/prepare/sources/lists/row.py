"""Reads a line of a list: its path, label and split, from the columns that were chosen."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from image_classifier.classifier.source import Columns, plain_value
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.part_names import parts_among
from image_classifier.prepare.layout.split_folders import WORDS, Split, few, split_word
from image_classifier.prepare.sources.lists.split_columns import MOST_PARTS, YES, how_to_read
from image_classifier.prepare.sources.lists.splits import UNASSIGNED, split_of_text
from image_classifier.prepare.sources.lists.text_lines import columns_before


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
    """Return the row of a line.

    Args:
        values: of the line, by column.
        chosen: the columns.
        where: the line in messages.

    Raises:
        DatasetError: the line has no path, not one label, or a split that is none.

    """
    path, label = values.get(chosen.path), _label(values, chosen, where=where)
    path_text, label_text = text_of(path), text_of(label)
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


def _label(values: Mapping[str, Any], chosen: Chosen, *, where: str) -> Any:
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
        raise DatasetError(_not_one_class(marked, chosen, where=where))
    return marked[0]


def _not_one_class(marked: Sequence[str], chosen: Chosen, *, where: str) -> str:
    if not marked:
        return f"Of the columns {few(chosen.labels)} none is 1 in {where}; each image has one class. Correct the line."
    return (
        f"In {where} {few(marked)} are 1, and each image has one class: correct the line. If the images have several "
        f"labels, give each label a classifier of its own: `columns.label: {marked[0]}` gives it the classes 0 and 1."
    )


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
    if written.lower() in ("", UNASSIGNED):
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


def text_of(value: Any) -> str:
    """Return a value as text: empty for an absent one, and not for JSON's 0 and false."""
    return "" if value is None else str(value).strip()
