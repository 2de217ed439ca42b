"""Writes the classifier files of the scenarios, and a few dozen small images that a network learns in two epochs."""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from laptop.place import Place

SIDE_PX = 32
PER_CLASS = {"train": 20, "validation": 4}
SHADES = {"dark": 40, "light": 215}
SOURCE_IN_S3 = "s3://image-classifier-000000000000-us-east-1/photographs/"  # in the local AWS's bucket
THREE = ("ant", "bee", "cow")
COMPARED_PER_CLASS = {**PER_CLASS, "test": 60}  # a comparison needs 100 test images
FILE = """\
description: Shades of grey, to see what survives
source: {source}
hyperparameters:
  num_layers: 20
  image_shape: "3,28,28"
  epochs: {epochs}
  mini_batch_size: 8
  learning_rate: 0.05
training:
  instance_type: {instance_type}
  time_limit_s: 900
{training}"""


def write_images(
    place: Place,
    name: str = "shades",
    *,
    per_class: Mapping[str, int] = PER_CLASS,
    labels: Sequence[str] = tuple(SHADES),
    exchanged: Sequence[str] = (),
) -> Path:
    """Noise around a dark and a light grey, the same every time.

    `labels` are the names of the two; in the splits `exchanged` each image has the other's.
    """
    folder = place.images / name
    noise = random.Random(7)
    for split, count in per_class.items():
        named = labels if split not in exchanged else tuple(reversed(labels))
        for label, shade in zip(named, SHADES.values(), strict=True):
            (folder / split / label).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = bytes(shade + noise.randrange(-30, 31) for _ in range(SIDE_PX * SIDE_PX))
                picture = Image.frombytes("L", (SIDE_PX, SIDE_PX), pixels).convert("RGB")
                picture.save(folder / split / label / f"{number:02}.png")
    return folder


def write_many(folder: Path, *, images: int, broken: int) -> Path:
    """Images of three classes, no two of which look alike, and files that hold none; the same every time."""
    noise = np.random.default_rng(7)
    for number in range(images):
        file = folder / THREE[number % len(THREE)] / f"{number:05}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        if number < broken:
            file.write_bytes(b"\x89PNG\r\n\x1a\nno image")
        else:
            Image.fromarray(noise.integers(0, 256, (12, 12, 3), dtype=np.uint8)).save(file)
    return folder


def write_classifier(
    place: Place,
    name: str,
    *,
    instance_types: Sequence[str] = ("ml.g4dn.xlarge",),
    source: str = "shades",
    epochs: int = 2,
    training: str = "",
    promotion: str = "",
    preparation: str = "",
    trigger: str = "direct",
) -> None:
    """A classifier file, from which the Dag processor makes a Dag; `training` to `preparation` are lines of it."""
    first, *others = instance_types
    fallbacks = f"  instance_type_fallbacks: [{', '.join(others)}]\n" if others else ""
    text = FILE.format(source=source, epochs=epochs, instance_type=first, training=fallbacks + training) + promotion
    text += f"trigger: {trigger}\n" + preparation
    place.classifiers.mkdir(parents=True, exist_ok=True)
    (place.classifiers / f"{name}.yaml").write_text(text)
