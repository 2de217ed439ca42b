"""The images of a demonstration: the digits that ship, or a folder of one's own, each with some images held out."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from laptop.place import LOCAL_AWS_PYTHON, ROOT, LaptopError, Place

UPLOADS = 20


@dataclass(frozen=True)
class Demonstration:
    """A classifier, and images of known class that it has never seen."""

    classifier: str
    uploads: list[tuple[str, Path]]  # (true class, file)


def digits(place: Place) -> Demonstration:
    """The classifier that ships. Its images are written once."""
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
    """Up to UPLOADS held-out pictures, taken from the classes in turn."""
    classes = sorted(folder for folder in held_out.iterdir() if folder.is_dir()) if held_out.is_dir() else []
    piles = [sorted(_files(folder)) for folder in classes]
    turns = [
        (pile[turn], folder.name)
        for turn in range(UPLOADS)
        for pile, folder in zip(piles, classes, strict=True)
        if turn < len(pile)
    ]
    return [(label, file) for file, label in turns[:UPLOADS]]
