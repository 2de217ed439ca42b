"""Reads the labels and splits of a source of folders from the lists in it, such as one list for each split."""

import posixpath
import re
import unicodedata
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError, ImageRejectedError
from image_classifier.prepare.layout.folders import Layout, layout_of
from image_classifier.prepare.layout.ignored import is_ignored_path
from image_classifier.prepare.layout.images import Listed, ListedImages
from image_classifier.prepare.layout.next_steps import WRITE_A_LIST, leave_out
from image_classifier.prepare.layout.renaming import Renaming
from image_classifier.prepare.layout.split_folders import Split, few, is_image_name
from image_classifier.prepare.sources.lists.advice import column_to_name, how_to_use, with_splits
from image_classifier.prepare.sources.lists.found_paths import Images, stem_of
from image_classifier.prepare.sources.lists.label_lists import LabelList
from image_classifier.prepare.sources.lists.rows import MAX_LIST_BYTES, read_list
from image_classifier.prepare.sources.lists.single_labels import check_one_class
from image_classifier.prepare.sources.lists.splits import split_of_list, splits_of_folders
from image_classifier.prepare.sources.source import File, Source

_ABOVE: Final = re.compile(r"^(\.{0,2}/)+")


@dataclass(frozen=True)
class _Row:
    """A row of a list: the image's path below the source, and what the list says of it."""

    image: str
    label: str
    split: Split | None
    file: str


@dataclass(frozen=True)
class _Read:
    """A list that was read.

    Attributes:
        rows: with the paths as they are written.
        folder: at which these start.
        unread_split: see `ReadList`.

    """

    rows: Sequence[_Row]
    folder: str
    unread_split: str


def layout_of_lists(
    source: Source, files: Sequence[File], lists: Sequence[LabelList], *, columns: Columns, renaming: Renaming
) -> Layout:
    """Return the layout of a source whose lists say the labels, and by their names or a column the splits.

    Args:
        source: folders.
        files: its selected files and folders.
        lists: those that name its images.
        columns: of the classifier's file; what it does not name is found in each list.
        renaming: the new names of classes.

    Raises:
        DatasetError: no list has the columns, a list cannot be read, a path may mean several images, or two lists
            contradict each other.

    """
    used = {one.name: found for one in _together(lists) if (found := _columns(one, columns)) is not None}
    if not used:
        raise DatasetError(_no_list(lists, columns=columns, where=source.where))
    read = [_read(source, name, found) for name, found in used.items()]
    rows = _with_splits(_merged(_Finder(files).rows(read)))
    labels = sorted({row.label for row in rows})
    renaming.check(labels, where=source.where)
    stamps = {file.name: file.stamp for file in files}
    images = ListedImages(
        Listed(row.image, renaming.of(row.label), row.split, stamps.get(row.image, "")) for row in rows
    )
    shown = with_splits([one for one in lists if one.name in used])
    check_one_class(images, where=f"the lists {shown} in {source.where}")
    level = f"The classes are the labels in {shown}: {few(labels)}."
    layout = layout_of(images, where=source.where, level=level + renaming.level)
    named = {*used, *(row.image for row in rows)}
    ignored = [one for one in stamps if not one.endswith("/") and not is_ignored_path(one) and one not in named]
    unread = [] if layout.splits else [one.unread_split for one in read if one.unread_split]
    return replace(layout, ignored=tuple(ignored), warnings=(*unread, *_warnings(lists, used, ignored)))


def _together(lists: Sequence[LabelList]) -> Sequence[LabelList]:
    """Leave out lists without a split beside those with one, unless the columns are the same: they name other images.

    German traffic signs have ``Train.csv``, ``Test.csv``, and ``Meta.csv`` of drawings.
    """
    shapes = {frozenset(one.values) for one in lists if one.is_split}
    return [one for one in lists if one.is_split or not shapes or frozenset(one.values) in shapes]


def _columns(one: LabelList, columns: Columns) -> Columns | None:
    """Return the columns of a list; None if it lacks one that is named, or has no certain label."""
    if not {one.path, *one.values}.issuperset(_named(columns)):
        return None
    labels = column_to_name(one) if columns.label is None else columns.labels
    if labels is None:
        return None
    path = one.path if columns.path is None else columns.path
    split = one.split_column if columns.split is None else columns.split
    label = labels[0] if len(labels) == 1 else labels or None
    return columns.model_copy(update={"path": path, "label": label, "split": split})


def _named(columns: Columns) -> list[str | int]:
    return [one for one in (columns.path, *columns.labels, columns.split) if one is not None]


def _no_list(lists: Sequence[LabelList], *, columns: Columns, where: str) -> str:
    wanted = [str(one) for one in _named(columns)]
    if not lists:
        return (
            f"`columns` is set, and no list in {where} names its images. Lists are .csv, .tsv, .txt, .json and .jsonl "
            "files; without `columns` the folders are the classes."
        )
    shown = "; ".join(
        f"{one.name!r} has {few([str(column) for column in (one.path, *one.values)])}" for one in lists[:4]
    )
    if not any({one.path, *one.values}.issuperset(_named(columns)) for one in lists):
        return f"No list in {where} has the columns {few(wanted)}: {shown}. Correct `columns` in the classifier's file."
    advice = how_to_use(lists, where=where) or WRITE_A_LIST
    return f"The lists {with_splits(lists)} in {where} have no certain label. {advice}"


def _read(source: Source, name: str, columns: Columns) -> _Read:
    try:
        data = source.read(name, limit_bytes=MAX_LIST_BYTES)
    except ImageRejectedError as error:
        raise DatasetError(f"List {name} in {source.where} cannot be read: {error}") from error
    split = split_of_list(name)
    read = read_list(data, name=name, columns=columns)
    rows = [_Row(row.path, unicodedata.normalize("NFC", row.label), row.split or split, name) for row in read.rows]
    folder = posixpath.normpath(posixpath.join(posixpath.dirname(name), columns.folder))
    return _Read(rows, "" if folder == "." else folder, read.unread_split)


class _Finder:
    """Finds the images that the rows of lists name."""

    def __init__(self, files: Sequence[File]) -> None:
        self._names = {file.name for file in files if not is_ignored_path(file.name)}

    def rows(self, read: Collection[_Read]) -> Iterator[_Row]:
        """Yield the rows with the paths of their images below the source."""
        wanted = {stem_of(row.image) for one in read for row in one.rows}
        images = {folder: self._below(folder, wanted) for folder in {"", *(one.folder for one in read)}}
        for one in read:
            for row in one.rows:
                yield replace(row, image=self._image(row, one.folder, images))

    def _below(self, folder: str, wanted: Container[str]) -> Images:
        above = f"{folder}/" if folder else ""
        names = (name.removeprefix(above) for name in self._names if name.startswith(above))
        return Images(names, wanted=wanted)

    def _image(self, row: _Row, folder: str, images: Mapping[str, Images]) -> str:
        """Return the image of a row; its path below the list's folder if there is none, which then is rejected."""
        path = posixpath.normpath(posixpath.join(folder, row.image))
        if path in self._names:
            return path
        below = images[folder].meant_in_split(row.image, row.split)
        found = [posixpath.join(folder, one) for one in below] or images[""].meant_in_split(row.image, row.split)
        if len(found) == 1:
            return found[0]
        if not found:
            return _ABOVE.sub("", path)
        message = (
            f"The path {row.image!r} of the list {row.file!r} may be {few(sorted(found))}. Name the folder of the "
            "list's images with columns.folder in the classifier's file, or leave the other images out by `exclude`."
        )
        raise DatasetError(message)


def _with_splits(rows: list[_Row]) -> list[_Row]:
    """Return the rows with the splits of the folders, if no list names a split; a row without one belongs to train."""
    if any(row.split for row in rows):
        return [replace(row, split=row.split or "train") for row in rows]
    splits = splits_of_folders([row.image for row in rows])
    return [replace(row, split=split) for row, split in zip(rows, splits, strict=True)]


def _merged(rows: Iterator[_Row]) -> list[_Row]:
    """Return each image once, but for one with several labels in one list, which is reported as a conflict.

    Raises:
        DatasetError: two lists give an image different labels or splits.

    """
    merged: dict[tuple[str, str], _Row] = {}
    first: dict[str, _Row] = {}
    for row in rows:
        known = first.setdefault(row.image, row)
        if known.file != row.file and known.label != row.label:
            raise DatasetError(_contradiction(row, known, this=row.label, that=known.label))
        same = merged.setdefault((row.image, row.label), row)
        if same.split and row.split and same.split != row.split:
            raise DatasetError(_contradiction(row, same, this=row.split, that=same.split))
        if row.split and not same.split:
            merged[row.image, row.label] = row
    return list(merged.values())


def _contradiction(row: _Row, known: _Row, *, this: str, that: str) -> str:
    return (
        f"The image {row.image!r} is in {that!r} by the list {known.file!r}, and in {this!r} by {row.file!r}. Leave "
        f"one of the lists out {leave_out(row.file)}, or correct it."
    )


def _warnings(lists: Sequence[LabelList], used: Mapping[str, Columns], ignored: Sequence[str]) -> Iterator[str]:
    if unused := [one.name for one in lists if one.name not in used]:
        yield f"The lists {few(unused)} have other columns or no labels, and were not used."
    if images := [name for name in ignored if is_image_name(name)]:
        yield f"{len(images):,} images are in no list with labels, and are not used, such as {images[0]!r}."
