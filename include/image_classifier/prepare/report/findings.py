"""Computes groups of near-duplicates, unusual images, distributions and the figures of each class of a data set."""

import math
import statistics as stdlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final

from image_classifier.aws.names import Keys
from image_classifier.prepare.assemble import Dataset
from image_classifier.prepare.inspection.inspector import Inspected
from image_classifier.prepare.picked import Picked
from image_classifier.prepare.report.schema import (
    TRAITS,
    ClassCounts,
    Distribution,
    Group,
    GroupMember,
    Trait,
    Unusual,
)

BINS: Final = 50
QUANTILES: Final = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
EXAMPLES: Final = 6
CAMERAS: Final = 20
FAR: Final = 3.0  # number of robust standard deviations below the median of the logarithm
FEWEST_TO_COMPARE: Final = 30  # the smallest data set in which images are reported as unusual
UNUSUAL_OF_A_KIND: Final = 12
BRIGHTEST: Final = 255.0


@dataclass(frozen=True)
class Kind:
    """A kind of unusual images.

    Attributes:
        statistic: name of the statistic.
        bound: an image is only unusual if its value is below this bound, or above it if ``is_high``.

    """

    statistic: str
    bound: float
    is_high: bool = False

    def low(self, value: float) -> float:
        """Return the value, negated if ``is_high``, so that low values are unusual."""
        return BRIGHTEST - value if self.is_high else value


KINDS: Final = {
    "dark": Kind("brightness", 40.0),
    "bright": Kind("brightness", 225.0, is_high=True),
    "flat": Kind("contrast", 15.0),
    "blurred": Kind("sharpness", 60.0),
}


def key_of(image: Inspected, keys: Keys) -> str:
    """Return the S3 key of the prepared image."""
    return keys.split(image.split) + image.path


def groups(dataset: Dataset, keys: Keys) -> list[Group]:
    """Return the groups of several used images, those with several labels or splits first, then the largest."""
    found = [_group(images[0].group, images, keys) for images in dataset.images.groups_of_several()]
    return sorted(found, key=lambda one: (-len(one["labels"]), -len(one["splits"]), -len(one["images"]), one["id"]))


def _group(group: str, images: Iterable[Inspected], keys: Keys) -> Group:
    ordered = sorted(images, key=lambda image: (image.sha256 != group, image.image.name))
    return Group(
        id=group,
        images=[
            GroupMember(name=one.image.name, label=one.image.class_name, split=one.split, key=key_of(one, keys))
            for one in ordered
        ],
        labels=sorted({one.image.class_name for one in ordered}),
        splits=sorted({one.split for one in ordered}),
    )


def classes(dataset: Dataset, keys: Keys) -> list[ClassCounts]:
    """Return the figures of each class, in the order of the labels."""
    rejected = Counter(one.image.class_name for one in dataset.rejected)
    left_out = Counter(one.image.class_name for one in left_out_images(dataset))
    return [
        _class(label, dataset.images.of_class(label), rejected=rejected[label], left_out=left_out[label], keys=keys)
        for label in dataset.labels
    ]


def left_out_images(dataset: Dataset) -> Iterable[Inspected]:
    """Return the usable images that the data set leaves out."""
    chosen = dataset.chosen
    for pairs in (chosen.duplicates, chosen.leaks, dataset.placement.near_test):
        yield from (one for one, _ in pairs)
    for conflict in chosen.conflicts:
        yield from conflict


def _class(label: str, images: Picked, *, rejected: int, left_out: int, keys: Keys) -> ClassCounts:
    return ClassCounts(
        label=label,
        train=len(images.of_split("train")),
        validation=len(images.of_split("validation")),
        test=len(images.of_split("test")),
        rejected=rejected,
        left_out=left_out,
        medians={name: round(stdlib.median(values), 3) for name, values in images.statistics().items()},
        examples=[key_of(image, keys) for image in images.by_content()[:EXAMPLES]],
    )


def distributions(images: Picked) -> dict[str, Distribution]:
    """Return the distribution of each statistic over all images."""
    return {name: _distribution(values) for name, values in images.statistics().items()}


def _distribution(values: Sequence[float]) -> Distribution:
    ordered = sorted(values)
    low, high = ordered[0], ordered[-1]
    counts = [0] * BINS
    for value in ordered:
        counts[min(BINS - 1, int((value - low) / (high - low) * BINS)) if high > low else 0] += 1
    return Distribution(
        mean=round(stdlib.fmean(ordered), 3),
        quantiles={f"{at:g}": ordered[min(len(ordered) - 1, int(at * len(ordered)))] for at in QUANTILES},
        low=low,
        high=high,
        counts=counts,
    )


def unusual(images: Picked, keys: Keys) -> list[Unusual]:
    """Return the first few images of each kind that are farthest from the median, by median absolute deviation."""
    if len(images) < FEWEST_TO_COMPARE:
        return []
    statistics = images.statistics()
    return [one for kind in KINDS for one in _unusual(kind, images, statistics, keys)]


def _unusual(name: str, images: Picked, statistics: Mapping[str, Sequence[float]], keys: Keys) -> Iterable[Unusual]:
    kind = KINDS[name]
    logs = [math.log1p(kind.low(value)) for value in statistics[kind.statistic]]
    middle = stdlib.median(logs)
    deviation = 1.4826 * stdlib.median(abs(value - middle) for value in logs)
    limit = min(middle - FAR * deviation, math.log1p(kind.low(kind.bound)))
    found = ((value, images.sha256(place), place) for place, value in enumerate(logs) if value < limit)
    for _, _, place in nsmallest(UNUSUAL_OF_A_KIND, found):
        image = images[place]
        yield Unusual(
            name=image.image.name,
            label=image.image.class_name,
            key=key_of(image, keys),
            kind=name,
            value=float(getattr(image.facts.statistics, kind.statistic)),
        )


def traits(images: Iterable[Inspected]) -> list[Trait]:
    """Return the number of images per property that the prepared copies have lost, the most frequent first."""
    counted, examples = Counter[str](), defaultdict[str, list[str]](list)
    for image in images:
        for code in image.facts.traits:
            counted[code] += 1
            examples[code] = sorted([*examples[code], image.image.name])[:EXAMPLES]
    return [
        Trait(code=code, sentence=TRAITS[code], count=count, examples=examples[code])
        for code, count in sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    ]


def cameras(images: Iterable[Inspected]) -> dict[str, int]:
    """Return the number of images by camera, from EXIF."""
    counted = Counter(image.facts.statistics.camera for image in images if image.facts.statistics.camera)
    return dict(sorted(counted.most_common(), key=lambda item: (-item[1], item[0]))[:CAMERAS])
