"""Reads the layout of a source of folders: from the folders, or from the lists of labels among its files."""

import posixpath
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.folders import Layout, read_layout
from image_classifier.prepare.layout.renaming import Renaming
from image_classifier.prepare.layout.split_folders import Choice, few
from image_classifier.prepare.sources.lists.advice import beside_folders, how_to_use
from image_classifier.prepare.sources.lists.formats import PATHS
from image_classifier.prepare.sources.lists.in_folder import layout_of_lists
from image_classifier.prepare.sources.lists.label_lists import LabelList, disagreement, label_lists, list_names
from image_classifier.prepare.sources.lists.rows import LABELS
from image_classifier.prepare.sources.lists.split_files import unread_splits
from image_classifier.prepare.sources.source import Files, Source

MOST_LISTS: Final = 1000
# Of Hugging Face's imagefolder (https://huggingface.co/docs/datasets/image_dataset) and of Roboflow's export.
CONVENTIONAL: Final = ("metadata.csv", "metadata.jsonl", "_classes.csv")
USUAL: Final = {(column,) for column in LABELS}


def folders_and_lists(
    source: Source, files: Files, *, choice: Choice | None, columns: Columns, renaming: Renaming
) -> Layout:
    """Return the layout of a source of folders; its lists say the labels if the classifier's file names columns.

    Lists of Hugging Face and Roboflow say the labels if the folders do not.

    Args:
        source: folders, whose lists are read.
        files: the selected files and folders.
        choice: the layout in the classifier's file, if it has one.
        columns: of the classifier's file.
        renaming: the new names of classes.

    Raises:
        DatasetError: as `read_layout` and `layout_of_lists`, or a list names its images and has labels other than the
            folders.

    """
    if columns != Columns():
        _check_columns(source, files, choice=choice)
        lists = label_lists(source, files, most=MOST_LISTS, least_share=0)
        return layout_of_lists(source, files, lists, columns=columns, renaming=renaming)
    lists = label_lists(source, files)
    unread = unread_splits(files, lists, where=source.where)
    try:
        layout = read_layout(files, where=source.where, choice=choice, renaming=renaming)
    except DatasetError as error:
        if choice is None and (certain := _conventional(lists)):
            return layout_of_lists(source, files, certain, columns=columns, renaming=renaming)
        if advice := how_to_use(lists, where=source.where):
            raise DatasetError(f"{advice} Without lists: {error}") from error
        if unread:
            raise DatasetError(f"{error} {unread}") from error
        raise
    if unread and not layout.splits:
        layout = replace(layout, warnings=(*layout.warnings, unread))
    if not lists:
        return layout
    return _checked(layout, source, lists, choice=choice)


def _check_columns(source: Source, files: Files, *, choice: Choice | None) -> None:
    """Check that the lists of a folder can say the labels.

    Raises:
        DatasetError: the classifier's file says that the folders are the classes, or there are too many lists.

    """
    if choice:
        message = (
            f"`layout: {choice}` says that the folders of {source.where} are the classes, and `columns` that its lists "
            "have the labels. Remove one of them from the classifier's file."
        )
        raise DatasetError(message)
    if (count := len(list_names(files))) > MOST_LISTS:
        message = (
            f"{count:,} files of {source.where} may be lists with the columns of `columns`, and at most {MOST_LISTS:,} "
            "are read. Leave the others out by `exclude` in the classifier's file."
        )
        raise DatasetError(message)


def _conventional(lists: Sequence[LabelList]) -> list[LabelList]:
    """Return the lists with a conventional name, if all that have labels have the usual columns; otherwise none."""
    found = [one for one in lists if posixpath.basename(one.name).lower() in CONVENTIONAL and one.path in PATHS]
    labelled = [one for one in found if one.one_hot or one.labels]
    return found if labelled and all(one.one_hot or one.labels[:1] in USUAL for one in labelled) else []


def _checked(layout: Layout, source: Source, lists: Sequence[LabelList], *, choice: Choice | None) -> Layout:
    """Return the layout of folders with a warning about its lists.

    Raises:
        DatasetError: a list has labels other than the folders.

    """
    different = None if choice else disagreement(lists, {image.name: image.class_name for image in layout.images})
    if different:
        message = (
            f"The list {different.name!r} in {source.where} has labels other than the folders, {few(layout.classes)}. "
            f"{how_to_use(lists, where=source.where)} If the folders are the classes, put `layout: "
            f"{'splits' if layout.splits else 'classes'}` into the classifier's file."
        )
        raise DatasetError(message)
    names, advice = few([one.name for one in lists]), beside_folders(lists, where=source.where)
    warning = f"The lists {names} name images of the source and were not used: the folders say the classes and splits."
    return replace(layout, warnings=(*layout.warnings, f"{warning} {advice}".strip()))
