"""Reads the layout of a source of folders, and compares it with the lists of labels among its files."""

from collections.abc import Sequence
from dataclasses import replace

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.folders import Layout, read_layout
from image_classifier.prepare.layout.renaming import Renaming
from image_classifier.prepare.layout.split_folders import Choice, few
from image_classifier.prepare.sources.label_lists import by_folder, disagreement, how_to_use, label_lists
from image_classifier.prepare.sources.source import File, Source


def folders_and_lists(source: Source, files: Sequence[File], *, choice: Choice | None, renaming: Renaming) -> Layout:
    """Return the layout of a source of folders.

    Args:
        source: folders, whose lists are read to name them in messages.
        files: the selected files and folders.
        choice: the layout in the classifier's file, if it has one.
        renaming: the new names of classes.

    Raises:
        DatasetError: as `read_layout`, or a list names its images and has labels other than the folders.

    """
    lists = label_lists(source, files)
    try:
        layout = read_layout(files, where=source.where, choice=choice, renaming=renaming)
    except DatasetError as error:
        if advice := how_to_use([one for one in lists if not one.agrees(by_folder)], where=source.where):
            raise DatasetError(f"{error} {advice}") from error
        raise
    if not lists:
        return layout
    different = None if choice else disagreement(lists, {image.name: image.class_name for image in layout.images})
    if different:
        message = (
            f"The list {different.name!r} in {source.where} has labels other than the folders, {few(layout.classes)}. "
            f"{how_to_use([different], where=source.where)} If the folders are the classes, put `layout: "
            f"{'splits' if layout.splits else 'classes'}` into the classifier's file."
        )
        raise DatasetError(message)
    names = few([one.name for one in lists])
    warning = f"The lists {names} name images of the source and were not used: the folders say the classes and splits."
    return replace(layout, warnings=(*layout.warnings, warning))
