"""Finds problems of a data set that do not prevent training."""

import statistics as stdlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from image_classifier.prepare.assemble import Dataset
from image_classifier.prepare.inspection.inspector import UNMODIFIED_KEY
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.picked import Picked
from image_classifier.prepare.report.look_alikes import look_alikes

IMBALANCE = 10  # times more images; the algorithm cannot weigh the classes of single-label sets
FEW_TRAINING_IMAGES = 20
FEW_TEST_IMAGES = 5
MANY_IMAGES = 100  # of a class: by chance alone a tenth of them is hardly ever less than FEW_TEST_IMAGES
BLACK = 12.0  # brightness, of 255
FLAT = 5.0  # contrast, of 127


@dataclass(frozen=True)
class Trained:
    """What the training job will be given, as far as warnings depend on it."""

    side_px: int
    mini_batch_size: int


def warnings_of(dataset: Dataset, *, trained: Trained) -> list[str]:
    """Return the warnings as sentences, the most serious first."""
    counts = dataset.counts()
    return [
        *dataset.layout.warnings,
        *_left_out(dataset),
        *_spanning(dataset.images),
        *_small(dataset, trained.mini_batch_size),
        *_uneven(counts["train"]),
        *_unvalidated(counts["validation"]),
        *_untested(counts["test"]),
        *_hardly_tested(counts),
        *look_alikes(dataset.labels),
        *_dull(dataset),
        *_pixels(dataset, side_px=trained.side_px),
    ]


LEFT_OUT: Final = (
    (
        '{:,} file cannot be used and was left out; see "rejected" in report.json.',
        '{:,} files cannot be used and were left out; see "rejected" in report.json.',
    ),
    (
        '{:,} image lies in several classes and was left out of all; see "conflicts" in report.json.',
        '{:,} images lie in several classes and were left out of all; see "conflicts" in report.json.',
    ),
    (
        '{:,} image is in two splits and was left out of one of them; see "leaks" in report.json.',
        '{:,} images are in two splits and were left out of one of them; see "leaks" in report.json.',
    ),
    (
        '{:,} image looks nearly like a test image and was left out; see "near_test" in report.json.',
        '{:,} images look nearly like a test image and were left out; see "near_test" in report.json.',
    ),
    (
        '{:,} copy of an image of the same class was left out; see "duplicates" in report.json.',
        '{:,} copies of an image of the same class were left out; see "duplicates" in report.json.',
    ),
    (
        '{:,} file in a class folder is no image; see "no_images" in report.json.',
        '{:,} files in class folders are no images; see "no_images" in report.json.',
    ),
    (
        '{:,} file is in no class folder or list, and was not read; see "ignored" in report.json.',
        '{:,} files are in no class folder or list, and were not read; see "ignored" in report.json.',
    ),
)


def _left_out(dataset: Dataset) -> Iterator[str]:
    chosen = dataset.chosen
    found = (
        dataset.rejected,
        chosen.conflicts,
        chosen.leaks,
        dataset.placement.near_test,
        chosen.duplicates,
        dataset.no_images,
        dataset.layout.ignored,
    )
    for images, (one, many) in zip(found, LEFT_OUT, strict=True):
        if images:
            yield _of(len(images), one, many)


def _spanning(images: Picked) -> Iterator[str]:
    spanning = doubtful = 0
    for group in images.groups_of_several():
        spanning += {"train", "validation"} <= {image.split for image in group}
        doubtful += len({image.image.class_name for image in group}) > 1
    if spanning:
        yield _of(spanning, "{:,} group of nearly equal images is", "{:,} groups of nearly equal images are") + (
            " in train and in validation, as the source or an earlier version placed them: validation's accuracy is "
            "higher than it should be; see near_duplicates."
        )
    if doubtful:
        groups = _of(doubtful, "{:,} group of nearly equal images has", "{:,} groups of nearly equal images have")
        yield f"{groups} several classes; see near_duplicates."


def _of(count: int, one: str, many: str) -> str:
    return (one if count == 1 else many).format(count)


def _small(dataset: Dataset, mini_batch_size: int) -> Iterator[str]:
    for split in ("train", "validation"):
        count = len(dataset.of(split))
        if count < mini_batch_size:
            yield (
                f"{split.capitalize()} has {count:,} images, and hyperparameters.mini_batch_size is {mini_batch_size}: "
                f"the algorithm needs at least one full batch. Set it to {count} or less in the classifier's file, as "
                "`make demo DATA=...` does when it writes one, or add images."
            )


def _uneven(train: dict[str, int]) -> Iterator[str]:
    most, least = max(train, key=train.__getitem__), min(train, key=train.__getitem__)
    if train[most] >= IMBALANCE * train[least]:
        yield (
            f"Class {most!r} has {train[most]:,} training images and {least!r} has {train[least]:,}; the algorithm "
            "does not weigh classes, so the smaller may hardly be learned."
        )
    if few := [label for label, count in train.items() if count < FEW_TRAINING_IMAGES]:
        yield f"Fewer than {FEW_TRAINING_IMAGES} training images: {_names(few)}."


def _unvalidated(validation: dict[str, int]) -> Iterator[str]:
    if missing := [label for label, count in validation.items() if not count]:
        yield f"No validation image: {_names(missing)}; how well they are told apart is not measured."


def _untested(test: dict[str, int]) -> Iterator[str]:
    missing = [label for label, count in test.items() if not count]
    if missing and any(test.values()):
        yield f"No test image: {_names(missing)}; the evaluation says nothing about them."


def _hardly_tested(counts: Mapping[Split, Mapping[str, int]]) -> Iterator[str]:
    """Name classes whose test images are few for their size, as happens if most of them look nearly the same."""
    for label, count in counts["test"].items():
        others = counts["train"][label] + counts["validation"][label]
        if 0 < count < FEW_TEST_IMAGES and others >= MANY_IMAGES:
            has = _of(count, "{:,} test image", "{:,} test images")
            yield (
                f"Class {label!r} has {has} and {others:,} others: nearly equal images stay in one split. For figures "
                "that can be trusted name test images, in the folder test/."
            )


def _dull(dataset: Dataset) -> Iterator[str]:
    medians = {label: _medians(dataset.images.of_class(label)) for label in dataset.labels}
    for statistic, bound, word in (("brightness", BLACK, "nearly black"), ("contrast", FLAT, "nearly of one colour")):
        if found := [label for label, of_class in medians.items() if of_class.get(statistic, bound) < bound]:
            yield f"Half of the images or more are {word} in the classes {_names(found)}."


def _medians(images: Picked) -> dict[str, float]:
    return {name: stdlib.median(values) for name, values in images.statistics().items()}


def _pixels(dataset: Dataset, *, side_px: int) -> Iterator[str]:
    traits = Counter(code for image in dataset.images for code in image.facts.traits)
    if small := traits["enlarged"]:
        is_small = _of(small, "{:,} image is smaller than {{}} and was", "{:,} images are smaller than {{}} and were")
        yield f"{is_small.format(f'{side_px} pixels a side')} enlarged."
    if dark := traits["dark_16_bit"]:
        yield _of(dark, "{:,} image has", "{:,} images have") + (
            " 16 bits per value and nearly black pixels: of their values at most 16 are told apart. "
            "Multiply the values of all images, and of those to classify, by the same number, 16 for 12 bits."
        )
    if dataset.pixels_key == UNMODIFIED_KEY:
        yield (
            "pixels.unmodified is set: the algorithm crops in training and squashes at the endpoint, which may score "
            "lower than the job."
        )


def _names(labels: Sequence[str]) -> str:
    shown = ", ".join(map(repr, labels[:20]))
    return shown if len(labels) <= 20 else f"{shown} and {len(labels) - 20} more"
