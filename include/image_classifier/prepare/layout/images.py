"""Holds the image files of a source: each one as it is listed, and all of them in columns."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self, overload

from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.sources.texts import Texts


@dataclass(frozen=True, slots=True)
class Listed:
    """An image file of the source.

    Attributes:
        split: the split that the source names; None until assigned.
        stamp: see `sources.source.File`.

    """

    name: str
    class_name: str
    split: Split | None
    stamp: str = ""


class ListedImages(Sequence[Listed]):
    """Image files in columns; one is made when it is asked for.

    Attributes:
        names: of the files.
        class_names: of each image; images of one class share the text.
        splits: that the source names.

    """

    def __init__(self, images: Iterable[Listed] = ()) -> None:
        """Read the images."""
        self.names, self.class_names, self.splits = list[str](), list[str](), list[Split | None]()
        self._stamps = Texts()
        for image in images:
            self.add(image.name, image.class_name, image.split, image.stamp)

    def add(self, name: str, class_name: str, split: Split | None, stamp: str) -> None:
        """Add an image."""
        self.names.append(name)
        self.class_names.append(class_name)
        self.splits.append(split)
        self._stamps.append(stamp)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.names)

    @overload
    def __getitem__(self, at: int) -> Listed: ...
    @overload
    def __getitem__(self, at: slice) -> list[Listed]: ...
    def __getitem__(self, at: int | slice) -> Listed | list[Listed]:
        """Return an image, or some of the images."""
        if isinstance(at, slice):
            return [self[place] for place in range(*at.indices(len(self)))]
        return Listed(self.names[at], self.class_names[at], self.splits[at], self._stamps[at])

    def __iter__(self) -> Iterator[Listed]:
        """Yield the images."""
        return map(Listed, self.names, self.class_names, self.splits, self._stamps)

    def named(self) -> set[tuple[Split | None, str]]:
        """Return the splits that the source names, with the classes of their images."""
        return set(zip(self.splits, self.class_names, strict=True))

    def unsplit(self) -> Self:
        """Return the same images, those of train without a split: this package divides them."""
        if "train" not in self.splits:
            return self
        images = type(self)()
        images.names, images.class_names, images._stamps = self.names, self.class_names, self._stamps
        images.splits = [None if split == "train" else split for split in self.splits]
        return images
