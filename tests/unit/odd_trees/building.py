"""Builds folder trees of small images on disk."""

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tests.unit.odd_images.makers import png


@dataclass(frozen=True)
class Tree:
    """A source on disk.

    Attributes:
        images: the number of images by folder.
        files: bytes by path; an image under an odd name is IMAGE.
        links: the target by path of the link; a relative target starts at the link's folder.
        folders: empty ones.
        also: does what is left, with the folder.

    """

    images: Mapping[str, int]
    files: Mapping[str, bytes] | Sequence[str] = ()
    links: Mapping[str, str] | None = None
    folders: Sequence[str] = ()
    also: Callable[[Path], object] | None = None

    def build(self, folder: Path) -> Path:
        """Write the tree; the same tree has the same images."""
        number = 0
        for place, count in self.images.items():
            for at in range(count):
                write(folder / place / f"{at}.png", image(number))
                number += 1
        named = self.files if isinstance(self.files, Mapping) else dict.fromkeys(self.files, b"text")
        for place, body in named.items():
            write(folder / place, body)
        for place in self.folders:
            (folder / place).mkdir(parents=True)
        for place, target in (self.links or {}).items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).symlink_to(target)
        if self.also:
            self.also(folder)
        return folder


def image(number: int) -> bytes:
    """Return a PNG of one colour; another number is another one."""
    return png(np.full((4, 5, 3), (number % 256, number // 256, 99), np.uint8))


def write(file: Path, body: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)


def pets(*above: str, count: int = 3) -> dict[str, int]:
    """Return folders cat and dog below each of these."""
    return {f"{folder}/{name}".lstrip("/"): count for folder in above or ("",) for name in ("cat", "dog")}


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "cat" / "pipe.png")


def undecodable(*parts: bytes) -> str:
    """Return a path as Python names what is no UTF-8."""
    return os.fsdecode(b"/".join(parts))


def shuffled(names: Sequence[str]) -> list[str]:
    return random.Random(0).sample(names, len(names))
