"""Refuses folders that hold parts of a data set, such as images and masks, before they are taken for classes."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.next_steps import ANNOTATED, WRITE_A_LIST, add_to_source, if_they_are, leave_out
from image_classifier.prepare.layout.part_names import is_annotation, parts_among
from image_classifier.prepare.layout.split_folders import Choice, few, is_image_name, split_word
from image_classifier.prepare.layout.top_folders import TopFolder, top_folders

_NUMBERED: Final = frozenset(("batch", "chunk", "fold", "image", "images", "img", "imgs", "part", "shard", "volume"))
_DIGITS: Final = re.compile(r"[-._ 0-9]+")
_TEXTS: Final = {".txt", ".xml", ".json"}
FEWEST: Final = 2  # top folders that can be classes


def refuse_parts(names: Sequence[str], *, where: str) -> None:
    """Refuse top folders that hold parts of a data set, and not the images of one class each.

    Args:
        names: files and folders of the source in alphabetical order, without the ignored ones.
        where: the source's name in messages.

    Raises:
        DatasetError: the message names the folder to use, or says what to do with the images.

    """
    tops = list(top_folders(names))
    if len(tops) < FEWEST or "train" in {split_word(top.name) for top in tops}:
        return
    if parts := parts_among(top.name for top in tops):
        note = f" {ANNOTATED}" if is_annotated(names) else ""
        raise DatasetError(_of_parts(parts, tops, where=where) + note)
    for top in tops:
        if top.inner:
            others = few([one.name for one in tops if one is not top])
            message = (
                f"The folder {top.inner!r} of {where} holds the folders {few(top.inner_folders)}, which make a data "
                f"set; the other folders, such as {others}, are not classes beside them. Use one data set as the "
                f"source: {add_to_source(top.inner)} {if_they_are('classes')}"
            )
            raise DatasetError(message)
    refuse_parts_of_classes(_in_folders(names), where=where, choice="classes")
    refuse_parts_of_names(_in_folders(names), where=where, choice="classes")
    _refuse_numbered(tops, where=where)


def _in_folders(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the top folder and the path below it of every file in one."""
    for name in names:
        top, slash, rest = name.partition("/")
        if slash:
            yield top, rest


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
        others = [class_name for class_name in parts if class_name not in found]
        message = (
            f"The split folders of {where} hold {few(sorted(parts))}, and {few(found)} usually mean images, "
            f"annotations or masks of all classes. {_leave_out(found, others, above='*/')} {if_they_are(choice)}"
        )
        raise DatasetError(message)
    for class_name, folders in sorted(parts.items()):
        if len(folders) > 1 and (found := sorted(one for one in folders if is_annotation(one))):
            message = (
                f"The class folder {class_name!r} of {where} holds {few(sorted(folders - {''}))}, and the images in "
                f"{few(found)} are not photographs of the class. Leave them out {leave_out(f'*/{found[0]}/*')}, or "
                f"move them elsewhere. If they are images of the class, put `layout: {choice}` there."
            )
            raise DatasetError(message)


def _of_parts(parts: Sequence[str], tops: Sequence[TopFolder], *, where: str) -> str:
    """Return the refusal of folders such as images and masks."""
    message = (
        f"The folders {few([top.name for top in tops])} of {where} are not all classes: {few(parts)} usually "
        f"{'holds' if len(parts) == 1 else 'hold'} images, annotations or masks of all classes."
    )
    with_classes = [top.name for top in tops if not is_annotation(top.name) and top.holds_classes]
    classes = [top.name for top in tops if top.name not in parts and top.has_images]
    if with_classes:
        one = "a" if len(with_classes) > 1 else "the"
        step = f"Use {one} folder that holds the classes: {add_to_source(with_classes[0])}"
    else:
        step = _leave_out(parts, classes, above="")
    return f"{message} {step} {if_they_are('classes')}"


def _leave_out(parts: Sequence[str], classes: Sequence[str], *, above: str) -> str:
    """Return the sentence that says to leave parts out if there are classes beside them, otherwise to sort the images.

    Args:
        parts: folders that are no classes.
        classes: the other folders with images.
        above: the beginning of a pattern for the folders above.

    """
    if len(classes) < FEWEST:
        return WRITE_A_LIST
    patterns = ", ".join(f'"{above}{part}/*"' for part in parts)
    return f"Leave {few(parts)} out by `exclude: [{patterns}]` in the classifier's file, or move them elsewhere."


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


def refuse_parts_of_names(images: Iterable[tuple[str, str]], *, where: str, choice: Choice) -> None:
    """Refuse classes of one letter that are initials of the folders below them, or the beginnings of the files' names.

    Raises:
        DatasetError: the message says what to do with the folders.

    """
    is_initial = is_beginning = True
    examples: dict[str, str] = {}
    for class_name, rest in images:
        if not is_image_name(rest):
            continue
        folder, slash, below = rest.partition("/")
        if len(class_name) > 1 or not slash or not (is_initial or is_beginning):
            return
        letter = class_name.lower()
        is_initial &= len(folder) > 1 and folder.lower().startswith(letter)
        is_beginning &= posixpath.basename(below).lower().startswith(letter + folder.lower())
        examples[class_name] = f"{class_name}/{folder}"
    if len(examples) < FEWEST or not (is_initial or is_beginning):
        return
    if is_initial:
        meaning = "initials of the folders below them"
        step = f"Move the class folders, such as {few(sorted(examples.values())[:3])}, one folder up."
    else:
        meaning, step = "beginnings of the images' names", WRITE_A_LIST
    message = f"The folders {few(sorted(examples))} of {where} are {meaning}, and not classes. {step}"
    raise DatasetError(f"{message} {if_they_are(choice)}")


def is_annotated(names: Sequence[str]) -> bool:
    """Return whether half of the images or more have a text of the same name, or a file is of COCO."""
    texts, images, coco = set[str](), list[str](), False
    for name in names:
        stem, ending = posixpath.splitext(posixpath.basename(name))
        if ending.lower() in _TEXTS:
            texts.add(stem)
            coco |= stem.startswith("instances_") or name.endswith(".coco.json")
        elif is_image_name(name):
            images.append(stem)
    return coco or sum(image in texts for image in images) * 2 >= len(images) > 0
