"""Fashion-MNIST on ResNet-20 at 28 pixels: at least 87 % of its 10,000 test images within two minutes on two cores.

The data is Debian's: `apt-get install dataset-fashion-mnist`. Of its 60,000 training images a seeded part is used: two
cores see about 300 images a second, and what they saw twice they know better. Nothing else runs: threads may spin.

PYTHONPATH=include .venv/local-aws/bin/python tests/benchmarks/train_fashion.py [FOLDER [hyperparameter=value ...]]
"""

import gzip
import io
import os
import random
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from training_job import SplitImages, prepare_splits, run

FOLDER = Path("/usr/share/datasets/fashion-mnist")
TRAINING_IMAGES, SIDE_PX = 14_000, 28
HYPERPARAMETERS = {
    "num_layers": "20",
    "optimizer": "nag",
    "epochs": "2",
    "mini_batch_size": "32",
    "learning_rate": "0.1",
    "lr_scheduler_step": "1",
}


def split(folder: Path, name: str, *, most: int) -> SplitImages:
    """(class, PNG) of a part of one split, chosen by seed 0."""
    labels = np.frombuffer(gzip.decompress((folder / f"{name}-labels-idx1-ubyte.gz").read_bytes())[8:], np.uint8)
    content = gzip.decompress((folder / f"{name}-images-idx3-ubyte.gz").read_bytes())[16:]
    images = np.frombuffer(content, np.uint8).reshape(-1, SIDE_PX, SIDE_PX)
    chosen = random.Random("0").sample(range(len(labels)), min(most, len(labels)))
    return [(str(labels[number]), _png(images[number])) for number in chosen]


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    os.environ.setdefault("OMP_WAIT_POLICY", "ACTIVE")
    given = dict(argument.split("=", 1) for argument in sys.argv[2:])
    splits = {
        "train": split(folder, "train", most=TRAINING_IMAGES),
        "validation": split(folder, "t10k", most=10_000),
    }
    with tempfile.TemporaryDirectory() as base:
        prepare_splits(Path(base), splits, side_px=SIDE_PX, hyperparameters={**HYPERPARAMETERS, **given})
        run(Path(base))
