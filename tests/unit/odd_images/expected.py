"""Says what a file that is one image must show, and what the inspection must name.

The expected picture is the values that the file was made from, not what any decoder read.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from tests.unit.odd_images.makers import Pixels, alpha_scene, grey_scene, scene

MEGABYTES_2 = 2 * 1024 * 1024
LOSSY = 3.0  # of 255: mean of the differences that JPEG, WebP and AVIF of quality 95 may make
WIDTH, HEIGHT = 60, 45


@dataclass(frozen=True)
class Pictured:
    """One file.

    Attributes:
        shows: height x width x 3 values, upright and on the white background.
        ending: of the file's name.
        traits: of `statistics.traits` for a prepared side of 32 pixels, in alphabetical order.
        differs: the mean difference of a value that is allowed.

    """

    data: bytes
    ending: str
    shows: Pixels = field(default_factory=scene)
    traits: tuple[str, ...] = ()
    differs: float = 0.0


def grey_rgb(grey: Pixels) -> Pixels:
    return np.repeat(grey[:, :, None], 3, axis=2)


def on_white(colours: Pixels, alpha: Pixels) -> Pixels:
    share = alpha[:, :, None] / 255
    return np.rint(colours * share + 255 * (1 - share)).astype(np.uint8)


Named = Iterator[tuple[str, Pictured]]
SHOWN = Image.fromarray(scene())
GREYS = {"shows": grey_rgb(grey_scene()), "traits": ("grey",)}
TRANSPARENT = {"shows": on_white(scene(), alpha_scene()), "traits": ("transparent",), "differs": 0.6}
INDICES = np.add.outer(np.arange(HEIGHT) // 15, np.arange(WIDTH) // 15).astype(np.uint8)  # 0 to 5
COLOURS = np.array([(220, 30, 30), (30, 200, 30), (30, 30, 220), (250, 240, 20), (9, 9, 9), (90, 160, 240)], np.uint8)
INDEXED = {"shows": COLOURS[INDICES], "traits": ("palette",)}
BITS = (INDICES % 2).astype(np.uint8)
