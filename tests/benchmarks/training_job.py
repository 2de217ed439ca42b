"""Lays out a training job's folders for a benchmark, runs it as a container would, and prints what it took."""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from image_classifier.contracts.pixels import PixelParameters, prepare
from image_classifier.contracts.training import image_list
from image_classifier.contracts.training.image_list import Entry

INCLUDE = Path(__file__).resolve().parents[2] / "include"
FIRST_INDEX = {"train": 0, "validation": 1_000_000}  # an index is unique in a job
SplitImages = list[tuple[str, bytes]]  # (class, file)
ACCURACY = re.compile(r"Epoch\[\d+\] Validation-accuracy=([0-9.]+)")


def by_class(folder: Path) -> dict[str, list[bytes]]:
    """The files of each folder in a folder, by its name."""
    return {
        inner.name: [path.read_bytes() for path in sorted(inner.iterdir())]
        for inner in sorted(folder.iterdir())
        if inner.is_dir()
    }


def prepare_job(
    base: Path, images: Mapping[str, list[bytes]], *, side_px: int, hyperparameters: dict[str, str]
) -> None:
    """Write both splits: 80 and 20 % of each class, seed 0."""
    splits: dict[str, SplitImages] = {"train": [], "validation": []}
    for name in sorted(images):
        order = list(range(len(images[name])))
        random.Random(f"0 {name}").shuffle(order)
        for position, number in enumerate(order):
            split = "validation" if position < len(order) * 0.2 else "train"
            splits[split].append((name, images[name][number]))
    prepare_splits(base, splits, side_px=side_px, hyperparameters=hyperparameters)


def prepare_splits(
    base: Path, splits: Mapping[str, SplitImages], *, side_px: int, hyperparameters: dict[str, str]
) -> None:
    """Write the images through the package's own pixels, the lists in a seeded order, and the hyperparameters."""
    parameters = PixelParameters(side_px=side_px)
    classes = sorted({name for images in splits.values() for name, _ in images})
    for split, images in splits.items():
        entries: list[Entry] = []
        for number, (name, content) in enumerate(images):
            path = f"{name}/{number}.jpg"
            file = base / "input/data" / split / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(prepare(content, parameters).jpeg)
            entries.append(Entry(FIRST_INDEX[split] + number, (float(classes.index(name)),), path))
        folder = base / f"input/data/{split}_lst"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{split}.lst").write_text(image_list.dumps(image_list.shuffled(entries, seed="0")))
    values = {
        "image_shape": f"3,{side_px},{side_px}",
        "resize": str(side_px),
        "num_classes": str(len(classes)),
        "num_training_samples": str(len(splits["train"])),
        **hyperparameters,
    }
    (base / "input/config").mkdir(parents=True, exist_ok=True)
    (base / "input/config/hyperparameters.json").write_text(json.dumps(values))


def run(base: Path) -> None:
    """Train, with the log on the screen; then one line with the best accuracy and the time of the whole process."""
    environ = {**os.environ, "SAGEMAKER_BASE_DIR": str(base), "PYTHONPATH": str(INCLUDE)}
    command = [sys.executable, "-m", "image_classification_algorithm", "train"]
    started, accuracies = time.monotonic(), []
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or []:
            print(line, end="", flush=True)
            accuracies += [float(accuracy) for accuracy in ACCURACY.findall(line)]
    seconds = time.monotonic() - started
    load = os.getloadavg()[0]
    print(f"best validation accuracy {max(accuracies, default=0):.4f} in {seconds:.1f} s (load {load:.1f})")
