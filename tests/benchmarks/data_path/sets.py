"""Writes the images that are measured: Debian's Fashion-MNIST as small PNG files, and generated photographs.

A program of its own, `python -m tests.benchmarks.data_path.sets NAME FOLDER COUNT`: a process that Linux makes of a
large one counts as that large.
"""

import gzip
import io
import struct
import sys
from pathlib import Path

import numpy as np
from PIL import Image

FASHION = Path("/usr/share/datasets/fashion-mnist")
CLASSES = 10
PHOTOGRAPH_PX = (500, 375)
PATCHES = 12  # of random colour on a side, enlarged and grained, as soft as a photograph


def fashion(folder: Path, *, count: int) -> None:
    """The first images of the training set, in a folder per class; `apt-get install dataset-fashion-mnist` has them."""
    with gzip.open(FASHION / "train-images-idx3-ubyte.gz") as file:
        _, total, rows, columns = struct.unpack(">4I", file.read(16))
        images = np.frombuffer(file.read(), np.uint8).reshape(total, rows, columns)
    with gzip.open(FASHION / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    for number in range(min(count, total)):
        file = _place(folder, int(labels[number]), f"{number:06}.png")
        Image.fromarray(images[number]).save(file, compress_level=1)


def photographs(folder: Path, *, count: int) -> None:
    """JPEG files of about 35 KB, each another picture; the same in every run."""
    random = np.random.default_rng(0)
    width, height = PHOTOGRAPH_PX
    for number in range(count):
        patches = random.integers(0, 256, (PATCHES, PATCHES, 3), dtype=np.uint8)
        soft = np.asarray(Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC), np.int16)
        grain = random.integers(-12, 13, (height, width, 1), dtype=np.int16)
        data = io.BytesIO()
        Image.fromarray(np.clip(soft + grain, 0, 255).astype(np.uint8)).save(data, "JPEG", quality=80)
        _place(folder, number % CLASSES, f"{number:06}.jpg").write_bytes(data.getvalue())


def _place(folder: Path, label: int, name: str) -> Path:
    into = folder / f"class{label}"
    into.mkdir(parents=True, exist_ok=True)
    return into / name


if __name__ == "__main__":
    {"fashion": fashion, "photographs": photographs}[sys.argv[1]](Path(sys.argv[2]), count=int(sys.argv[3]))
