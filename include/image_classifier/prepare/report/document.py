"""Writes report.json, and the manifest's lines: one for every file of the source."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from image_classifier.aws.names import Keys
from image_classifier.prepare.assemble import Dataset
from image_classifier.prepare.inspection.inspector import Inspected, Rejected
from image_classifier.prepare.manifest import line_of
from image_classifier.prepare.picked import Pairs
from image_classifier.prepare.previous import SplitSettings, inspected_by
from image_classifier.prepare.report import findings
from image_classifier.prepare.report.readable import all_readable
from image_classifier.prepare.report.schema import (
    MOST_LISTED,
    SCHEMA,
    Conflict,
    Counts,
    NearTest,
    RejectedImage,
    Report,
    SameAs,
)


def make_report(dataset: Dataset, *, keys: Keys, split: SplitSettings, warnings: Sequence[str]) -> Report:
    """Return the report of a data set without the correctors; the same data set and source give the same report."""
    chosen, layout = dataset.chosen, dataset.layout
    return Report(
        schema=SCHEMA,
        source=dataset.where,
        level=layout.level,
        fingerprint=dataset.fingerprint,
        pixels=dataset.pixels_key,
        split=split.as_json(),
        inspected_by=inspected_by(),
        labels=list(dataset.labels),
        images={str(part): counted for part, counted in dataset.counts().items()},
        counts=_counts(dataset),
        classes=findings.classes(dataset, keys),
        warnings=list(warnings),
        rejected=[_rejected(one) for one in dataset.rejected[:MOST_LISTED]],
        conflicts=[_conflict(group) for group in chosen.conflicts[:MOST_LISTED]],
        duplicates=[_same_as(one, kept) for one, kept in chosen.duplicates[:MOST_LISTED]],
        leaks=[_same_as(one, kept) for one, kept in chosen.leaks[:MOST_LISTED]],
        near_test=[_near_test(one, test) for one, test in dataset.placement.near_test[:MOST_LISTED]],
        near_duplicates=findings.groups(dataset, keys)[:MOST_LISTED],
        unusual=findings.unusual(dataset.images, keys),
        traits=findings.traits(dataset.images),
        statistics=findings.distributions(dataset.images),
        cameras=findings.cameras(dataset.images),
        no_images=[one.image.name for one in dataset.no_images[:MOST_LISTED]],
        ignored=list(layout.ignored[:MOST_LISTED]),
        corrections={},
    )


def dumps(report: Report) -> bytes:
    """Return the bytes of report.json."""
    return json.dumps(all_readable(report), indent=1).encode()


def manifest_lines(dataset: Dataset, *, keys: Keys) -> Iterator[dict[str, Any]]:
    """Return the lines of the manifest by name: every file of the source in a class folder, with its use."""
    uses = _uses(dataset)
    by_name = [(one.image.name, use, place) for use, (images, _) in enumerate(uses) for place, one in enumerate(images)]
    by_name.sort()
    for _, use, place in by_name:
        images, rest = uses[use]
        yield _line(images[place], rest(place), keys)


Use = tuple[Sequence[Inspected | Rejected], Callable[[int], Mapping[str, str] | None]]


def _uses(dataset: Dataset) -> list[Use]:
    """Return all files, and the keys that a file's line has beside the inspection's; None for a used image."""
    chosen, near = dataset.chosen, dataset.placement.near_test

    def near_test(place: int) -> Mapping[str, str]:
        image, test = near[place]
        given = {"split": image.split, "group": image.group}
        return {**given, "left_out": "near_test", "same_as": test.image.name}

    def same_as(pairs: Pairs, left_out: str) -> Use:
        return pairs.left, lambda place: {"left_out": left_out, "same_as": pairs.right[place].image.name}

    return [
        (dataset.images, lambda _: None),
        (near.left, near_test),
        same_as(chosen.duplicates, "duplicate"),
        same_as(chosen.leaks, "leak"),
        *((group, lambda _: {"left_out": "conflict"}) for group in chosen.conflicts),
        (dataset.rejected, lambda _: {}),
        (dataset.no_images, lambda _: {}),
    ]


def _line(one: Inspected | Rejected, rest: Mapping[str, str] | None, keys: Keys) -> dict[str, Any]:
    if rest is None and isinstance(one, Inspected):
        rest = {"split": one.split, "group": one.group, "key": findings.key_of(one, keys)}
    return {**line_of(one), **(rest or {})}


def _counts(dataset: Dataset) -> Counts:
    chosen = dataset.chosen
    return Counts(
        used=len(dataset.images),
        duplicates=len(chosen.duplicates),
        leaks=len(chosen.leaks),
        conflicts=sum(map(len, chosen.conflicts)),
        near_test=len(dataset.placement.near_test),
        rejected=len(dataset.rejected),
        no_images=len(dataset.no_images),
        outside_classes=len(dataset.layout.ignored),
    )


def _rejected(one: Rejected) -> RejectedImage:
    return RejectedImage(name=one.image.name, label=one.image.class_name, code=one.code, reason=one.reason)


def _conflict(group: Sequence[Inspected]) -> Conflict:
    return Conflict(names=[one.image.name for one in group], labels=sorted({one.image.class_name for one in group}))


def _same_as(one: Inspected, kept: Inspected) -> SameAs:
    return SameAs(name=one.image.name, same_as=kept.image.name)


def _near_test(one: Inspected, test: Inspected) -> NearTest:
    return NearTest(name=one.image.name, label=one.image.class_name, split=one.split, near=test.image.name)
