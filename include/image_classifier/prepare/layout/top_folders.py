"""Summarises what the top folders of a source hold, without keeping the names of all images."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from image_classifier.prepare.layout.split_folders import is_image_name, split_word


@dataclass(frozen=True)
class TopFolder:
    """A top folder with files.

    Attributes:
        has_images: whether a file below it has the name of an image.
        has_loose: whether such a file is in it, and not in a folder below it.
        inside: its folders with images.
        inner: the folder below it that holds splits, or that is doubled and holds classes; empty if none does.
        inner_folders: the folders of `inner`.
        is_unsorted: whether all images are in folders of splits, without class folders.

    """

    name: str
    has_images: bool
    has_loose: bool
    inside: frozenset[str]
    inner: str
    inner_folders: tuple[str, ...]
    is_unsorted: bool

    @property
    def holds_classes(self) -> bool:
        """Return whether it has several folders, which are not splits of images without class folders."""
        return len(self.inside) > 1 and not self.is_unsorted


def top_folders(names: Iterable[str]) -> Iterator[TopFolder]:
    """Yield the top folders with files.

    Args:
        names: files and folders of the source in alphabetical order, without the ignored ones.

    """
    for top, group in groupby(names, key=lambda name: name[: name.find("/") + 1]):
        files = [name[len(top) :] for name in group if not name.endswith("/")]
        if len(top) > 1 and files:
            yield _summary(top[:-1], [name for name in files if is_image_name(name)])


def _summary(top: str, images: Sequence[str]) -> TopFolder:
    inside = frozenset(name.partition("/")[0] for name in images if "/" in name)
    inner, below = _inner(top, images)
    return TopFolder(
        top,
        has_images=bool(images),
        has_loose=any("/" not in name for name in images),
        inside=inside,
        inner=inner,
        inner_folders=tuple(sorted(below)),
        is_unsorted=all(map(split_word, inside)) and all(name.count("/") == 1 for name in images),
    )


def _inner(top: str, images: Sequence[str]) -> tuple[str, set[str]]:
    """Return the inner folder that is a data set itself, and its folders; an empty name if there is none."""
    path, names, is_doubled = [top], images, False
    while len(folders := {name.partition("/")[0] for name in names if "/" in name}) == 1:
        if any("/" not in name for name in names):
            return "", set()
        only = next(iter(folders))
        is_doubled |= only == path[-1]
        path.append(only)
        names = [name.partition("/")[2] for name in names]
    splits = {split_word(name.partition("/")[0]) for name in names if name.count("/") > 1}
    holds_splits = "train" in splits and len(splits - {None}) > 1
    holds_classes = is_doubled and len(folders) > 1 and all("/" in name for name in names)
    return ("/".join(path), folders) if holds_splits or holds_classes else ("", set())
