"""Writes scikit-learn's handwritten digits (1,797 images of 8 x 8, BSD licence) as folders of PNG files.

The local AWS's environment, which has scikit-learn, runs it: `python -m laptop.digits IMAGES HELD_OUT`. Five images of
each digit go to HELD_OUT/<digit>/; of the rest, four fifths go to IMAGES/train/<digit>/ and one fifth to
IMAGES/validation/<digit>/.
"""

import random
import shutil
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_digits

HELD_OUT_PER_CLASS = 5
VALIDATION_FRACTION = 0.2
SIDE_PX = 32
BRIGHTEST = 16.0  # enlargement of the 8 x 8 originals


def write_digits(images: Path, held_out: Path) -> None:
    """Write all digits; every call writes the same files."""
    for folder in (images, held_out):
        shutil.rmtree(folder, ignore_errors=True)
    digits = load_digits()
    for label in range(10):
        numbers = np.flatnonzero(digits.target == label).tolist()
        random.Random(label).shuffle(numbers)  # noqa: S311 - a split, not a secret
        test, rest = numbers[:HELD_OUT_PER_CLASS], numbers[HELD_OUT_PER_CLASS:]
        cut = round(len(rest) * VALIDATION_FRACTION)
        splits = {held_out: test, images / "validation": rest[:cut], images / "train": rest[cut:]}
        for split, chosen in splits.items():
            folder = split / str(label)
            folder.mkdir(parents=True)
            for number in chosen:
                _picture(digits.images[number]).save(folder / f"digit-{number:04}.png")


def _picture(pixels: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> Image.Image:
    """Return one digit as an enlarged image, white on black."""
    small = Image.fromarray((pixels * 255 / BRIGHTEST).astype(np.uint8))
    return small.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC)


if __name__ == "__main__":
    write_digits(Path(sys.argv[1]), Path(sys.argv[2]))
