"""Recognises a folder that contains the data set but is not the data set: a repository, or an unpacked archive."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.next_steps import add_to_source
from image_classifier.prepare.layout.part_names import parts_among
from image_classifier.prepare.layout.split_folders import is_image_name, split_word

_MARKS: Final = ("readme", "licen", "setup.py", "pyproject.toml", "requirements", "makefile", "package.json")
FLAT: Final = 2  # parts of a path without class folder: the split or part, and the file
LEAST_SHARE: Final = 0.9  # share of the images in one folder of a repository; the others belong to its documentation


def refuse_outer_folder(names: Sequence[str], *, where: str) -> None:
    """Refuse a source whose images are all in one of its folders, which itself contains class folders.

    Raises:
        DatasetError: the message names the folder to use.

    """
    images = [name for name in names if is_image_name(name)]
    if not images:
        return
    inner = _inner_folder(images)
    if not inner and _is_repository(names):
        inner = _main_folder(images)
    if not inner or (inner.count("/") == 0 and split_word(inner)) or _is_unsorted(images, inner):
        return
    message = f"The images of {where} are all below its folder {inner!r}, which holds {_holds(images, inner)}."
    raise DatasetError(f"{message} Use that folder as the source: {add_to_source(inner)}")


def _is_unsorted(images: Sequence[str], inner: str) -> bool:
    """Return whether a folder holds splits without class folders, or only parts such as JPEGImages and masks."""
    below = [name.removeprefix(f"{inner}/").split("/") for name in images if name.startswith(f"{inner}/")]
    folders = {path[0] for path in below}
    if len(parts_among(folders)) == len(folders):
        return all(len(path) <= FLAT for path in below)
    return bool(parts_among([inner.rpartition("/")[2]])) and all(
        len(path) <= FLAT and split_word(path[0]) for path in below
    )


def _inner_folder(images: Sequence[str]) -> str:
    """Return the deepest folder that contains all images, if it has several folders with images; otherwise empty."""
    parts = [folder.split("/") if folder else [] for folder in {name.rpartition("/")[0] for name in images}]
    common = _common(parts)
    below = {tuple(part[len(common) : len(common) + 1]) for part in parts}
    return "/".join(common) if common and () not in below and len(below) > 1 else ""


def _common(paths: Sequence[list[str]]) -> list[str]:
    first, last = min(paths), max(paths)
    common = []
    for one, other in zip(first, last, strict=False):
        if one != other:
            break
        common.append(one)
    return common


def _is_repository(names: Iterable[str]) -> bool:
    return any("/" not in name and name.lower().startswith(_MARKS) for name in names)


def _main_folder(images: Sequence[str]) -> str:
    """Return the top folder with nearly all images of a repository, in subfolders; otherwise empty."""
    tops = Counter(name.partition("/")[0] if "/" in name else "" for name in images)
    top, count = tops.most_common(1)[0]
    if not top or len(tops) == 1 or count < LEAST_SHARE * len(images):
        return ""
    return _inner_folder([name for name in images if name.startswith(f"{top}/")])


def _holds(images: Iterable[str], inner: str) -> str:
    below = [name.removeprefix(f"{inner}/").partition("/")[0] for name in images if name.startswith(f"{inner}/")]
    found = sorted(set(below))
    return ", ".join(found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
