"""Finds the column of a list that says the authors' split, and says how to use one whose values do not name splits."""

import math
import re
from collections.abc import Collection, Mapping
from typing import Any, Final, TypeVar

import yaml

from image_classifier.classifier.source import Columns, plain_value
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.sources.lists.splits import is_assigned, split_of_text

SPLITS: Final = ("split", "set", "subset")
MOST_SPLITS: Final = 6  # names of splits in a column
MOST_PARTS: Final = 20  # values of a column of folds or partitions
YES: Final = {"1", "true", "yes"}
_NO: Final = {"", "0", "false", "no", "-1"}
_PARTS: Final = {"split", "splits", "subset", "fold", "folds", "kfold", "partition", "usage"}
_OF_CLASSES: Final = {"label", "labels", "class"}
_BETWEEN: Final = re.compile(r"[-._ 0-9]+|(?<=[a-z])(?=[A-Z])")
Name = TypeVar("Name", bound=str | int)  # of a column


def split_column(values: Mapping[Name, Collection[str]]) -> Name | None:
    """Return the column of the splits: one with a usual name, or whose few values are all names of splits."""
    usual = next((column for column in values if column in SPLITS), None)
    return usual if usual is not None else next((one for one, found in values.items() if _are_splits(set(found))), None)


def _are_splits(values: Collection[str]) -> bool:
    return 0 < len(values) <= MOST_SPLITS and all(map(split_of_text, values))


def may_say_split(column: str | int) -> bool:
    """Return whether the name of a column is that of a split or its parts, such as ``is_train`` or ``partition``."""
    return split_of_text(str(column)) is not None or _is_of_parts(column)


def _is_of_parts(column: str | int) -> bool:
    words = {word.lower() for word in _BETWEEN.split(str(column))}
    return bool(words & _PARTS) and not words & _OF_CLASSES


def unread_split_column(values: Mapping[Name, Collection[str]]) -> Name | None:
    """Return a column that looks like one of splits, though its values do not name them; the test split's first.

    Args:
        values: of each column that is neither path, label nor split.

    """
    found = [column for column, texts in values.items() if _looks_like_splits(column, set(texts))]
    order: list[Split | None] = ["test", "train", "validation", None]
    return min(found, key=lambda column: order.index(split_of_text(str(column))), default=None)


def _looks_like_splits(column: str | int, values: Collection[str]) -> bool:
    if not 1 < len(values) <= MOST_PARTS:
        return False
    if _is_of_parts(column):
        return True
    if split_of_text(str(column)):
        return {plain_value(value) for value in values} <= YES | _NO
    return len(values) <= MOST_SPLITS and len({*map(split_of_text, values)} - {None}) > 1


def about_unread_split(values: Mapping[str, Collection[str]], *, name: str, columns: Columns) -> str:
    """Return a sentence on a column of a list that looks like one of splits and is not read; empty if there is none.

    Args:
        values: of each column that is neither path, label nor split.
        name: of the list.
        columns: of the classifier's file.

    """
    column = unread_split_column(values)
    if column is None:
        return ""
    return (
        f"The column {column!r} of {name} looks like the authors' split and is not used: the package divides "
        f"the images itself. To use it, {how_to_read(column, values[column], columns=columns)}."
    )


def how_to_read(column: str | int, values: Collection[str], *, columns: Columns) -> str:
    """Return the words that say how to read a column of splits whose values do not name them.

    Args:
        column: of the splits.
        values: what it holds.
        columns: of the classifier's file.

    """
    meant = splits_of_values(column, values)
    fields = {**columns.model_dump(exclude_defaults=True), "split": column, "splits": meant}
    choice = ", where SPLIT is train, validation or test" if "SPLIT" in meant.values() else ""
    return f"put `columns: {as_yaml(fields)}` into the classifier's file (COLUMNS for `make demo`){choice}"


def as_yaml(fields: Mapping[str, Any] | Mapping[str | int, str]) -> str:
    """Return values as YAML in one line."""
    return yaml.safe_dump(fields, default_flow_style=True, sort_keys=False, width=math.inf).strip()


def splits_of_values(column: str | int, values: Collection[str]) -> dict[str | int, str]:
    """Return the split by value: of ``is_train``, 1 is train, and 0 is test; SPLIT where a person must choose."""
    named, known = split_of_text(str(column)), sorted(one for one in set(values) if is_assigned(one))
    if named and {plain_value(value) for value in known} <= YES | _NO:
        other = "test" if named == "train" else "train"
        meant: dict[str, str] = {value: named if plain_value(value) in YES else other for value in known}
    else:
        meant = {value: split_of_text(value) or "SPLIT" for value in known}
    return {int(value) if value.isdecimal() else value: split for value, split in meant.items()}
