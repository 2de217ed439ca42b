"""Decides, from what the inspection found, which images make the data set, and whether one can be trained on them."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.training import image_list
from image_classifier.prepare import split
from image_classifier.prepare.inspection import Inspected, Rejected
from image_classifier.prepare.layout import LISTED, SPLITS, Layout, Split

MAX_REJECTED_FRACTION = 0.1  # more means that the folder is not what it is taken for
REJECTED_ALLOWED_ALWAYS = 5  # of a small folder, a few files are soon a tenth


@dataclass(frozen=True)
class Dataset:
    """A data set, decided: its images by split and path, its labels, and everything that was left out.

    Attributes:
        where: what a person calls the source.
        labels: a class's position is its index.
        images: each in its final split.
        chosen: what was left out as duplicate, leak or conflict.
        rejected: unusable files.
        ignored: files of the source that are in no class folder.

    """

    where: str
    labels: tuple[str, ...]
    pixels_key: str
    images: tuple[Inspected, ...]
    chosen: split.Chosen
    rejected: tuple[Rejected, ...]
    ignored: tuple[str, ...]

    @cached_property
    def fingerprint(self) -> str:
        """Identity of the data set, of which the training job's name is made."""
        images = ((image.split, self.index(image), image.sha256 + image.revision) for image in self.images)
        return image_list.fingerprint(images, pixels_key=self.pixels_key, labels=self.labels)

    def index(self, image: Inspected) -> int:
        """The class index of an image."""
        return self.labels.index(image.image.class_name)

    def of(self, wanted: Split) -> tuple[Inspected, ...]:
        """The images of one split."""
        return tuple(image for image in self.images if image.split == wanted)

    def counts(self) -> dict[Split, dict[str, int]]:
        """Images per split and class, classes in the order of their indices."""
        counted = Counter((image.split, image.image.class_name) for image in self.images)
        return {part: {label: counted[part, label] for label in self.labels} for part in SPLITS}


def assemble(
    found: Iterable[Inspected | Rejected],
    *,
    layout: Layout,
    labels: Sequence[str],
    where: str,
    pixels_key: str,
    seed: int,
) -> Dataset:
    """Choose the images.

    Raises:
        DatasetError: too much was rejected, or a class or the validation split is left without an image.

    """
    inspected: list[Inspected] = []
    rejected: list[Rejected] = []
    for one in found:
        if isinstance(one, Inspected):
            inspected.append(one)
        else:
            rejected.append(one)
    _check_rejected(rejected, total=len(layout.images), where=where)
    chosen = split.choose(inspected)
    images = chosen.images
    if layout.is_split:
        images = split.fill_splits(images, seed=seed, is_split=True)
    _check_classes(images, chosen=chosen, rejected=rejected, layout=layout, where=where)
    if not layout.is_split:
        images = split.fill_splits(images, seed=seed, is_split=False)
    ordered = tuple(sorted(images, key=lambda image: (image.split, image.path)))
    return Dataset(where, tuple(labels), pixels_key, ordered, chosen, tuple(rejected), layout.ignored)


def _check_rejected(rejected: Sequence[Rejected], *, total: int, where: str) -> None:
    if len(rejected) <= max(REJECTED_ALLOWED_ALWAYS, MAX_REJECTED_FRACTION * total):
        return
    message = (
        f"{len(rejected):,} of {total:,} files in {where} cannot be used; up to {MAX_REJECTED_FRACTION:.0%} are left "
        f"out. {_reasons(rejected)} Repair or remove them."
    )
    raise DatasetError(message)


def _reasons(rejected: Iterable[Rejected]) -> str:
    """How often each code came, and one example of each."""
    examples: dict[str, Rejected] = {}
    times = Counter[str]()
    for one in rejected:
        examples.setdefault(one.code, one)
        times[one.code] += 1
    return " ".join(
        f"{code} ({count:,}), such as {examples[code].image.name!r}: {examples[code].reason}"
        for code, count in times.most_common()
    )


def _check_classes(
    images: Sequence[Inspected],
    *,
    chosen: split.Chosen,
    rejected: Sequence[Rejected],
    layout: Layout,
    where: str,
) -> None:
    parts: tuple[Split, ...] = LISTED if layout.is_split else ("train",)
    for part in parts:
        listed = {image.class_name for image in layout.images if image.split in (part, None)}
        left = {image.image.class_name for image in images if image.split == part or not layout.is_split}
        if empty := sorted(listed - left):
            within = f"{part} of {where}" if layout.is_split else where
            message = (
                f"Classes without one usable image in {within}: {', '.join(map(repr, empty))}. "
                f"{_losses(empty, chosen=chosen, rejected=rejected)} Add images of these classes, or delete "
                "their folders."
            )
            raise DatasetError(message)


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
