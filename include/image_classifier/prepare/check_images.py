"""Selects validation images with which the endpoint and the function are checked."""

from collections import defaultdict
from itertools import chain, islice, zip_longest

from pydantic import BaseModel, ConfigDict

from image_classifier.aws.names import Keys
from image_classifier.prepare.assemble import Dataset
from image_classifier.prepare.inspection.inspector import Inspected

CHECK_IMAGES = 5


class CheckImage(BaseModel):
    """A validation image and its label, for the check of the endpoint."""

    model_config = ConfigDict(frozen=True)

    key: str
    label: str


def check_images(dataset: Dataset, *, keys: Keys) -> tuple[CheckImage, ...]:
    """Return five validation images: the first of each class, then the second of each, and so on."""
    by_class: dict[str, list[Inspected]] = defaultdict(list)
    for image in dataset.of("validation"):
        if len(by_class[image.image.class_name]) < CHECK_IMAGES:
            by_class[image.image.class_name].append(image)
    in_order = (by_class[label] for label in dataset.labels if label in by_class)
    in_turn = (image for image in chain.from_iterable(zip_longest(*in_order)) if image)
    return tuple(
        CheckImage(key=keys.split(image.split) + image.path, label=image.image.class_name)
        for image in islice(in_turn, CHECK_IMAGES)
    )
