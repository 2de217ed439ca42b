"""Recognises files and folders that systems and programs create in a source, such as Thumbs.db."""

from typing import Final

_FOLDERS: Final = {"@eadir"}  # thumbnails of a Synology disk station
_FILES: Final = {"thumbs.db", "desktop.ini"}  # of Windows' Explorer
_NAMES: Final = _FOLDERS | _FILES


def is_ignored(name: str) -> bool:
    """Return whether a file or folder of this name (without the folders above it) does not exist for a data set.

    Hidden ones (``.git``), those that begin with two underscores (``__MACOSX``, ``__pycache__``), ``@eaDir``,
    ``Thumbs.db`` and ``desktop.ini``.
    """
    return name.startswith((".", "__")) or name.lower() in _NAMES


def is_ignored_path(path: str) -> bool:
    """Return whether a file or folder, or a folder above it, is ignored; a folder's path may end with a slash."""
    return any(map(is_ignored, filter(None, path.split("/"))))
