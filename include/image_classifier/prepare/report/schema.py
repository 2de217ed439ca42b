"""Defines a data set's report.json. Lists except ``classes`` are cut to MOST_LISTED; ``counts`` has all numbers."""

from typing import Final, TypedDict

SCHEMA: Final = 2  # 1, of release 0.1, had no counts, classes, near duplicates, statistics, traits and split
MOST_LISTED: Final = 500

TRAITS: Final = {
    "cmyk": "CMYK colours, made RGB",
    "16_bit": "16 bits per value, reduced to 8",
    "dark_16_bit": "16 bits per value, all of them so low that the image is nearly black",
    "palette": "colours of a palette, made RGB",
    "transparent": "transparent pixels, drawn on white",
    "grey": "grey values only",
    "rotated": "turned upright, as EXIF says",
    "enlarged": "smaller than the network's input, and enlarged",
    "extension_differs": "the file's name promises another format",
}


class Counts(TypedDict):
    """Files of the source by what became of them; together all files that are not ignored by their names."""

    used: int
    duplicates: int
    leaks: int
    conflicts: int  # images, not groups
    near_test: int
    rejected: int
    no_images: int
    outside_classes: int


class ClassCounts(TypedDict):
    """One class.

    ``medians`` has the median over the class's images of brightness, contrast, sharpness, entropy, colourfulness,
    aspect and bytes_per_pixel. ``examples`` are S3 keys of prepared images.
    """

    label: str
    train: int
    validation: int
    test: int
    rejected: int
    left_out: int  # duplicates, leaks, conflicts and near_test
    medians: dict[str, float]
    examples: list[str]


class RejectedImage(TypedDict):
    """An image that cannot be used."""

    name: str
    label: str
    code: str  # such as truncated
    reason: str  # a sentence


class SameAs(TypedDict):
    """An image that was left out because another one has the same bytes."""

    name: str
    same_as: str


class Conflict(TypedDict):
    """Files with the same bytes in several classes; none of them is used."""

    names: list[str]
    labels: list[str]


class GroupMember(TypedDict):
    """An image of a group of near-duplicates; ``key`` is that of its prepared form."""

    name: str
    label: str
    split: str
    key: str


class Group(TypedDict):
    """Images that look nearly the same, the first of the group at the front."""

    id: str  # sha256 of the first image's file
    images: list[GroupMember]
    labels: list[str]  # more than one: perhaps a mistake
    splits: list[str]  # more than one: the source, or an earlier version, placed them so


class NearTest(TypedDict):
    """A train or validation image that was left out because a test image looks nearly the same."""

    name: str
    label: str
    split: str
    near: str  # the test image's name


class Trait(TypedDict):
    """Something that many images had, and that their prepared copies have no longer."""

    code: str
    sentence: str
    count: int
    examples: list[str]  # names


class Unusual(TypedDict):
    """An image far from the set's others. It is used: nothing is left out for its looks."""

    name: str
    label: str
    key: str
    kind: str  # dark, bright, flat or blurred
    value: float  # of the statistic


class Distribution(TypedDict):
    """A statistic over the used images: quantiles, and 50 equally wide bins from ``low`` to ``high``."""

    mean: float
    quantiles: dict[str, float]  # at 0.01, 0.05, 0.25, 0.5, 0.75, 0.95 and 0.99
    low: float
    high: float
    counts: list[int]


class SplitSettings(TypedDict):
    """What decides the split besides the images; ``named`` are the splits that the source names itself."""

    seed: int
    validation_fraction: float
    test_fraction: float
    named: list[str]


class Report(TypedDict):
    """report.json."""

    schema: int
    source: str  # what people call it
    level: str  # a sentence: which folders are the classes
    fingerprint: str
    pixels: str
    split: SplitSettings
    inspected_by: dict[str, str]
    labels: list[str]
    images: dict[str, dict[str, int]]  # used images by split and class
    counts: Counts
    classes: list[ClassCounts]
    warnings: list[str]  # sentences, the gravest first
    rejected: list[RejectedImage]
    conflicts: list[Conflict]
    duplicates: list[SameAs]
    leaks: list[SameAs]
    near_test: list[NearTest]
    near_duplicates: list[Group]
    unusual: list[Unusual]
    traits: list[Trait]
    statistics: dict[str, Distribution]
    cameras: dict[str, int]  # images by maker and model, the 20 most frequent
    no_images: list[str]  # names of files in class folders that are no images
    ignored: list[str]  # names of files in no class folder
    corrections: dict[str, int]  # used images that are corrected uploads, by the person
