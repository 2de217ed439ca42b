"""Says what to do with a list of which no path leads to an image."""

import re
from collections.abc import Sequence
from typing import Final

from image_classifier.prepare.layout.split_folders import MOST_CHARACTERS, is_image_name
from image_classifier.prepare.layout.unsorted import about_dvc
from image_classifier.prepare.sources.lists.text_lines import columns_before

_SCHEME: Final = re.compile(r"(https?|gs|gcs|wasbs?|abfss?|azureml|hdfs|ftp)://")
_S3_HOST: Final = "amazonaws.com/"
_DATA: Final = "data:"  # the image itself, as base64


def nothing_found(path: str, *, files: Sequence[str], where: str, folder: str) -> str:
    """Return what was found, and what to do.

    Args:
        path: one of the list.
        files: those below the folder at which the paths start.
        where: the list's name in messages.
        folder: `columns.folder` of the classifier's file.

    """
    path = path[:MOST_CHARACTERS]
    place = f"columns.folder, {folder!r}" if folder else "the list's own folder"
    image = next((name for name in files if is_image_name(name)), "")
    if path.startswith(_DATA):
        return f"The {where} holds the images themselves, as {path[:40]!r}: save each as a file, and list these files."
    found = (
        f"No path in the {where} leads to an image, as {path!r}: paths start at {place}"
        f"{f', which has {image!r}' if image else ''}."
    )
    if address := _SCHEME.match(path):
        return f"{found} {_elsewhere(path, address[0], folder)}"
    if advice := about_dvc(files):
        found += f" {advice}"
    if not is_image_name(path) or " " in path:
        columns = columns_before(path)
        found += f" If that is no path, name the column of the paths with columns.path{columns and f': {columns}'}."
    return (
        f"{found} Name the folder of the images with columns.folder in the classifier's file, relative to the list's "
        "own; or correct the paths."
    )


def _elsewhere(path: str, scheme: str, folder: str) -> str:
    other = "the list's own folder, or into another that columns.folder names"
    place = f"columns.folder, {folder!r}" if folder else other
    s3 = " Write addresses of S3 as s3://bucket/key." if _S3_HOST in path else ""
    return (
        f"Images are not read from {scheme} addresses. Download them into {place}: they are found by the names in the "
        f"addresses.{s3}"
    )
