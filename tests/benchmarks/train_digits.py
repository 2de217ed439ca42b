"""Handwritten digits with the shipped classifier's hyperparameters: at least 98 % within a minute on two cores.

PYTHONPATH=include .venv/local-aws/bin/python tests/benchmarks/train_digits.py [hyperparameter=value ...]
"""

import io
import sys
import tempfile
from pathlib import Path

import yaml
from PIL import Image
from sklearn.datasets import load_digits
from training_job import INCLUDE, prepare_job, run


def digits() -> dict[str, list[bytes]]:
    """The images as PNG files by class."""
    loaded = load_digits()
    images: dict[str, list[bytes]] = {}
    for pixels, label in zip(loaded.images, loaded.target, strict=True):
        buffer = io.BytesIO()
        Image.fromarray((pixels * 255 / 16).astype("uint8")).save(buffer, "PNG")
        images.setdefault(str(label), []).append(buffer.getvalue())
    return images


if __name__ == "__main__":
    shipped = yaml.safe_load((INCLUDE / "classifiers/digits.yaml").read_text())["hyperparameters"]
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        hyperparameters = {name: str(value) for name, value in {**shipped, **given}.items()}
        side_px = int(hyperparameters["image_shape"].split(",")[1])
        prepare_job(Path(folder), digits(), side_px=side_px, hyperparameters=hyperparameters)
        run(Path(folder))
