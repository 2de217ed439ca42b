"""Recognises the split in the name of a list, or in a value of one of its columns."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from image_classifier.prepare.layout.split_folders import Split, split_word

_NEW_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")  # trainLabels, PublicTest
_JOINED: Final[dict[str, Split]] = {
    "trainval": "train",
    "trainlist": "train",
    "testlist": "test",
    "vallist": "validation",
}
UNASSIGNED: Final = "unassigned"  # of Vertex AI: an image without a split
_BETWEEN: Final = re.compile(r"[-._ 0-9]+")


def is_assigned(text: str) -> bool:
    """Return whether the value of a column of splits says one."""
    return text.lower() not in ("", UNASSIGNED)


@lru_cache(maxsize=1024)
def split_of_text(text: str) -> Split | None:
    """Return the split in a text such as ``train_labels``, ``trainLabels``, ``PublicTest``; None for none or two."""
    if word := split_word(_NEW_WORD.sub("_", text)):
        return word
    joined = {_JOINED[word] for word in _BETWEEN.split(text.lower()) if word in _JOINED}
    return joined.pop() if len(joined) == 1 else None


def split_of_folders(path: str) -> Split | None:
    """Return the split of the nearest folder above a file that has one in its name."""
    folders = path.split("/")[:-1]
    return next((split for folder in reversed(folders) if (split := split_of_text(folder))), None)


def splits_of_folders(paths: Sequence[str]) -> list[Split | None]:
    """Return the splits of images by the folders that they do not share; None, unless all are in train or another."""
    above = len(common_folder(paths))
    found = [split_of_folders(path[above:]) for path in paths]
    return found if {"train"} < set(found) and None not in found else [None] * len(found)


def common_folder(paths: Sequence[str]) -> str:
    """Return the common folder of all paths, with a slash at its end."""
    first, last = min(paths), max(paths)
    length = next((place for place, letter in enumerate(first) if last[place : place + 1] != letter), len(first))
    return first[: first.rfind("/", 0, length) + 1]


def split_of_list(path: str) -> Split | None:
    """Return the split of a list: that in its name, or in the name of the nearest folder that has one."""
    return split_of_text(path.rpartition("/")[2].rpartition(".")[0]) or split_of_folders(path)
