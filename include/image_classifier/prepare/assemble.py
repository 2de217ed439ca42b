"""Selects the images of the data set from the inspection's results, and checks that they can be trained on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.signatures import NOT_DOWNLOADED
from image_classifier.contracts.training import image_list
from image_classifier.prepare import split
from image_classifier.prepare.inspection.inspector import NOT_FOR_GOOD, Rejected
from image_classifier.prepare.layout.folders import LISTED, SPLITS, Layout
from image_classifier.prepare.layout.split_folders import Split, few, is_image_name
from image_classifier.prepare.picked import Found, Picked
from image_classifier.prepare.placement import Placement, Placer
from image_classifier.prepare.spool import SPLIT_OF_CODE, in_order

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

REJECTED_ALLOWED_ALWAYS = 5  # in a small folder a few files are quickly a tenth
NO_IMAGES = ("not_an_image", "empty")  # rejection codes of files that may be beside images, such as notes
_COPIES = (
    "test images look nearly the same as all of them. Remove those copies from the test images, or add other images."
)


@dataclass(frozen=True)
class Dataset:
    """A data set: its images by split and path, its labels, and the images that were left out.

    Attributes:
        where: the source's name in messages.
        labels: the labels by class index.
        placement: the images in their final splits, and the near-duplicates of test images, which were left out.
        chosen: the images left out as duplicate, leak or conflict.
        rejected: the unusable images.
        no_images: files in class folders that are not images, by content and by name.

    """

    where: str
    labels: tuple[str, ...]
    pixels_key: str
    placement: Placement
    chosen: split.Chosen
    rejected: tuple[Rejected, ...]
    no_images: tuple[Rejected, ...]
    layout: Layout

    @property
    def images(self) -> Picked:
        return self.placement.images

    @property
    def may_differ(self) -> bool:
        """Return whether another run may find another result in the same files: one of them was unreadable."""
        return any(one.code in NOT_FOR_GOOD for one in self.rejected)

    @cached_property
    def fingerprint(self) -> str:
        """Return the identity of the data set, which is part of the training job's name."""
        import numpy as np

        images, spool = self.images, self.images.spool
        indices = self.indices(images)
        by_content = in_order(spool.sha_words[images.places])
        order = by_content[np.lexsort((indices[by_content], images.splits[by_content]))]
        identities = (
            (SPLIT_OF_CODE[images.splits[one]] or "", int(indices[one]), spool.identity(int(images.places[one])))
            for one in order
        )
        return image_list.fingerprint_of_sorted(identities, pixels_key=self.pixels_key, labels=self.labels)

    def indices(self, images: Picked) -> "NDArray[np.int64]":
        """Return the class indices of some of the images."""
        import numpy as np

        index = {label: number for number, label in enumerate(self.labels)}
        of_class = np.array([index.get(name, -1) for name in images.spool.class_names], np.int64)
        return of_class[images.classes]

    def of(self, wanted: Split) -> Picked:
        """Return the images of one split."""
        return self.images.of_split(wanted)

    def counts(self) -> dict[Split, dict[str, int]]:
        """Return the number of images per split and class, the classes in the order of their indices."""
        import numpy as np

        counted = {
            part: np.bincount(self.indices(self.of(part)), minlength=len(self.labels)).tolist() for part in SPLITS
        }
        return {part: dict(zip(self.labels, counted[part], strict=True)) for part in SPLITS}


@dataclass(frozen=True)
class Assembler:
    """Assembles the data set of one source.

    Attributes:
        max_left_out: the share of the files that may be rejected.

    """

    where: str
    layout: Layout
    labels: Sequence[str]
    pixels_key: str
    placer: Placer
    max_left_out: float

    def assemble(self, found: Found) -> Dataset:
        """Select the images and assign them to splits.

        Raises:
            DatasetError: too many files were rejected, or a class or the validation split has no image.

        """
        rejected = tuple(one for one in found.rejected if not _is_beside_images(one))
        no_images = tuple(one for one in found.rejected if _is_beside_images(one))
        self._check_rejected(rejected, total=len(found))
        chosen = split.choose(found.images)
        self._check_classes(found, chosen)
        placement = self.placer.place(chosen.images)
        self._check_trained(placement, found)
        return Dataset(
            self.where, tuple(self.labels), self.pixels_key, placement, chosen, rejected, no_images, self.layout
        )

    def _check_rejected(self, rejected: Sequence[Rejected], *, total: int) -> None:
        if len(rejected) <= max(REJECTED_ALLOWED_ALWAYS, self.max_left_out * total):
            return
        message = (
            f"{len(rejected):,} of {total:,} files in {self.where} cannot be used; up to {self.max_left_out:.0%} are "
            f"left out. {_reasons(rejected)}"
        )
        if any(one.reason != NOT_DOWNLOADED for one in rejected):
            message += " Repair or remove them, or raise max_left_out in the classifier's file."
        raise DatasetError(message)

    def _check_classes(self, found: Found, chosen: split.Chosen) -> None:
        """Check that every class has an image, in each split that the source names."""
        parts: tuple[Split, ...] = LISTED if self.layout.has_validation else ("train",)
        all_of, left_of = found.named(), chosen.images.named()
        for part in parts:
            listed = {name for placed, name in all_of if placed in (part, None)}
            left = {name for placed, name in left_of if placed in (part, None)}
            if empty := sorted(listed - left):
                within = f"{part} of {self.where}" if self.layout.has_validation else self.where
                message = (
                    f"Classes without one usable image in {within}: {few(empty)}. "
                    f"{_losses(empty, chosen=chosen, rejected=found.rejected)} Add images of these classes, or delete "
                    "their folders."
                )
                raise DatasetError(message)

    def _check_trained(self, placement: Placement, found: Found) -> None:
        trained = {name for _, name in placement.images.of_split("train").named()}
        if missing := sorted({name for _, name in found.named()} - trained):
            raise DatasetError(f"No training image is left of {few(missing)} in {self.where}: {_COPIES}")
        if not len(placement.images.of_split("validation")):
            raise DatasetError(f"No validation image is left in {self.where}: {_COPIES}")


def _is_beside_images(one: Rejected) -> bool:
    """Return whether the file is not an image, neither by content nor by name."""
    return one.code in NO_IMAGES and "." in one.image.name and not is_image_name(one.image.name)


def _reasons(rejected: Iterable[Rejected]) -> str:
    """Return a sentence with the number and an example of each rejection code."""
    examples: dict[str, Rejected] = {}
    times = Counter[str]()
    for one in rejected:
        examples.setdefault(one.code, one)
        times[one.code] += 1
    return " ".join(
        f"{code} ({count:,}), such as {examples[code].image.name!r}: {examples[code].reason}"
        for code, count in times.most_common()
    )


def _losses(classes: Sequence[str], *, chosen: split.Chosen, rejected: Sequence[Rejected]) -> str:
    unusable = [one for one in rejected if one.image.class_name in classes]
    leaked = sum(one.image.class_name in classes for one, _ in chosen.leaks)
    conflicting = sum(one.image.class_name in classes for group in chosen.conflicts for one in group)
    parts = [
        f"{len(unusable)} rejected: {_reasons(unusable)}" if unusable else "",
        f"{leaked} left out because another split has the same image." if leaked else "",
        f"{conflicting} left out because another class has the same image." if conflicting else "",
    ]
    return " ".join(part for part in parts if part)
