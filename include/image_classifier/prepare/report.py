"""What a person is told about a data set: the report, the warnings, and one manifest line per file of the source."""

import json
from collections.abc import Iterator
from typing import Any

from image_classifier.aws.names import Keys
from image_classifier.prepare.assemble import Dataset
from image_classifier.prepare.inspection import UNMODIFIED_KEY, Inspected

REPORT_SCHEMA = 1
IMBALANCE = 10  # times more images; the algorithm cannot weigh the classes of single-label sets
FEW_TRAINING_IMAGES = 20


def report_document(dataset: Dataset, *, warnings: list[str]) -> bytes:
    """The bytes of report.json: the same data set and source give the same bytes."""
    chosen = dataset.chosen
    document = {
        "schema": REPORT_SCHEMA,
        "source": dataset.where,
        "fingerprint": dataset.fingerprint,
        "pixels": dataset.pixels_key,
        "labels": list(dataset.labels),
        "images": dataset.counts(),
        "rejected": [{"name": one.image.name, "code": one.code, "reason": one.reason} for one in dataset.rejected],
        "duplicates": [{"name": one.image.name, "same_as": kept.image.name} for one, kept in chosen.duplicates],
        "leaks": [{"name": one.image.name, "same_as": kept.image.name} for one, kept in chosen.leaks],
        "conflicts": [{"names": [one.image.name for one in group]} for group in chosen.conflicts],
        "ignored": list(dataset.ignored),
        "warnings": warnings,
    }
    return json.dumps(document, indent=1).encode()


def manifest(dataset: Dataset, *, keys: Keys) -> bytes:
    """The bytes of manifest.jsonl: every file of the source by name, with what became of it."""
    lines = sorted(_manifest_lines(dataset, keys=keys), key=lambda line: str(line["name"]))
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def warnings_of(dataset: Dataset, *, side_px: int) -> list[str]:
    """What is worth a person's look, though the data set can be trained on."""
    counts = dataset.counts()
    return [
        *_left_out(dataset),
        *_uneven(counts["train"]),
        *_unvalidated(counts["validation"]),
        *_look_alikes(dataset.labels),
        *_pixels(dataset, side_px=side_px),
    ]


def _manifest_lines(dataset: Dataset, *, keys: Keys) -> Iterator[dict[str, Any]]:
    for image in dataset.images:
        key = keys.split(image.split) + image.path
        yield {**_facts(image), "split": image.split, "key": key}
    for one, kept in dataset.chosen.duplicates:
        yield {**_facts(one), "left_out": "duplicate", "same_as": kept.image.name}
    for one, kept in dataset.chosen.leaks:
        yield {**_facts(one), "left_out": "leak", "same_as": kept.image.name}
    for group in dataset.chosen.conflicts:
        yield from ({**_facts(one), "left_out": "conflict"} for one in group)
    for rejected in dataset.rejected:
        yield {"name": rejected.image.name, "class": rejected.image.class_name, "rejected": rejected.code}


def _facts(one: Inspected) -> dict[str, Any]:
    return {
        "name": one.image.name,
        "class": one.image.class_name,
        "sha256": one.sha256,
        "width": one.width,
        "height": one.height,
    }


def _left_out(dataset: Dataset) -> Iterator[str]:
    chosen = dataset.chosen
    if dataset.rejected:
        yield f"{len(dataset.rejected):,} files cannot be used and were left out; see rejected."
    if chosen.duplicates:
        yield f"{len(chosen.duplicates):,} copies of an image of the same class were left out; see duplicates."
    if chosen.leaks:
        yield f"{len(chosen.leaks):,} images are in two splits and were left out of one of them; see leaks."
    if chosen.conflicts:
        yield f"{len(chosen.conflicts):,} images lie in several classes and were left out of all; see conflicts."
    if dataset.ignored:
        yield f"{len(dataset.ignored):,} files are in no class folder and were not read; see ignored."


def _uneven(train: dict[str, int]) -> Iterator[str]:
    most, least = max(train, key=train.__getitem__), min(train, key=train.__getitem__)
    if train[most] >= IMBALANCE * train[least]:
        yield (
            f"Class {most!r} has {train[most]:,} training images and {least!r} has {train[least]:,}; the algorithm "
            "does not weigh classes, so the smaller may hardly be learned."
        )
    if few := [label for label, count in train.items() if count < FEW_TRAINING_IMAGES]:
        yield f"Fewer than {FEW_TRAINING_IMAGES} training images: {', '.join(map(repr, few))}."


def _unvalidated(validation: dict[str, int]) -> Iterator[str]:
    if missing := [label for label, count in validation.items() if not count]:
        yield f"No validation image: {', '.join(map(repr, missing))}; how well they are told apart is not measured."


def _look_alikes(labels: tuple[str, ...]) -> Iterator[str]:
    for position, label in enumerate(labels):
        if twins := [other for other in labels[:position] if other.casefold() == label.casefold()]:
            yield f"Classes {twins[0]!r} and {label!r} differ in case alone; are they one?"


def _pixels(dataset: Dataset, *, side_px: int) -> Iterator[str]:
    small = sum(max(image.width, image.height) < side_px for image in dataset.images)
    if small:
        yield f"{small:,} images are smaller than {side_px} pixels a side and were enlarged."
    if dataset.pixels_key == UNMODIFIED_KEY:
        yield (
            "pixels.unmodified is set: the algorithm crops in training and squashes at the endpoint, which may score "
            "lower than the job."
        )
