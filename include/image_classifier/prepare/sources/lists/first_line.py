"""Says, from the columns of a list that lacks the usual ones, what the list is and what to do with it."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Final

from image_classifier.prepare.layout.split_folders import few, is_image_name
from image_classifier.prepare.sources.lists.formats import JSON, PATHS
from image_classifier.prepare.sources.lists.row import only
from image_classifier.prepare.sources.lists.splits import UNASSIGNED, split_of_text

_WRITE: Final = "write labels.csv with the columns path and label."
# Of VGG Image Annotator (https://www.robots.ox.ac.uk/~vgg/software/via/); release 3 names itself in the first line.
_VIA: Final = ("file_attributes", "Image Annotator")
_VIA_COLUMNS: Final = "`columns: {path: filename, label: file_attributes.NAME}`, where NAME is an attribute of the file"
_HTML: Final = ("<!doctype", "<html")
_LABEL_STUDIO: Final = {"data", "annotations"}  # https://labelstud.io/guide/export


def next_step(found: Mapping[str, Any], *, name: str, otherwise: str) -> str:
    """Return what to do with a list that lacks a column.

    Args:
        found: the columns, with the values of the first line.
        name: of the list.
        otherwise: the sentence on a list of which nothing is known.

    """
    columns = list(found)
    first = columns[0] if columns else ""
    if sum(column.startswith("pixel") for column in columns) > 1:
        return "Its columns are pixels: save each image as a file, and list these files."
    if _VIA[0] in found or _VIA[1] in first:
        return _of_via(name, is_newer=_VIA[0] not in found)
    certain = _of_text(first, is_alone=len(columns) == 1) or _without_header(columns)
    return certain or f"{otherwise} {_perhaps(found, first)}".strip()


def _of_text(first: str, *, is_alone: bool) -> str:
    """Return what to do with a list whose first line is no header, or one that is divided otherwise."""
    divided = "Columns are divided by commas, semicolons or tabs"
    if first.lower().startswith("sep="):
        return f"Its first line, {first!r}, is read by Excel alone: delete it."
    if first.lower().startswith(_HTML):
        return "It is a web page, such as one that asks to sign in: download the list again."
    if is_alone and "|" in first:
        return f"{divided}: replace each '|' by one of them."
    if is_alone and any(word in PATHS for word in first.lower().split()):
        return f"{divided}, and by blanks in a list whose name ends in .txt: rename it."
    return ""


def _perhaps(found: Mapping[str, Any], first: str) -> str:
    if first.startswith("#"):
        return f"If its first line, {first[:60]!r}, is a comment, delete it."
    if found.keys() >= _LABEL_STUDIO:
        return "If Label Studio wrote it, export CSV there, and use `columns: {path: image, label: choice}`."
    arrays = [one for one, value in found.items() if isinstance(value, list) and (not value or _is_nested(only(value)))]
    return f"If the labels are in arrays, as {few(arrays)}, {_WRITE}" if arrays else ""


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | dict)


def _of_via(name: str, *, is_newer: bool) -> str:
    if is_newer:
        return f"It is of VGG Image Annotator, in a form that is not read: {_WRITE}"
    if PurePosixPath(name).suffix.lower() == JSON:
        return f"It is of VGG Image Annotator: use {_VIA_COLUMNS}."
    return f"It is of VGG Image Annotator: export JSON there, which is read by {_VIA_COLUMNS}."


def _without_header(columns: Sequence[str]) -> str:
    """Return the columns as numbers if the first line names an image, and therefore is no header."""
    path = next((at for at, cell in enumerate(columns) if is_image_name(cell)), None)
    if path is None:
        return ""
    split = next((at for at, cell in enumerate(columns) if cell.lower() == UNASSIGNED or split_of_text(cell)), None)
    others = [at for at in range(len(columns)) if at not in (path, split)]
    numbers = {"path": path, "label": others[0] if len(others) == 1 else "NUMBER", "split": split}
    shown = ", ".join(f"{what}: {at}" for what, at in numbers.items() if at is not None and (others or what != "label"))
    return f"Its first line names an image, so it has no header: use `columns: {{{shown}}}` in the classifier's file."
