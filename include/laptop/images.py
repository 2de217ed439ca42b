"""The images of a demonstration: the digits that ship, or a folder of one's own, each with some images held out."""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from laptop.place import LOCAL_AWS_PYTHON, ROOT, LaptopError, Place

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff"}
HELD_OUT_IMAGES = 40  # over all classes; at most a tenth of each class
FEWEST_TO_HOLD_OUT = 5  # a class with fewer images needs them all
UPLOADS = 20
BATCH_SIZES = (1, 2, 4, 8, 16, 32)
SURELY_VALIDATING = 10  # one in so many; and one of each class


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


def own(place: Place, data: Path) -> Demonstration:
    """A classifier of one's own folder: links to its images, some held out, and a classifier file beside the state.

    Raises:
        LaptopError: the folder is absent, holds no class folders, or its name is another folder's classifier already.

    """
    folders = _class_folders(data)
    name = _classifier_name(data)
    is_new = _is_new(place, name, data)
    images, held_out = place.images / name, place.held_out / name
    for folder in (images, held_out):
        shutil.rmtree(folder, ignore_errors=True)
    split = (data / "train").is_dir() and (data / "validation").is_dir()
    share = max(1, -(-HELD_OUT_IMAGES // len(folders["validation" if split else ""])))
    for part, classes in folders.items():
        for folder in classes:
            files = sorted(
                _files(folder), key=lambda file: hashlib.sha256(str(file.relative_to(data)).encode()).digest()
            )
            count = 0 if part == "train" else min(share, max(len(files) // 10, len(files) >= FEWEST_TO_HOLD_OUT))
            _link(files[:count], folder, held_out / folder.name)
            _link(files[count:], folder, images / part / folder.name)
    if is_new:
        _write_classifier(place, name, data, batch_size=_batch_size(images))
    return Demonstration(name, choose_uploads(held_out))


def _class_folders(data: Path) -> dict[str, list[Path]]:
    """The class folders by split: "train" and "validation", or "" where the folder has no split of its own."""
    if not data.is_dir():
        raise LaptopError(f"DATA={data} is not a folder. Give one that holds a folder of images per class.")
    splits = ["train", "validation"] if (data / "train").is_dir() and (data / "validation").is_dir() else [""]
    found = {
        split: sorted(
            folder
            for folder in (data / split).iterdir()
            if folder.is_dir() and not folder.name.startswith(".") and any(_pictures(folder))
        )
        for split in splits
    }
    for split, folders in found.items():
        if len(folders) < 2:
            names = ", ".join(folder.name for folder in folders) or "none"
            message = (
                f"{data / split} must hold one folder of images per class, at least two; found: {names}. "
                "Make it <class>/<image> or train/<class>/<image> and validation/<class>/<image>."
            )
            raise LaptopError(message)
    return found


def _classifier_name(data: Path) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", data.resolve().name.lower()).strip("-")
    slug = re.sub(r"^[^a-z]+", "", slug)[:21].rstrip("-") or "images"
    shipped = (ROOT / "include/classifiers" / f"{slug}.yaml").exists()
    return f"my-{slug}" if shipped else slug


def _is_new(place: Place, name: str, data: Path) -> bool:
    """Whether the classifier has no file yet; one of the same name for other images is refused."""
    file = place.classifiers / f"{name}.yaml"
    described = (yaml.safe_load(file.read_text()) or {}).get("description") if file.exists() else None
    if described not in (None, _origin(data)):
        message = (
            f"The classifier {name} exists already and says: {described!r}. Rename the folder {data}, or delete {file} "
            f"after a run of the Dag image_classifier_teardown for {name}."
        )
        raise LaptopError(message)
    return not file.exists()


def _write_classifier(place: Place, name: str, data: Path, *, batch_size: int) -> None:
    """The classifier's file, written once; a person may edit it."""
    template = (ROOT / "include/laptop/own_images.yaml").read_text()
    place.classifiers.mkdir(parents=True, exist_ok=True)
    (place.classifiers / f"{name}.yaml").write_text(
        f"description: {_origin(data)!r}\nsource: {name}\n{template}"
        f"  mini_batch_size: {batch_size} # at most the number of validation images\n"
    )


def _origin(data: Path) -> str:
    return f"Images of {data.resolve()}"


def _batch_size(images: Path) -> int:
    """A power of two that no split is too small for; of images without a split a fifth will validate, more or less."""
    splits = [folder for folder in (images / "train", images / "validation") if folder.is_dir()]
    if splits:
        fewest = min(sum(1 for _ in _pictures(folder)) for folder in splits)
    else:
        classes = sum(1 for folder in images.iterdir() if folder.is_dir())
        fewest = max(classes, sum(1 for _ in _pictures(images)) // SURELY_VALIDATING)
    return max(size for size in BATCH_SIZES if size <= max(1, fewest))


def _link(files: list[Path], folder: Path, target: Path) -> None:
    for file in files:
        link = target / file.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file.resolve())


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.rglob("*") if file.is_file() and not file.name.startswith("."))


def _pictures(folder: Path) -> Iterator[Path]:
    return (file for file in _files(folder) if file.suffix.lower() in PICTURES)


def choose_uploads(held_out: Path) -> list[tuple[str, Path]]:
    """Up to UPLOADS held-out pictures, taken from the classes in turn."""
    classes = sorted(folder for folder in held_out.iterdir() if folder.is_dir()) if held_out.is_dir() else []
    piles = [sorted(_pictures(folder)) for folder in classes]
    turns = [
        (pile[turn], folder.name)
        for turn in range(UPLOADS)
        for pile, folder in zip(piles, classes, strict=True)
        if turn < len(pile)
    ]
    return [(label, file) for file, label in turns[:UPLOADS]]
