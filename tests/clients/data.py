"""The images of `make client-test`: stripes and columns, as files with .lst, as RecordIO and with two labels each."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from image_classifier.contracts.training.recordio import ImageRecord, encoded, packed

if TYPE_CHECKING:
    from pathlib import Path

COUNTS = {"train": 64, "validation": 40}
SIDE_PX = 32
HYPERPARAMETERS = {
    "num_layers": "20",
    "image_shape": f"3,{SIDE_PX},{SIDE_PX}",
    "num_classes": "2",
    "num_training_samples": str(COUNTS["train"]),
    "mini_batch_size": "16",
    "epochs": "2",
    "learning_rate": "0.02",
    "resize": str(SIDE_PX),
}


def write(folder: Path) -> None:
    """Write every channel below `folder`.

    ``<split>/<number>.jpg``; ``<split>_lst/<split>.lst`` and ``<split>_multi_lst/<split>.lst`` (index, label or two
    labels of 0 and 1, path); ``<split>_rec/<split>.rec``; ``incoming/`` with two images for predictions.
    """
    for split, count in COUNTS.items():
        numbers = range(1000 * len(split), 1000 * len(split) + count)
        images = {number: picture(number) for number in numbers}
        for number, body in images.items():
            _put(folder / split / f"{number}.jpg", body)
        rows = [f"{number}\t{number % 2}\t{number}.jpg" for number in numbers]
        _put(folder / f"{split}_lst" / f"{split}.lst", "\n".join(rows).encode())
        rows = [f"{number}\t{number % 2}\t{1 - number % 2}\t{number}.jpg" for number in numbers]
        _put(folder / f"{split}_multi_lst" / f"{split}.lst", "\n".join(rows).encode())
        records = [packed(ImageRecord((float(number % 2),), number, body)) for number, body in images.items()]
        _put(folder / f"{split}_rec" / f"{split}.rec", b"".join(encoded(record) for record in records))
    for number in range(2):
        _put(folder / "incoming" / f"{number}.jpg", picture(number))


def picture(number: int) -> bytes:
    """A JPEG: even numbers have bright rows, odd ones bright columns, both with noise."""
    pixels = np.random.default_rng(number).integers(0, 100, (SIDE_PX, SIDE_PX, 3), dtype=np.uint8)
    rows, columns = (slice(None, None, 2), slice(None)), (slice(None), slice(None, None, 2))
    pixels[rows if number % 2 == 0 else columns] += 100
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def _put(file: Path, body: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
