"""Prepares a demonstration of the user's own images, some of which are held out.

The library reads, inspects and assigns the images in the same way as the Dag does afterwards.
"""

import hashlib
import re
import shutil
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from image_classifier.classifier.file_kinds import no_source
from image_classifier.classifier.source import is_list
from image_classifier.contracts.errors import ClassifierFileError, DatasetError
from image_classifier.prepare.assemble import Dataset
from image_classifier.prepare.inspect_arguments import hint
from image_classifier.prepare.inspect_source import described
from image_classifier.prepare.inspection.inspector import Inspected
from image_classifier.prepare.layout.ignored import is_ignored
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.layout.split_folders import Choice
from image_classifier.prepare.placement import Placement
from image_classifier.prepare.preparation import Preparation, list_images
from image_classifier.prepare.sources.opening import open_source
from image_classifier.prepare.split import choose
from image_classifier.prepare.spool import Spool
from image_classifier.prepare.stores import NoStore
from laptop.images import Demonstration, choose_uploads
from laptop.place import ROOT, LaptopError, Place

HELD_OUT_IMAGES = 40  # for all classes together; at most a tenth of each class
FEWEST_TO_HOLD_OUT = 5  # a class with fewer images is not reduced
BATCH_SIZES = (1, 2, 4, 8, 16, 32)
TEMPLATE = "include/image_classifier/account/photographs.yaml"
HEADER = "# Written by `make demo DATA=...`; you may edit it. include/classifiers/digits.yaml explains every field."


@dataclass(frozen=True)
class _Folder:
    """The user's folder or list, the name of its classifier, the classifier's file, and how the images are read."""

    data: Path
    name: str
    file: Path
    fields: Mapping[str, Any]

    @property
    def is_list(self) -> bool:
        return is_list(self.data.name) and self.data.is_file()

    @property
    def images(self) -> Path:
        """The folder at which the names of the images start."""
        return self.data.parent if self.is_list else self.data

    @property
    def origin(self) -> str:
        return f"Images of {self.data.resolve()}"

    def values(self) -> dict[str, Any]:
        """Return the present or future fields of the classifier's file."""
        written = self.file if self.file.exists() else ROOT / TEMPLATE
        given = {name: value for name, value in self.fields.items() if value}
        return {**(yaml.safe_load(written.read_text()) or {}), "layout": None, **given}


def own(place: Place, data: Path, fields: Mapping[str, Any] | None = None) -> Demonstration:
    """Create the classifier of the user's images: links to them, some held out, and a classifier file.

    Args:
        place: the folders and ports of the demonstration.
        data: the user's folder, or a list of images such as labels.csv.
        fields: how it is read, by fields of a classifier's file: see `inspect_arguments.FIELDS`.

    Raises:
        LaptopError: the images cannot be trained on, or a classifier of this name exists for another folder.

    """
    name = _classifier_name(data)
    folder = _Folder(data, name, place.classifiers / f"{name}.yaml", fields or {})
    _check_origin(folder)
    preparation, dataset = _inspected(folder)
    _check_layout(folder, dataset)
    _check_labels(folder, dataset)
    held_out = _held_out(dataset)
    trained = _link_all(place, folder, dataset, held_out=held_out)
    _tell(dataset, trained, held_out=len(held_out))
    if not folder.file.exists():
        left = Spool.of(image for image in dataset.images if image.image.name not in held_out)
        placement = preparation.placer.place(choose(left).images)
        _write_classifier(folder, dataset, batch_size=_batch_size(placement))
    return Demonstration(name, choose_uploads(place.held_out / name))


def _inspected(folder: _Folder) -> tuple[Preparation, Dataset]:
    """Return the preparation and the data set that the Dag would make of the folder."""
    print(f"Looking at the images in {folder.data} ...", flush=True)
    try:
        classifier = described(folder.name, {**folder.values(), "source": str(folder.data)})
        source = open_source(classifier, s3=None, data_folder=Path.cwd())
        layout = list_images(classifier, source)
        preparation = Preparation(classifier, source, layout, NoStore())
        for line in preparation.introduction:
            _tell_progress(line)
        dataset = preparation.dataset(layout.classes, on_progress=_tell_progress)
    except (DatasetError, ClassifierFileError) as error:
        raise LaptopError(f"DATA={folder.data}: {error}{hint(str(error), option=_variable)}") from error
    return preparation, dataset


def _tell_progress(line: str) -> None:
    print(f"  {line}", flush=True)


def _variable(field: str) -> str:
    """Return the variable of `make demo` for a field of a classifier's file."""
    return f"{field.upper()}="


def _held_out(dataset: Dataset) -> dict[str, Inspected]:
    """Choose images to upload, by name, from test, else validation, else all; none with near-duplicates."""
    layout = dataset.layout
    part = "test" if layout.has_test else "validation" if layout.has_validation else None
    sizes = Counter(image.group for image in dataset.images)
    classes: dict[str, list[Inspected]] = defaultdict(list)
    for image in sorted(dataset.images, key=lambda one: hashlib.sha256(one.sha256.encode()).digest()):
        if image.image.split == part or part is None:
            classes[image.image.class_name].append(image)
    share = max(1, -(-HELD_OUT_IMAGES // len(dataset.labels)))
    held_out: dict[str, Inspected] = {}
    for images in classes.values():
        alone = [image for image in images if sizes[image.group] == 1]
        count = min(share, max(len(images) // 10, len(images) >= FEWEST_TO_HOLD_OUT))
        held_out |= {image.image.name: image for image in alone[:count]}
    return held_out


def _link_all(place: Place, folder: _Folder, dataset: Dataset, *, held_out: dict[str, Inspected]) -> int:
    """Link the images into folders with the usual names; return the number of those for the Dag."""
    images, uploads = place.images / folder.name, place.held_out / folder.name
    for target in (images, uploads):
        shutil.rmtree(target, ignore_errors=True)
    contents = {image.sha256 for image in held_out.values()}
    pairs = (*dataset.chosen.duplicates, *dataset.chosen.leaks)
    copies = [one.image.name for one, kept in pairs if kept.sha256 in contents]
    left = [image for image in dataset.layout.images if image.name not in {*held_out, *copies}]
    _link(left, folder, images, splits=bool(dataset.layout.splits), name=_unique if folder.is_list else _below_class)
    named = _unique_folder if folder.is_list else _below_class  # the demonstration's table shows the files' names
    _link((image.image for image in held_out.values()), folder, uploads, splits=False, name=named)
    return len(left)


def _link(
    images: Iterable[Listed], source: _Folder, target: Path, *, splits: bool, name: Callable[[Listed], str]
) -> None:
    for image in images:
        folder = target / (image.split or "train") if splits else target
        link = folder / image.class_name / name(image)
        if link.is_symlink():  # two folders may be one class: joined, in other Unicode forms, or as train-1, train-2
            link = folder / image.class_name / image.name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to((source.images / image.name).resolve())


def _below_class(image: Listed) -> str:
    """Return the name below the class's folder, or the whole name if classes have other names than their folders."""
    *folders, file = image.name.split("/")
    places = (place for place, one in enumerate(folders) if unicodedata.normalize("NFC", one) == image.class_name)
    return "/".join([*folders[next(places, -1) + 1 :], file])


def _unique(image: Listed) -> str:
    """Return a file name for an image of a list, whose path may lead out of the list's folder."""
    return _unique_folder(image).replace("/", "-")


def _unique_folder(image: Listed) -> str:
    """Return a place for an image of a list that keeps the file's name: in a folder of its own."""
    return f"{hashlib.sha256(image.name.encode()).hexdigest()[:16]}/{PurePosixPath(image.name).name}"


def _tell(dataset: Dataset, trained: int, *, held_out: int) -> None:
    layout, chosen = dataset.layout, dataset.chosen
    left_out = {
        "cannot be used": len(dataset.rejected),
        "no images": len(dataset.no_images),
        "copies of others": len(chosen.duplicates) + len(chosen.leaks),
        "in several classes": sum(map(len, chosen.conflicts)),
        "nearly like a test image": len(dataset.placement.near_test),
        "in no class folder": len(layout.ignored),
    }
    print(f"  {trained:,} files go to the Dag; its log and report.json say how each one is used", flush=True)
    print(f"  {held_out:,} are held out of the training; some of them are uploaded afterwards", flush=True)
    for words, count in left_out.items():
        if count:
            print(f"  {words}: {count:,}", flush=True)


def _classifier_name(data: Path) -> str:
    place = data.resolve()
    name = place.parent.name if is_list(place.name) and place.is_file() else place.name
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    slug = re.sub(r"^[^a-z]+", "", slug)[:21].rstrip("-") or "images"
    shipped = (ROOT / "include/classifiers" / f"{slug}.yaml").exists()
    return f"my-{slug}" if shipped else slug


def _check_origin(folder: _Folder) -> None:
    """Refuse a classifier file of the same name for other images."""
    if not (folder.data.is_dir() or folder.is_list):
        message = (
            f"DATA={folder.data} is neither a folder nor a list of images (.csv, .tsv, .txt, .jsonl, .json, .lst)."
        )
        found = f"It exists, and {no_source(folder.data.name)}" if folder.data.exists() else "It does not exist."
        raise LaptopError(f"{message} {found} Give a folder that holds a folder of images per class.")
    described = (yaml.safe_load(folder.file.read_text()) or {}).get("description") if folder.file.exists() else None
    if described not in (None, folder.origin):
        message = (
            f"The classifier {folder.name} exists already and says: {described!r}. Rename the folder {folder.data}, or "
            f"delete {folder.file} after a run of the Dag image_classifier_teardown for {folder.name}."
        )
        raise LaptopError(message)


def _check_layout(folder: _Folder, dataset: Dataset) -> None:
    """Refuse a classifier file whose `layout` differs from that of the links."""
    written = (yaml.safe_load(folder.file.read_text()) or {}).get("layout") if folder.file.exists() else None
    if written not in (None, _linked_layout(dataset)):
        message = (
            f"{folder.file} says layout: {written}, and the folders of {folder.data} are {_linked_layout(dataset)} "
            "now. Change that line, and run again."
        )
        raise LaptopError(message)


def _check_labels(folder: _Folder, dataset: Dataset) -> None:
    """Refuse labels of a list that cannot be the names of the folders with the links."""
    for label in dataset.labels:
        if "/" in label or is_ignored(label):
            message = (
                f"The label {label!r} of {folder.data} cannot be a folder's name, and `make demo` makes a folder for "
                f"each class. Rename it: CLASSES='{{new name: [{label}]}}'."
            )
            raise LaptopError(message)


def _linked_layout(dataset: Dataset) -> Choice:
    return "splits" if dataset.layout.splits else "classes"


def _write_classifier(folder: _Folder, dataset: Dataset, *, batch_size: int) -> None:
    """Write the classifier's file, unless it exists: a person may have edited it."""
    template = (ROOT / TEMPLATE).read_text()
    folder.file.parent.mkdir(parents=True, exist_ok=True)
    layout = f"layout: {_linked_layout(dataset)} # as the links to the images are laid out\n"
    folder.file.write_text(
        f"{HEADER}\ndescription: {folder.origin!r}\nsource: {folder.name}\n{layout}{template}"
        f"  mini_batch_size: {batch_size} # at most the number of validation images\n"
    )


def _batch_size(placement: Placement) -> int:
    """Return the largest allowed power of two that neither train nor validation is too small for."""
    counts = Counter(image.split for image in placement.images)
    fewest = min(counts["train"], counts["validation"])
    return max(size for size in BATCH_SIZES if size <= max(1, fewest))
