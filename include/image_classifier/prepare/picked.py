"""Lists images of a spool in an order, with the splits and groups that they were assigned."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from image_classifier.prepare.classes import class_folder
from image_classifier.prepare.inspection.inspector import Inspected, Rejected
from image_classifier.prepare.inspection.statistics import NUMBERS
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.spool import CODE_OF_SPLIT, SPLIT_OF_CODE, Spool, in_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from image_classifier.prepare.spool import Places


class Picked(Sequence[Inspected]):
    """Some images of a spool, in an order; an image is made when it is asked for.

    Attributes:
        spool: where the facts are.
        places: of the images in the spool.
        splits: codes of the splits.
        groups: the places in the spool of the first images of the groups, or numbers from ``len(spool)`` on for
            ``gone``; None before the images are in groups.
        gone: the SHA-256 of groups' first images that are not in the spool.

    """

    def __init__(
        self,
        spool: Spool,
        places: "Places",
        splits: "NDArray[np.uint8]",
        groups: "Places | None" = None,
        gone: Sequence[str] = (),
    ) -> None:
        """Store the arguments."""
        self.spool, self.places, self.splits, self.groups, self.gone = spool, places, splits, groups, gone

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.places)

    @overload
    def __getitem__(self, position: int) -> Inspected: ...
    @overload
    def __getitem__(self, position: slice) -> "Picked": ...
    def __getitem__(self, position: int | slice) -> "Inspected | Picked":
        """Return an image, or some of the images."""
        if isinstance(position, slice):
            return self.only(position)
        at, spool = int(self.places[position]), self.spool
        image, facts = spool.row(at)
        split: Split = SPLIT_OF_CODE[int(self.splits[position])] or "train"
        return Inspected(image, split, facts, spool.was_uploaded(at), self.group(position))

    def __iter__(self) -> Iterator[Inspected]:
        """Yield the images."""
        return (self[position] for position in range(len(self)))

    def only(self, chosen: Any) -> "Picked":
        """Return the images of a slice, of positions, or of a mask."""
        groups = None if self.groups is None else self.groups[chosen]
        return Picked(self.spool, self.places[chosen], self.splits[chosen], groups, self.gone)

    def group(self, position: int) -> str:
        """Return the SHA-256 of the first image of an image's group; empty before the images are in groups."""
        if self.groups is None:
            return ""
        group = int(self.groups[position])
        return self.spool.sha256(group) if group < len(self.spool) else self.gone[group - len(self.spool)]

    @property
    def classes(self) -> "NDArray[np.uint32]":
        """Return the position of each image's class in the spool's ``class_names``."""
        return self.spool.classes[self.places]

    def named(self) -> set[tuple[Split | None, str]]:
        """Return the splits that the source names, with the classes of their images."""
        return self.spool.named(self.places)

    @property
    def uploaded(self) -> int:
        """Return how many images were uploaded."""
        return int(self.spool.uploaded[self.places].sum())

    def of_split(self, split: Split) -> "Picked":
        """Return the images of one split."""
        return self.only(self.splits == CODE_OF_SPLIT[split])

    def of_class(self, class_name: str) -> "Picked":
        """Return the images of one class."""
        names = self.spool.class_names
        code = names.index(class_name) if class_name in names else -1
        return self.only(self.classes == code)

    def ordered(self) -> "Picked":
        """Return the images by split and path."""
        import numpy as np

        folders = [f"{class_folder(name)}/" for name in self.spool.class_names]
        rank = np.empty(len(folders), np.int64)
        rank[np.argsort(np.array(folders))] = np.arange(len(folders))
        return self.only(np.lexsort((self.spool.files[self.places], rank[self.classes], self.splits)))

    def paths(self) -> Iterator[str]:
        """Yield the path of each image below the prefix of its split."""
        folders = [class_folder(name) for name in self.spool.class_names]
        for code, file in zip(self.classes, self.spool.files[self.places], strict=True):
            yield f"{folders[code]}/{file.decode()}"

    def sha256(self, position: int) -> str:
        """Return the SHA-256 of an image's file."""
        return self.spool.sha256(int(self.places[position]))

    def by_content(self) -> "Picked":
        """Return the images by the SHA-256 of their files."""
        return self.only(in_order(self.spool.sha_words[self.places]))

    def groups_of_several(self) -> "Iterator[Picked]":
        """Yield the images of each group that has several."""
        import numpy as np

        if self.groups is None or not len(self):
            return
        order = np.argsort(self.groups, kind="stable")
        groups = self.groups[order]
        for positions in np.split(order, np.flatnonzero(groups[1:] != groups[:-1]) + 1):
            if len(positions) > 1:
                yield self.only(positions)

    def statistics(self) -> dict[str, list[float]]:
        """Return the values of each statistic; empty without an image. The facts of all images are read for that."""
        import numpy as np

        found = np.empty((len(self), len(NUMBERS)))
        for row, at in enumerate(map(int, self.places)):
            found[row] = self.spool.numbers(at)
        return {name: found[:, column].tolist() for column, name in enumerate(NUMBERS)} if len(self) else {}


class Pairs(Sequence[tuple[Inspected, Inspected]]):
    """Pairs of images, such as one that is left out and the one because of which it is."""

    def __init__(self, left: Picked, right: Picked) -> None:
        """Store both sides."""
        self.left, self.right = left, right

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.left)

    @overload
    def __getitem__(self, position: int) -> tuple[Inspected, Inspected]: ...
    @overload
    def __getitem__(self, position: slice) -> "Pairs": ...
    def __getitem__(self, position: int | slice) -> "tuple[Inspected, Inspected] | Pairs":
        """Return a pair, or some of the pairs."""
        if isinstance(position, slice):
            return Pairs(self.left[position], self.right[position])
        return self.left[position], self.right[position]


class Found(Sequence[Listed]):
    """What the inspection found; as a sequence, all files of the source, the usable ones first.

    Attributes:
        images: the usable images.
        rejected: the others.

    """

    def __init__(self, found: Iterable[Inspected | Rejected]) -> None:
        """Read the results."""
        self.images, self.rejected = Spool(), list[Rejected]()
        for one in found:
            if isinstance(one, Rejected):
                self.rejected.append(one)
            else:
                self.images.add(one)

    def named(self) -> set[tuple[Split | None, str]]:
        """Return the splits that the source names, with the classes of their files."""
        return self.images.named() | {(one.image.split, one.image.class_name) for one in self.rejected}

    def __len__(self) -> int:
        """Return the number of files."""
        return len(self.images) + len(self.rejected)

    @overload
    def __getitem__(self, position: int) -> Listed: ...
    @overload
    def __getitem__(self, position: slice) -> list[Listed]: ...
    def __getitem__(self, position: int | slice) -> Listed | list[Listed]:
        """Return a file."""
        if isinstance(position, slice):
            return [self[place] for place in range(*position.indices(len(self)))]
        usable = len(self.images)
        return self.images.image(position) if position < usable else self.rejected[position - usable].image
