"""Finds files that say the authors' split in a form that is not read, and says what to write instead."""

import json
import posixpath
import re
from collections.abc import Collection, Sequence
from typing import Final

from image_classifier.prepare.layout.ignored import is_ignored_path
from image_classifier.prepare.layout.split_folders import few, is_image_name
from image_classifier.prepare.sources.lists.label_lists import MOST_LISTS, LabelList, list_names
from image_classifier.prepare.sources.lists.splits import split_of_text
from image_classifier.prepare.sources.source import Files

# Of CUB-200-2011 and NABirds: the image's number in images.txt, and 1 for training or 0.
NUMBERED: Final = "train_test_split.txt"
IMAGES: Final = "images.txt"
_JOIN: Final = (
    """awk 'NR == FNR {part[$1] = $2; next} FNR == 1 {print "path,split"} """
    """{print $2 "," (part[$1] == 1 ? "train" : "test")}' train_test_split.txt images.txt > labels.csv"""
)
TEXTS: Final = (".txt", ".csv", ".json")
ARRAYS: Final = (".npy", ".npz", ".pkl")
TABLES: Final = (".mat", ".xlsx")  # arrays of NumPy beside images are mostly features
_WORDS: Final = {"split", "splits", "setid"}
_BETWEEN: Final = re.compile(r"[-._ 0-9]+")


def unread_splits(files: Files, lists: Sequence[LabelList], *, where: str) -> str:
    """Return sentences on files whose names say that they hold a split; empty if there are none.

    Args:
        files: of the source.
        lists: those that name images, which are read.
        where: the source's name in messages.

    """
    read, names = {one.name: one for one in lists}, files.names
    unknown = {*list_names(files)[MOST_LISTS:], *read}
    found = sorted(name for name in names if name not in unknown and not is_ignored_path(name) and _says_split(name))
    if not found or not any(map(is_image_name, names)):
        return ""
    numbered = next((name for name in found if posixpath.basename(name) == NUMBERED), "")
    images = read.get(posixpath.join(posixpath.dirname(numbered), IMAGES)) if numbered else None
    if images is None:
        return (
            f"{few(found)} may say which images are for training and for testing, and no such file is read. To use "
            "that split, write labels.csv with the columns path, label and split, and let it be the source."
        )
    return f"{numbered!r} says the authors' split, and is not read. {_joined(images, where=where)}"


def _says_split(name: str) -> bool:
    stem, ending = posixpath.splitext(posixpath.basename(name).lower())
    words: Collection[str] = _BETWEEN.split(stem)
    if not _WORDS.isdisjoint(words):
        return ending in (*TEXTS, *ARRAYS, *TABLES)
    return ending in TABLES and split_of_text(stem) is not None


def _joined(images: LabelList, *, where: str) -> str:
    """Return how to write and use the list of paths and splits."""
    above = posixpath.dirname(images.name)
    place = posixpath.join(where.partition(" ")[2].rstrip("/"), above).rstrip("/")
    in_s3 = place.startswith("s3://")
    run_where = f"on copies of both files, upload labels.csv to {place}/" if in_s3 else f"in {place}"
    columns = f" and `columns: {{folder: {json.dumps(images.folder)}}}`" if images.folder else ""
    return (
        f"To use it, run `{_JOIN}` {run_where}, and set `source` to {place}/labels.csv (DATA for `make demo`)"
        f"{columns} in the classifier's file."
    )
