"""The classifiers of the scenarios: a few dozen small images that a network learns in two epochs, and a file each."""

import random
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from laptop.place import Place

SIDE_PX = 32
PER_CLASS = {"train": 20, "validation": 4}
SHADES = {"dark": 40, "light": 215}
FILE = """\
description: Shades of grey, to see what survives
source: shades
hyperparameters:
  num_layers: 20
  image_shape: "3,28,28"
  epochs: 2
  mini_batch_size: 8
  learning_rate: 0.05
training:
  instance_type: {instance_type}
  time_limit_s: 900
{fallbacks}"""


def write_images(place: Place) -> Path:
    """Noise around a dark and a light grey, the same every time."""
    folder = place.images / "shades"
    noise = random.Random(7)
    for split, count in PER_CLASS.items():
        for label, shade in SHADES.items():
            (folder / split / label).mkdir(parents=True, exist_ok=True)
            for number in range(count):
                pixels = bytes(shade + noise.randrange(-30, 31) for _ in range(SIDE_PX * SIDE_PX))
                picture = Image.frombytes("L", (SIDE_PX, SIDE_PX), pixels).convert("RGB")
                picture.save(folder / split / label / f"{number:02}.png")
    return folder


def write_classifier(place: Place, name: str, *, instance_types: Sequence[str] = ("ml.g4dn.xlarge",)) -> None:
    """A classifier file, from which the Dag processor makes a Dag."""
    first, *others = instance_types
    fallbacks = f"  instance_type_fallbacks: [{', '.join(others)}]\n" if others else ""
    place.classifiers.mkdir(parents=True, exist_ok=True)
    (place.classifiers / f"{name}.yaml").write_text(FILE.format(instance_type=first, fallbacks=fallbacks))
