"""Says how to use the labels and splits of lists that a source of folders has."""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from image_classifier.prepare.layout.split_folders import few
from image_classifier.prepare.sources.lists.label_lists import Column, LabelList, by_folder
from image_classifier.prepare.sources.lists.split_columns import SPLITS, as_yaml, splits_of_values

MOST_ALIKE: Final = 3  # lists with the same columns and no name of a split; others are of one class each
FEWEST_MARKS: Final = 2  # columns of 0 and 1 that may be several labels of an image
_PLAIN: Final = re.compile(r"[A-Za-z_][\w .-]*")


def how_to_use(lists: Sequence[LabelList], *, where: str) -> str:
    """Return sentences on how to use lists of which the folders do not say the labels or splits; empty if none has any.

    Args:
        lists: of the source.
        where: the source's name in messages.

    """
    groups = [group for group in _alike(lists) if _tells_labels(group) or _tells_splits(group)]
    if not groups:
        return ""
    group = max(groups, key=lambda one: (len({each.split for each in one}), _tells_labels(one)))
    first, place = min(group, key=lambda one: one.split != "train"), where.partition(" ")[2]
    if len(group) == 1 and not first.is_of_classes:
        source = f"{place.rstrip('/')}/{first.name}"
        return (
            f"The list {first.name!r} names images of {where}. To use the labels, set `source` to {source} (DATA for "
            f"`make demo`) and `columns: {{{_columns(first, folder=first.folder)}}}` in the classifier's file"
            f"{_choice(first)}."
        )
    labels, columns = "labels" if _tells_labels(group) else "splits", _columns(first, folder="")
    return (
        f"The lists {with_splits(group)} name images of {where}. To use their {labels}, let `source` be {place} (DATA "
        f"for `make demo`) and put `columns: {{{columns}}}` into the classifier's file{_choice(first)}."
    )


def beside_folders(lists: Sequence[LabelList], *, where: str) -> str:
    """Return sentences on how to use lists beside class folders, which have the training images if no list has them."""
    if any(one.split_column is not None or one.split in ("train", None) for one in lists):
        return how_to_use(lists, where=where)
    return (
        "They name no image for training. To use their labels, write one list of all images, labels.csv with the "
        "columns path, label and split, and let it be the source."
    )


def _alike(lists: Sequence[LabelList]) -> list[list[LabelList]]:
    """Return the lists with the same columns, which one `columns` reads; but not those of one class each."""
    groups: dict[object, list[LabelList]] = defaultdict(list)
    for one in lists:
        groups[one.path, tuple(one.values)].append(one)
    return [group for group in groups.values() if len(group) <= MOST_ALIKE or any(one.split for one in group)]


def column_to_name(one: LabelList) -> tuple[Column, ...] | None:
    """Return the label columns of a list; none, if the folder is the label; None, if a person must choose."""
    if one.one_hot or len(one.labels) == 1:
        return one.one_hot or one.labels
    if one.is_of_classes:
        return ()
    of_folders = one.column_of(by_folder)
    return None if of_folders is None else (of_folders,)


def _tells_labels(group: Sequence[LabelList]) -> bool:
    return any(bool(one.one_hot or one.labels) and not one.agrees(by_folder) for one in group)


def _tells_splits(group: Sequence[LabelList]) -> bool:
    """Return whether the lists name several splits, and their labels are those of the folders."""
    is_split = len({one.split for one in group}) > 1 or any(
        one.split_column is not None or one.unread_split_column is not None for one in group
    )
    return is_split and all(one.is_of_classes or (bool(one.labels) and one.agrees(by_folder)) for one in group)


def with_splits(lists: Sequence[LabelList]) -> str:
    """Return up to eight names of lists with their splits, and the number of the others, as text."""
    shown = ", ".join(f"{one.name!r}{f' ({one.split})' if one.split else ''}" for one in lists[:8])
    return shown if len(lists) <= 8 else f"{shown} and {len(lists) - 8} more"


def _columns(one: LabelList, *, folder: str) -> str:
    """Return the columns as YAML."""
    found = column_to_name(one)
    label = "COLUMN" if found is None else _yaml(found[0]) if len(found) == 1 else f"[{', '.join(map(_yaml, found))}]"
    parts = [f"path: {_yaml(one.path)}"]
    if found != ():
        parts.append(f"label: {label}")
    if one.split_column is not None and one.split_column not in SPLITS:
        parts.append(f"split: {_yaml(one.split_column)}")
    if (unread := one.unread_split_column) is not None and one.split is None:
        parts.append(f"split: {_yaml(unread)}, splits: {as_yaml(splits_of_values(unread, one.values[unread]))}")
    if folder:
        parts.append(f"folder: {json.dumps(folder)}")
    return ", ".join(parts)


def _choice(one: LabelList) -> str:
    if column_to_name(one) is not None:
        return ""
    sentence = f", where COLUMN is one of {few([str(column) for column in one.labels])}"
    if len(one.marks) < FEWEST_MARKS:
        return sentence
    marks = few([str(column) for column in one.marks])
    return f"{sentence}. An image may have several of {marks}, and is in one class: a column gives the classes 0 and 1"


def _yaml(column: Column) -> str:
    return str(column) if isinstance(column, int) or _PLAIN.fullmatch(column) else json.dumps(column)
