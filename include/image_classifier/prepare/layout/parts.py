"""Refuses folders that hold parts of a data set, such as images and masks, before they are taken for classes."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.next_steps import ANNOTATED, WRITE_A_LIST, add_to_source, if_they_are, leave_out
from image_classifier.prepare.layout.split_folders import Choice, few, is_image_name, split_word
from image_classifier.prepare.layout.top_folders import TopFolder, top_folders

IMAGES: Final = frozenset(("images", "imgs", "jpegimages", "labeled", "labelled"))
FORMATS: Final = frozenset(("jpg", "jpgs", "jpeg", "jpegs", "png", "pngs"))  # parts, if half of the folders are
ANNOTATIONS: Final = frozenset(
    (
        *("annotation", "annotations", "bboxes", "groundtruth", "groundtruths", "imagesets", "labels", "masks"),
        *("segmentation", "segmentations", "segmentationclass", "segmentationobject", "trimaps", "xml", "xmls"),
        *("unlabeled", "unlabelled"),
    )
)
_PERHAPS: Final = frozenset(("image", "img", "label", "mask", "gt", "seg"))  # parts, if there are two of them
_NUMBERED: Final = frozenset(("batch", "chunk", "fold", "image", "images", "img", "imgs", "part", "shard", "volume"))
_PUNCTUATION: Final = re.compile(r"[-._ ]+")
_DIGITS: Final = re.compile(r"[-._ 0-9]+")
_TEXTS: Final = {".txt", ".xml", ".json"}
FEWEST: Final = 2  # top folders that can be classes


def parts_among(folders: Iterable[str]) -> list[str]:
    """Return the folders whose names say that they hold images, annotations or masks of all classes."""
    plain = {folder: _PUNCTUATION.sub("", folder.lower()) for folder in folders}
    found = [folder for folder, word in plain.items() if word in IMAGES | ANNOTATIONS | FORMATS | _PERHAPS]
    if len(found) * 2 < len(plain):
        found = [folder for folder in found if plain[folder] not in FORMATS]
    certain = [folder for folder in found if plain[folder] not in _PERHAPS]
    return found if len(found) > 1 else certain


def refuse_parts(names: Sequence[str], *, where: str) -> None:
    """Refuse top folders that hold parts of a data set, and not the images of one class each.

    Args:
        names: files and folders of the source in alphabetical order, without the ignored ones.
        where: the source's name in messages.

    Raises:
        DatasetError: the message names the folder to use, or says what to do with the images.

    """
    tops = list(top_folders(names))
    if len(tops) < FEWEST or any(split_word(top.name) for top in tops):
        return
    if parts := parts_among(top.name for top in tops):
        note = f" {ANNOTATED}" if is_annotated(names) else ""
        raise DatasetError(_of_parts(parts, tops, where=where) + note)
    images = (name.partition("/")[::2] for name in names if "/" in name)
    refuse_parts_of_classes(images, where=where, choice="classes")
    for top in tops:
        if top.inner:
            others = few([one.name for one in tops if one is not top])
            message = (
                f"The folder {top.inner!r} of {where} holds the folders {few(top.inner_folders)}, which make a data "
                f"set; the other folders, such as {others}, are not classes beside them. Use one data set as the "
                f"source: {add_to_source(top.inner)} {if_they_are('classes')}"
            )
            raise DatasetError(message)
    _refuse_numbered(tops, where=where)
    _refuse_initials(tops, where=where)


def refuse_parts_of_classes(images: Iterable[tuple[str, str]], *, where: str, choice: Choice) -> None:
    """Refuse classes that are parts of a data set, and classes with folders of masks or annotations.

    Args:
        images: the class and the path below the class's folder of every file.
        where: the source's name in messages.
        choice: the layout that the folders have.

    Raises:
        DatasetError: the message says what to leave out.

    """
    parts: dict[str, set[str]] = defaultdict(set)
    for class_name, rest in images:
        if is_image_name(rest):
            parts[class_name].add(rest.partition("/")[0] if "/" in rest else "")
    if choice == "splits" and (found := parts_among(parts)):
        message = (
            f"The split folders of {where} hold {few(sorted(parts))}, and {few(found)} usually mean images, "
            f"annotations or masks of all classes. {WRITE_A_LIST} {if_they_are(choice)}"
        )
        raise DatasetError(message)
    for class_name, folders in sorted(parts.items()):
        if len(folders) > 1 and (found := sorted(one for one in folders if _is_annotation(one))):
            message = (
                f"The class folder {class_name!r} of {where} holds {few(sorted(folders - {''}))}, and the images in "
                f"{few(found)} are not photographs of the class. Leave them out {leave_out(f'*/{found[0]}/*')}, or "
                f"move them elsewhere. If they are images of the class, put `layout: {choice}` there."
            )
            raise DatasetError(message)


def _is_annotation(folder: str) -> bool:
    return _PUNCTUATION.sub("", folder.lower()) in ANNOTATIONS | {"mask"}


def _of_parts(parts: Sequence[str], tops: Sequence[TopFolder], *, where: str) -> str:
    """Return the refusal of folders such as images and masks."""
    message = (
        f"The folders {few([top.name for top in tops])} of {where} are not all classes: {few(parts)} usually "
        f"{'holds' if len(parts) == 1 else 'hold'} images, annotations or masks of all classes."
    )
    with_classes = [top.name for top in tops if not _is_annotation(top.name) and top.holds_classes]
    if len(with_classes) == 1:
        step = f"Use the folder that holds the classes: {add_to_source(with_classes[0])}"
    elif unlabelled := [part for part in parts if part.lower().startswith("unlabel")]:
        step = f"Leave {few(unlabelled)} out {leave_out(f'{unlabelled[0]}/*')}."
    else:
        step = WRITE_A_LIST
    return f"{message} {step} {if_they_are('classes')}"


def _refuse_numbered(tops: Sequence[TopFolder], *, where: str) -> None:
    """Refuse folders such as part_1 and part_2, which differ in numbers alone."""
    words = {tuple(filter(None, _DIGITS.split(top.name.lower()))) for top in tops}
    if len(words) > 1 or not (found := words.pop()) or found[-1] not in _NUMBERED:
        return
    if all(top.has_images and len(top.inside) <= 1 for top in tops):
        message = (
            f"The folders {few([top.name for top in tops])} of {where} look like numbered parts of one set of images, "
            f"and not like classes. {WRITE_A_LIST} {if_they_are('classes')}"
        )
        raise DatasetError(message)


def _refuse_initials(tops: Sequence[TopFolder], *, where: str) -> None:
    """Refuse folders of one letter that hold class folders which begin with it."""
    for top in tops:
        starts = (folder.lower().startswith(top.name.lower()) for folder in top.inside)
        if len(top.name) > 1 or top.has_loose or not top.inside or not all(starts):
            return
    examples = [f"{top.name}/{min(top.inside)}" for top in tops[:3]]
    message = (
        f"The folders {few([top.name for top in tops])} of {where} are initials of the folders below them, and not "
        f"classes. Move the class folders, such as {few(examples)}, up into the source itself. {if_they_are('classes')}"
    )
    raise DatasetError(message)


def is_annotated(names: Sequence[str]) -> bool:
    """Whether half of the images or more have a text of the same name, or a file is of COCO."""
    texts, images, coco = set[str](), list[str](), False
    for name in names:
        stem, ending = posixpath.splitext(posixpath.basename(name))
        if ending.lower() in _TEXTS:
            texts.add(stem)
            coco |= stem.startswith("instances_") or name.endswith(".coco.json")
        elif is_image_name(name):
            images.append(stem)
    return coco or sum(image in texts for image in images) * 2 >= len(images) > 0
