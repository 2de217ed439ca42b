"""Refuses lists that give images several labels: in one text, or in several rows of an image."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.images import ListedImages
from image_classifier.prepare.layout.split_folders import few

MOST_WITH_SEVERAL: Final = 0.1  # share of the images; fewer are left out, and reported as conflicts
_MARKS: Final = "|;,"
_SEVERAL: Final = re.compile(  # ['cat', 'dog'], {"choices": ["cat", "dog"]} of Label Studio, and 0 3
    r"\[.*[,'\"].*\]|\{.*['\"].*\}|[0-9]+( [0-9]+)+", re.DOTALL
)


def check_labels(labelled: Sequence[tuple[str, str]], *, name: str) -> None:
    """Check that no label is several labels, such as ``Edema|Mass``, ``['cat', 'dog']`` or ``0 3``.

    Args:
        labelled: path and label of each row of a list.
        name: of the list.

    Raises:
        DatasetError: the message names a label and its image, and says how many rows there are.

    """
    labels = {label for _, label in labelled}
    several = {label for label in labels if _SEVERAL.fullmatch(label)}
    several.update(*(_combined(labels, mark) for mark in _MARKS))
    found = [(path, label) for path, label in labelled if label in several]
    if not found:
        return
    path, label = found[0]
    message = (
        f"List {name} has rows with several labels, such as {label!r} of {path!r} ({len(found):,} of "
        f"{len(labelled):,} rows). Each image has one class: write a list without these rows, or with one label in "
        "each of them, without brackets. A class whose own name looks like several labels needs another name."
    )
    raise DatasetError(message)


def _combined(labels: Collection[str], mark: str) -> set[str]:
    """Return the labels with a mark whose parts are labels, too, or change their places, as in ``a|b`` and ``b|c``."""
    split = {label: [part.strip() for part in label.split(mark)] for label in labels if mark in label}
    if _change_places(list(split.values())):
        return set(split)
    are_labels = any if mark == "|" else all
    return {label for label, parts in split.items() if are_labels(part in labels for part in parts)}


def _change_places(labels: Sequence[Sequence[str]]) -> bool:
    """Return whether few parts make many labels, and one is in several places; those of ``cat|tabby`` keep theirs."""
    if any(len(set(parts)) < len(parts) for parts in labels):
        return False
    places: dict[str, set[int]] = defaultdict(set)
    for parts in labels:
        for place, part in enumerate(parts):
            places[part].add(place)
    return "" not in places and len(places) <= len(labels) and any(len(found) > 1 for found in places.values())


def check_one_class(images: ListedImages, *, where: str) -> None:
    """Check that at most a tenth of a list's images have several classes.

    Args:
        images: of the list; an image with several rows is there several times.
        where: the list's name in messages.

    Raises:
        DatasetError: the message names an image and its classes.

    """
    first, several = dict[str, str](), dict[str, set[str]]()
    for name, class_name in zip(images.names, images.class_names, strict=True):
        if (known := first.setdefault(name, class_name)) != class_name:
            several.setdefault(name, {known}).add(class_name)
    if len(several) <= MOST_WITH_SEVERAL * len(first):
        return
    name, classes = next(iter(several.items()))
    message = (
        f"{len(several):,} of {len(first):,} images of {where} have several labels, in several rows, such as {name!r} "
        f"with {few(sorted(classes))}. This classifier gives each image one label: keep one row for each image, leave "
        "these images out, or join labels that belong together by `classes` in the classifier's file."
    )
    raise DatasetError(message)
