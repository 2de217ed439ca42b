"""Finds the lists of other splits beside a list that is the source, and says how to use them all."""

import posixpath
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError, ImageRejectedError
from image_classifier.prepare.layout.split_folders import WORDS, Split
from image_classifier.prepare.sources.lists.label_lists import ENDINGS, TEXTS
from image_classifier.prepare.sources.lists.rows import read_list
from image_classifier.prepare.sources.lists.split_columns import as_yaml

_WORD: Final = re.compile("[A-Z]?[a-z]+|[A-Z]+")
_S3: Final = "s3://"


def about_lists_beside(
    where: str, *, columns: Columns, image: str, used: Collection[Split], read: Callable[[str], bytes]
) -> str:
    """Return sentences on the lists of other splits beside a list, such as ``test.csv``; empty if there are none.

    Args:
        where: the list in messages: the word list, and its path or address.
        columns: that were read in it.
        image: the path of one of its images, relative to its folder.
        used: the splits that it has itself.
        read: returns the bytes of a file by a path relative to the list's folder, or raises ImageRejectedError.

    """
    *folders, above, name = where.partition(" ")[2].split("/")
    others = dict(_of_other_splits(name)) or {f"../{one}/{name}": split for one, split in _of_other_splits(above)}
    found = [one for one, split in others.items() if split not in used and _has_labels(one, columns, read)]
    if not found:
        return ""
    shown = ", ".join(f"{one!r} ({others[one]})" for one in found)
    message = f"Beside the {where}, which is used alone, are lists of other splits: {shown}. To use all,"
    if image.startswith(("/", _S3)) or not name.lower().endswith((*ENDINGS, *TEXTS)):
        return f"{message} write one list of them, labels.csv with the columns path, label and split, as the source."
    fields = as_yaml(columns.model_dump(mode="json", exclude_defaults=True))
    return (
        f"{message} let `source` be {_place([*folders, above], [image, *found])} (DATA for `make demo`) and put "
        f"`columns: {fields}` into the classifier's file."
    )


def _of_other_splits(name: str) -> Iterator[tuple[str, Split]]:
    """Yield the name with the words of other splits in place of its own; nothing if it has none, or several."""
    found = [match for match in _WORD.finditer(name) if match[0].lower() in WORDS]
    if len(found) != 1:
        return
    start, end, written = found[0].start(), found[0].end(), found[0][0]
    for word, split in WORDS.items():
        if split != WORDS[written.lower()]:
            alike = word.upper() if written.isupper() else word.title() if written.istitle() else word
            yield f"{name[:start]}{alike}{name[end:]}", split


def _has_labels(name: str, columns: Columns, read: Callable[[str], bytes]) -> bool:
    """Return whether there is such a list, with labels: those of a competition's test images have none."""
    try:
        return bool(read_list(read(name), name=posixpath.basename(name), columns=columns).rows)
    except (ImageRejectedError, DatasetError):
        return False


def _place(folders: Sequence[str], paths: Sequence[str]) -> str:
    """Return the folder or prefix that holds a list's folder and all paths, which are relative to it."""
    up = max(posixpath.normpath(path).split("/").count("..") for path in paths)
    place = "/".join(folders[: len(folders) - up])
    return f"{place}/" if place.startswith(_S3) else place
