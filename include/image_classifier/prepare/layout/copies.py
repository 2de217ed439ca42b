"""Finds a folder that repeats the other files of a source, as archives that were packed twice have."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import chain, groupby

from image_classifier.prepare.layout.split_folders import is_image_name, split_word
from image_classifier.prepare.sources.source import File


def copied_folders(files: Sequence[File]) -> tuple[str, ...]:
    """Return the top folders whose images are all in the source a second time, at the path without that folder.

    ``cells/infected/1.png`` repeats ``infected/1.png`` if their sizes or ETags are equal, too.

    Args:
        files: of the source in alphabetical order, without the ignored ones.

    """
    copied = []
    for top, group in groupby(files, key=lambda file: file.name.partition("/")[0]):
        images = (file for file in group if is_image_name(file.name))
        first = next(images, None)
        if first and not split_word(top) and all(_is_repeated(files, one, top) for one in chain((first,), images)):
            copied.append(top)
    return tuple(copied)


def _is_repeated(files: Sequence[File], image: File, top: str) -> bool:
    """Return whether an image is at its path without the top folder, too."""
    name = image.name.removeprefix(f"{top}/")
    place = bisect_left(files, name, key=lambda file: file.name)
    other = files[place] if place < len(files) else None
    return "/" in name and other is not None and other.name == name and _content(other) == _content(image)


def _content(file: File) -> str:
    """Return what the stamp says about the content: a file's size, or an object's ETag."""
    return file.stamp.partition("@")[0]
