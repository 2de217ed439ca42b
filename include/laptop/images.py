"""Provides the images of the demonstration of the digits, some of which are held out."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from laptop.place import LOCAL_AWS_PYTHON, ROOT, LaptopError, Place

UPLOADS = 20


@dataclass(frozen=True)
class Demonstration:
    """A classifier, and held-out images of known class."""

    classifier: str
    uploads: list[tuple[str, Path]]  # (true class, file)


def digits(place: Place) -> Demonstration:
    """Return the demonstration of the shipped classifier; its images are written once."""
    images, held_out = place.images / "digits", place.held_out / "digits"
    done = held_out / ".complete"
    if not done.exists():
        command = [str(LOCAL_AWS_PYTHON), "-m", "laptop.digits", str(images), str(held_out)]
        written = subprocess.run(command, check=False, env={**os.environ, "PYTHONPATH": str(ROOT / "include")})
        if written.returncode:
            raise LaptopError(f"The digits could not be written to {images}; is the disk full? See the lines above.")
        done.touch()
    return Demonstration("digits", choose_uploads(held_out))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))


def choose_uploads(held_out: Path) -> list[tuple[str, Path]]:
    """Return up to UPLOADS pairs (class, held-out image), distributed over the classes."""
    classes = sorted(folder for folder in held_out.iterdir() if folder.is_dir()) if held_out.is_dir() else []
    piles = [sorted(_files(folder)) for folder in classes]
    turns = [
        (pile[turn], folder.name)
        for turn in range(UPLOADS)
        for pile, folder in zip(piles, classes, strict=True)
        if turn < len(pile)
    ]
    return [(label, file) for file, label in turns[:UPLOADS]]
