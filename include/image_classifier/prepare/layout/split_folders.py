"""Decides which top folders of a source are splits and which are classes, from their names and what lies in them.

The words are those of Hugging Face's ``datasets`` (``data_files.py``: split names between separators or digits).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.inspection.formats import ENDINGS

Split = Literal["train", "validation", "test"]
Choice = Literal["classes", "splits"]
WORDS: Final[dict[str, Split]] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
# Beside class folders, a folder of exactly this name is never taken for a class unasked.
NEVER_A_CLASS: Final = {"train", "training", "val", "valid", "validation", "test"}
LEAST_COMMON: Final = 2  # subfolders that all top folders have: as many classes as a classifier needs
_BETWEEN: Final = re.compile(r"[-._ 0-9]+")


@dataclass(frozen=True)
class Top:
    """The top folders of a source.

    Attributes:
        splits: folder and its split; empty if the top folders are classes.
        unused: top folders that are neither.
        warnings: sentences for people.

    """

    splits: Mapping[str, Split]
    unused: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def split_word(folder: str) -> Split | None:
    """The split that a folder's name speaks of: ``seg_train``, ``Test``, ``val2017``; None if of none, or of two."""
    found = {WORDS[word] for word in _BETWEEN.split(folder.lower()) if word in WORDS}
    return found.pop() if len(found) == 1 else None


def decide_top(names: Sequence[str], *, where: str, choice: Choice | None) -> Top:
    """What the top folders are.

    Args:
        names: files and folders of the source, without the ignored ones.
        where: what people call the source.
        choice: what the classifier's file says about them, if it says anything.

    Raises:
        DatasetError: it cannot be told, or they are not what the file says.

    """
    tops = _top_folders(names)
    words = {top: word for top in tops if (word := split_word(top))}
    if choice == "classes":
        return Top({})
    if choice == "splits":
        return _chosen_splits(tops, words, where=where)
    if set(tops) == set(words) and "train" in words.values():
        return Top(_merged(words, where=where))
    if len(set(words.values())) > 1:
        return _splits_among_others(names, tops, words, where=where)
    if exact := [top for top in words if top.lower() in NEVER_A_CLASS]:
        raise DatasetError(_unclear(tops, exact, where=where))
    _refuse_repeated(names, tops, where=where)
    return Top({}, warnings=tuple(_word_warnings(words)))


def _top_folders(names: Iterable[str]) -> list[str]:
    return sorted({name.partition("/")[0] for name in names if name.find("/") > 0})


def _chosen_splits(tops: Sequence[str], words: Mapping[str, Split], *, where: str) -> Top:
    if "train" not in words.values():
        message = (
            f"No training folder in {where}: layout is splits, and found {few(tops)}. Name the folder of the "
            "training images train, and others validation and test."
        )
        raise DatasetError(message)
    return Top(_merged(words, where=where), unused=tuple(top for top in tops if top not in words))


def _merged(words: Mapping[str, Split], *, where: str) -> dict[str, Split]:
    """Several folders of one split, if their names differ in numbers alone (``train-1`` and ``train-2``)."""
    folders: dict[Split, list[str]] = defaultdict(list)
    for top, split in words.items():
        folders[split].append(top)
    for split, found in folders.items():
        if len({_BETWEEN.sub("", top.lower()) for top in found}) > 1:
            message = (
                f"Several folders of {where} may be its {split} split: {few(found)}. Keep one of them there, or put "
                "`layout: classes` into the classifier's file if they are classes."
            )
            raise DatasetError(message)
    return dict(words)


def _splits_among_others(names: Sequence[str], tops: Sequence[str], words: Mapping[str, Split], *, where: str) -> Top:
    """Words of two different splits: splits, if there is a train folder and nothing else holds class folders."""
    others = [top for top in tops if top not in words]
    trained = set[str]().union(*(_subfolders(names, top) for top, split in words.items() if split == "train"))
    if trained and not any(_subfolders(names, top) or top in trained for top in others):
        return Top(_merged(words, where=where), unused=tuple(others))
    raise DatasetError(_unclear(tops, list(words), where=where))


def _unclear(tops: Sequence[str], suspicious: Sequence[str], *, where: str) -> str:
    renamed = [f"{top} to {split_word(top)}" for top in suspicious if top != split_word(top)]
    rename = f"If they are splits, rename {', '.join(renamed[:3])}, and " if renamed else "If they are splits, "
    return (
        f"It is not clear which folders of {where} are classes: found {few(tops)}, of which {few(suspicious)} may be "
        f"a split or a class. {rename}keep only train/<class>/, validation/<class>/ and test/<class>/ there. If they "
        "are classes, put `layout: classes` into the classifier's file (LAYOUT=classes for `make demo`)."
    )


def _refuse_repeated(names: Sequence[str], tops: Sequence[str], *, where: str) -> None:
    """Refuse top folders that all hold the same class folders: those are splits under names of their own."""
    below = [_subfolders(names, top) for top in tops]
    if len(tops) < 2 or not all(below):
        return
    common = set.intersection(*below)
    if len(common) < LEAST_COMMON:
        return
    message = (
        f"The folders {few(tops)} of {where} hold the same folders, {few(sorted(common))}: they look like splits, and "
        "not like classes. Rename them to train, validation and test; or, if they are classes, put `layout: classes` "
        "into the classifier's file (LAYOUT=classes for `make demo`)."
    )
    raise DatasetError(message)


def _subfolders(names: Iterable[str], top: str) -> set[str]:
    """The folders with files below a top folder; of a doubled one (``seg_test/seg_test``) those below the second.

    None of them counts if the top folder holds images itself: then it is no split.
    """
    inside = [name.removeprefix(f"{top}/") for name in names if name.startswith(f"{top}/") and not name.endswith("/")]
    folders = {name.partition("/")[0] for name in inside if "/" in name}
    if any("/" not in name and is_image_name(name) for name in inside):
        return set()
    if len(folders) == 1 and split_word(only := next(iter(folders))) == split_word(top):
        return _subfolders(inside, only)
    return folders


def is_image_name(name: str) -> bool:
    """Whether a file's name ends as an image's does."""
    return PurePosixPath(name).suffix.lower() in ENDINGS


def _word_warnings(words: Collection[str]) -> Iterable[str]:
    if words:
        yield (
            f"The folders {few(sorted(words))} are taken for classes, though their names speak of a split; if they "
            "are splits, put `layout: splits` into the classifier's file."
        )


def few(names: Sequence[str]) -> str:
    """Up to eight names, and how many more there are."""
    shown = ", ".join(repr(name) for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
