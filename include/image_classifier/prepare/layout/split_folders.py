"""Decides from names and contents which top folders of a source are splits and which are classes.

The words are those of Hugging Face's ``datasets`` (``data_files.py``: split names between separators or digits).
"""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.inspection.formats import ENDINGS
from image_classifier.prepare.layout.next_steps import add_to_source, if_they_are, leave_out
from image_classifier.prepare.layout.part_names import is_annotation

Split = Literal["train", "validation", "test"]
Choice = Literal["classes", "splits"]
WORDS: Final[dict[str, Split]] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "eval", "evaluation"), "test"),
}
# Among class folders, a folder with exactly this name is never used as a class without `layout: classes`.
NEVER_A_CLASS: Final = {"train", "training", "val", "valid", "validation", "test"}
LEAST_COMMON: Final = 2  # number of subfolders that all top folders have in common: the fewest classes of a classifier
MOST_CHARACTERS: Final = 200  # of a name in a message
_AFTER_SLASH: Final = chr(ord("/") + 1)
_BETWEEN: Final = re.compile(r"[-._ 0-9]+")
_OTHER: Final = "(data|sets?|images?|imgs?|pics|photos|folder|dir|files?|[-._ 0-9]|[ab])*"
_JOINED: Final = re.compile(f"{_OTHER}(?P<word>{'|'.join(sorted(WORDS, key=len, reverse=True))}){_OTHER}")


@dataclass(frozen=True)
class Top:
    """The top folders of a source.

    Attributes:
        splits: the split by folder; empty if the top folders are classes.
        unused: top folders that are neither.
        warnings: sentences for people.

    """

    splits: Mapping[str, Split]
    unused: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Source:
    """What is known of a source before its layout is.

    Attributes:
        names: its files and folders in alphabetical order, without the ignored ones.
        where: its name in messages.
        tops: its top folders.
        words: the split in a top folder's name, of those that have one.

    """

    names: Sequence[str]
    where: str
    tops: Sequence[str]
    words: Mapping[str, Split]


def split_word(folder: str) -> Split | None:
    """Return the split in a folder's name, such as ``seg_train``, ``Test`` or ``val2017``; None for none or two."""
    found = {WORDS[word] for word in _BETWEEN.split(folder.lower()) if word in WORDS}
    return found.pop() if len(found) == 1 else None


def _joined_word(folder: str) -> Split | None:
    """Return the split in a name without separators, such as ``TrainData`` or ``imagestest``."""
    found = _JOINED.fullmatch(folder.lower())
    return WORDS[found["word"]] if found else None


def decide_top(names: Sequence[str], *, where: str, choice: Choice | None) -> Top:
    """Decide which top folders are splits and which are classes.

    Args:
        names: files and folders of the source in alphabetical order, without the ignored ones.
        where: the source's name in messages.
        choice: the layout in the classifier's file, if it has one.

    Raises:
        DatasetError: the folders are ambiguous, or do not fit the file's layout.

    """
    tops = _top_folders(names)
    words = {top: word for top in tops if (word := split_word(top))}
    source = _Source(names, where, tops, words)
    if choice == "classes":
        return Top({})
    if choice == "splits":
        return _chosen_splits(source)
    if set(tops) == set(words) and "train" in words.values():
        return _all_splits(source, others=())
    if len(set(words.values())) > 1:
        return _splits_among_others(source)
    perhaps = {top: word for top in tops if (word := words.get(top) or _joined_word(top))}
    if "train" in perhaps.values() and len(set(perhaps.values())) > 1:
        raise DatasetError(_unclear(source, perhaps))
    if exact := [top for top in words if top.lower() in NEVER_A_CLASS]:
        raise DatasetError(_unclear(source, {top: words[top] for top in exact}))
    _refuse_repeated(source)
    return Top({}, warnings=tuple(_word_warnings(words)))


def _top_folders(names: Iterable[str]) -> list[str]:
    return sorted({name.partition("/")[0] for name in names if name.find("/") > 0})


def _chosen_splits(source: _Source) -> Top:
    if "train" not in source.words.values():
        message = (
            f"No training folder in {source.where}: layout is splits, and found {few(source.tops)}. Name the "
            "folder of the training images train, and others validation and test."
        )
        raise DatasetError(message)
    unused = tuple(top for top in source.tops if top not in source.words)
    return Top(_merged(source.words, where=source.where), unused=unused)


def _all_splits(source: _Source, *, others: Sequence[str]) -> Top:
    """Return the splits; of several folders of a split, those without class folders are not used."""
    names, words = source.names, source.words
    worth = {top: 2 if _subfolders(names, top) else 1 if _has_images(names, top) else 0 for top in words}
    best = {split: max(worth[top] for top in words if words[top] == split) for split in words.values()}
    if best["train"] < 2:
        return Top(dict(words), unused=tuple(others))
    used = {top: split for top, split in words.items() if worth[top] == best[split]}
    unused = sorted([*others, *(top for top in words if top not in used)])
    return Top(_merged(used, where=source.where), unused=tuple(unused))


def _may_be_class(names: Sequence[str], top: str, trained: Collection[str]) -> bool:
    """Return whether a folder beside splits may be a class, or holds class folders."""
    if is_annotation(top):
        return False
    return top in trained or (bool(_subfolders(names, top)) and _has_images(names, top))


def _has_images(names: Sequence[str], top: str) -> bool:
    return any(map(is_image_name, _below(names, top)))


def _below(names: Sequence[str], top: str) -> Sequence[str]:
    """Return the names below a top folder, of names in alphabetical order."""
    return names[bisect_left(names, f"{top}/") : bisect_left(names, f"{top}{_AFTER_SLASH}")]


def _merged(words: Mapping[str, Split], *, where: str) -> dict[str, Split]:
    """Return the split by folder; folders of one split may differ only in numbers, as ``train-1``, ``train-2``."""
    folders: dict[Split, list[str]] = defaultdict(list)
    for top, split in words.items():
        folders[split].append(top)
    for split, found in folders.items():
        if len({_BETWEEN.sub("", top.lower()) for top in found}) > 1:
            message = (
                f"Several folders of {where} may be its {split} split: {few(found)}. Keep one of them there, and leave "
                f"the others out, as {found[-1]!r} {leave_out(f'{found[-1]}/*')}; or put "
                "`layout: classes` there if they are classes."
            )
            raise DatasetError(message)
    return dict(words)


def _splits_among_others(source: _Source) -> Top:
    """Decide about names of two splits: they are splits if there is a train folder and no other class folder."""
    names, tops, words = source.names, source.tops, source.words
    others = [top for top in tops if top not in words]
    trained = set[str]().union(*(_subfolders(names, top) for top, split in words.items() if split == "train"))
    if trained and not any(_may_be_class(names, top, trained) for top in others):
        return _all_splits(source, others=others)
    if not trained and "train" in words.values() and not any(_has_images(names, top) for top in others):
        return Top(dict(words), unused=tuple(others))  # splits of images without class folders, which are refused
    with_images = replace(source, tops=[top for top in tops if top in words or _has_images(names, top)])
    raise DatasetError(_unclear(with_images, words))


def _unclear(source: _Source, suspicious: Mapping[str, Split]) -> str:
    renamed = [f"{top} to {split}" for top, split in suspicious.items() if top != split]
    others = [top for top in source.tops if top not in suspicious]
    if len(others) == 1 and (missing := _missing(suspicious.values())):
        renamed.append(f"{others[0]} to {missing} if it is one of them")
    rename = f"If they are splits, rename {', '.join(renamed[:4])}, and " if renamed else "If they are splits, "
    return (
        f"It is not clear which folders of {source.where} are classes: found {few(source.tops)}, of which "
        f"{few(list(suspicious))} may be a split or a class. {rename}keep only train/<class>/, validation/<class>/ "
        "and test/<class>/ there. "
        f"{if_they_are('classes')}"
    )


def _missing(named: Collection[Split]) -> str:
    """Return the splits that no folder's name says; train alone if it is one of them."""
    if "train" not in named:
        return "train"
    return " or ".join(one for one in ("validation", "test") if one not in named)


def _refuse_repeated(source: _Source) -> None:
    """Refuse top folders that all contain the same class folders: they are splits with unknown names."""
    tops, where = source.tops, source.where
    below = [_subfolders(source.names, top) for top in tops]
    if len(tops) < 2 or not all(below):
        return
    common = set.intersection(*below)
    if len(common) < LEAST_COMMON:
        return
    if all(map(split_word, common)):
        message = (
            f"The folders {few(tops)} of {where} hold the same folders, {few(sorted(common))}, which look like splits "
            "of each class. Move them to train/<class>/, validation/<class>/ and test/<class>/; or, to use all their "
            "images and let this package split them, put `layout: classes` into the classifier's file."
        )
        raise DatasetError(message)
    message = (
        f"The folders {few(tops)} of {where} hold the same folders, {few(sorted(common))}: they look like splits, and "
        "not like classes. If they are splits, rename them to train, validation and test. If they are variants of one "
        f"data set, use one of them as the source: {add_to_source(tops[0])} If all their images are "
        f"for training, rename them to train-1, train-2 and so on. {if_they_are('classes')}"
    )
    raise DatasetError(message)


def _subfolders(names: Sequence[str], top: str) -> set[str]:
    """Return the subfolders with files of a top folder; of a doubled one (``seg_test/seg_test``) those of the second.

    The result is empty if the top folder contains images itself, because then it is not a split.
    """
    inside = [name.removeprefix(f"{top}/") for name in _below(names, top) if not name.endswith("/")]
    folders = {name.partition("/")[0] for name in inside if "/" in name}
    if any("/" not in name and is_image_name(name) for name in inside):
        return set()
    if len(folders) == 1 and split_word(only := next(iter(folders))) == split_word(top):
        return _subfolders(inside, only)
    return folders


def is_image_name(name: str) -> bool:
    """Return whether a file's suffix is that of an image."""
    stem, dot, ending = name.rpartition("/")[2].rpartition(".")
    return bool(stem) and f"{dot}{ending.lower()}" in ENDINGS


def _word_warnings(words: Collection[str]) -> Iterable[str]:
    if words:
        yield (
            f"The folders {few(sorted(words))} are taken for classes, though their names speak of a split; if they "
            "are splits, put `layout: splits` into the classifier's file."
        )


def few(names: Sequence[str]) -> str:
    """Return up to eight names, each up to MOST_CHARACTERS, and the number of the others, as text."""
    cut = (name if len(name) <= MOST_CHARACTERS else f"{name[:MOST_CHARACTERS]}…" for name in names[:8])
    shown = ", ".join(map(repr, cut))
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
