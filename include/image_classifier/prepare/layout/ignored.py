"""Recognises files and folders that systems and programs create in a source, such as Thumbs.db."""

from collections.abc import Collection, Iterable
from typing import Final

from image_classifier.prepare.layout.split_folders import few, is_image_name

_FOLDERS: Final = {"@eadir"}  # thumbnails of a Synology disk station
_FILES: Final = {"thumbs.db", "desktop.ini"}  # of Windows' Explorer
_NAMES: Final = _FOLDERS | _FILES
_OF_PROGRAMS: Final = {"__macosx", "__pycache__", ".ipynb_checkpoints"}


def is_ignored(name: str) -> bool:
    """Return whether a file or folder of this name (without the folders above it) does not exist for a data set.

    Hidden ones (``.git``), those that begin with two underscores (``__MACOSX``, ``__pycache__``), ``@eaDir``,
    ``Thumbs.db`` and ``desktop.ini``.
    """
    return name.startswith((".", "__")) or name.lower() in _NAMES


def is_ignored_path(path: str) -> bool:
    """Return whether a file or folder, or a folder above it, is ignored; a folder's path may end with a slash."""
    return any(map(is_ignored, filter(None, path.split("/"))))


def is_hidden(folder: str) -> bool:
    """Return whether a folder is ignored though a person may have named a class so, as ``.NET`` or ``__unknown__``."""
    return is_ignored(folder) and folder.lower() not in _NAMES | _OF_PROGRAMS


def hidden_classes(names: Iterable[str], above: Collection[str]) -> Iterable[str]:
    """Warn of hidden folders with images beside class folders.

    Args:
        names: files and folders of the source.
        above: the folders that hold the class folders, with a slash at the end; of the source itself, an empty text.

    """
    found = set[str]()
    for name in names:
        path, _, file = name.rpartition("/")
        start = path.rfind("/") + 1
        if is_hidden(path[start:]) and path[:start] in above and (not file or is_image_name(file)):
            found.add(path)
    if found:
        yield (
            f"The folders {few(sorted(found))} are hidden, by the beginnings of their names, and their images are not "
            "used. If they are classes, rename them."
        )
