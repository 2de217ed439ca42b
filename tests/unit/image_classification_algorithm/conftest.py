"""Makes a small training job that any computer finishes in a second: stripes against dots, 8 pixels wide."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from image_classification_algorithm import job_log
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.training import job

HYPERPARAMETERS = {
    "num_layers": "20",
    "image_shape": "3,8,8",
    "resize": "8",
    "num_classes": "2",
    "num_training_samples": "16",
    "mini_batch_size": "4",
    "epochs": "1",
    "learning_rate": "0.01",
}
MakeJob = Callable[..., Folders]


job_log.configure()


@pytest.fixture(autouse=True)
def _one_core(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that wait for each other cost more than images of 8 pixels do."""
    monkeypatch.setattr(job, "usable_cores", lambda: 1)


def encoded(pixels: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    """The bytes of an image file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def picture(label: int, *, seed: int, size_px: int = 8) -> np.ndarray:
    """Class 0 has bright rows, class 1 bright columns, both with noise."""
    pixels = np.random.default_rng(seed).integers(0, 60, (size_px, size_px, 3), dtype=np.uint8)
    pixels[(slice(None, None, 2), slice(None)) if label == 0 else (slice(None), slice(None, None, 2))] += 180
    return pixels


@pytest.fixture
def make_job(tmp_path: Path) -> MakeJob:
    """Write the folders of a job; hyperparameters of the caller's replace the usual ones, None removes one."""

    def make(*, images: int = 16, columns: int = 1, **hyperparameters: str | None) -> Folders:
        folders = Folders(tmp_path / "ml")
        for split, first, count in (("train", 0, images), ("validation", 100, 8)):
            _write_split(folders, split, indices=range(first, first + count), columns=columns)
        given = {name: value for name, value in {**HYPERPARAMETERS, **hyperparameters}.items() if value is not None}
        folders.hyperparameters.parent.mkdir(parents=True)
        folders.hyperparameters.write_text(json.dumps(given))
        return folders

    return make


def _write_split(folders: Folders, split: str, *, indices: range, columns: int) -> None:
    channel, lists = folders.channel(split), folders.channel(f"{split}_lst")
    channel.mkdir(parents=True)
    lists.mkdir(parents=True)
    lines = []
    for index in indices:
        label = index % 2
        labels = f"{label:f}" if columns == 1 else f"{1 - label}\t{label}"
        (channel / f"{index}.png").write_bytes(encoded(picture(label, seed=index)))
        lines.append(f"{index}\t{labels}\t{index}.png\n")
    (lists / f"{split}.lst").write_text("".join(lines))


@pytest.fixture(scope="session")
def picture_bytes() -> Callable[[str], bytes]:
    """The bytes of a small picture, as a JPEG or a PNG."""
    return lambda kind: encoded(picture(1, seed=5, size_px=24), kind)
