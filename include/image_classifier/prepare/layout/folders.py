"""Determines the class and the split of every file from the folders of a source."""

import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.layout.companions import refuse_masks, twins
from image_classifier.prepare.layout.copies import copied_folders
from image_classifier.prepare.layout.ignored import hidden_classes, is_ignored_path
from image_classifier.prepare.layout.images import Listed, ListedImages
from image_classifier.prepare.layout.next_steps import add_or_join, if_they_are, leave_out
from image_classifier.prepare.layout.part_names import parts_among
from image_classifier.prepare.layout.parts import refuse_parts, refuse_parts_of_classes, refuse_parts_of_names
from image_classifier.prepare.layout.renaming import Renaming
from image_classifier.prepare.layout.repository import refuse_outer_folder
from image_classifier.prepare.layout.split_folders import Choice, Split, Top, decide_top, few, is_image_name, split_word
from image_classifier.prepare.layout.unsorted import about_one_class, deep_classes, what_to_do
from image_classifier.prepare.sources.source import File, Files

LISTED: tuple[Split, Split] = ("train", "validation")  # the splits of a training job
ANNOTATION_ENDINGS: Final = {".txt", ".xml", ".json", ".csv", ".yaml", ".yml"}  # of YOLO, Pascal VOC, COCO and others
UNCHANGED: Final = Renaming()
SPLITS: tuple[Split, Split, Split] = (*LISTED, "test")


@dataclass(frozen=True)
class Layout:
    """A source's images and its classes in alphabetical order.

    Attributes:
        splits: the splits that the source names, each with at least one image; empty if this package splits the images.
        ignored: files outside class folders.
        level: a sentence that says which folders are the classes.
        warnings: sentences for people.

    """

    images: Sequence[Listed]
    classes: tuple[str, ...]
    splits: tuple[Split, ...]
    ignored: tuple[str, ...]
    level: str
    warnings: tuple[str, ...] = ()

    @property
    def has_validation(self) -> bool:
        """Return whether the source names its validation images."""
        return "validation" in self.splits

    @property
    def has_test(self) -> bool:
        """Return whether the source names its test images."""
        return "test" in self.splits


def read_layout(
    files: Iterable[File], *, where: str, choice: Choice | None = None, renaming: Renaming = UNCHANGED
) -> Layout:
    """Read ``<class>/...``, or ``train/<class>/...`` and optionally ``validation/<class>/...``, ``test/<class>/...``.

    Folders below a class folder belong to the class. Files and folders of `ignored.is_ignored` are skipped. In a source
    without validation images, the images in ``train`` have no split yet: some of them are used for validation.

    Raises:
        DatasetError: the folders do not say which class or split an image is of.

    """
    listed = files if isinstance(files, Files) else Files(files)
    visible = listed.chosen(lambda name: not is_ignored_path(name))
    copied = () if choice else copied_folders(visible)
    ignored = [name for name in visible.names if name.partition("/")[0] in copied and not name.endswith("/")]
    if copied:
        visible = Files(file for file in visible if file.name.partition("/")[0] not in copied)
    names = visible.names
    top = _top(names, where=where, choice=choice)
    roots = {folder: _root(names, folder) for folder in top.splits} or {"": ""}
    images, originals, folders = ListedImages(), set[str](), set[tuple[Split | None, str]]()
    for file in visible:
        split, below = _below(file.name, top=top, roots=roots)
        class_folder, slash, rest = below.partition("/")
        if slash and class_folder:
            original = _class_name(class_folder, where=where)
            class_name = renaming.of(original)
            originals.add(original)
            folders.add((split, class_name))
            if rest and not rest.endswith("/"):
                images.add(file.name, class_name, split, file.stamp)
        elif not file.name.endswith("/"):
            ignored.append(file.name)
    renaming.check(originals, where=where)
    _check_classes(folders, names, is_split=bool(top.splits), where=where)
    _check_every_class_has_files(images, folders, top=top, where=where)
    _check_no_class_is_of_annotations(images, where=where)
    if choice is None:
        _refuse_what_is_no_class(images, top, roots, where=where)
    layout = layout_of(images, where=where, level=_level(sorted(originals), top, roots) + renaming.level)
    warnings = (
        *top.warnings,
        *_unused(top, layout.splits),
        *_copied(copied),
        *hidden_classes(listed.names, roots.values()),
        *deep_classes(_below_classes(images, top, roots)),
        *twins(images.names),
    )
    return replace(layout, ignored=tuple(ignored), warnings=warnings)


def _top(names: Sequence[str], *, where: str, choice: Choice | None) -> Top:
    if choice is None:
        refuse_outer_folder(names, where=where)
        refuse_parts(names, where=where)
    return decide_top(names, where=where, choice=choice)


def _refuse_what_is_no_class(images: ListedImages, top: Top, roots: Mapping[str, str], *, where: str) -> None:
    if top.splits:
        refuse_parts_of_classes(_below_classes(images, top, roots), where=where, choice="splits")
        refuse_parts_of_names(_below_classes(images, top, roots), where=where, choice="splits")
    refuse_masks(images.names, where=where, choice="splits" if top.splits else "classes")


def _below_classes(images: ListedImages, top: Top, roots: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield the class and the path below the class's folder of every image."""
    for class_name, name in zip(images.class_names, images.names, strict=True):
        yield class_name, _below(name, top=top, roots=roots)[1].partition("/")[2]


def layout_of(images: ListedImages, *, where: str, level: str) -> Layout:
    """Return the layout of images whose classes and splits are known.

    Raises:
        DatasetError: there are fewer than two classes, or validation or test has classes that train lacks.

    """
    folders = images.named()
    _check_classes(folders, (), is_split=False, where=where)
    found = {split for split, _ in folders}
    named: tuple[Split, ...] = tuple(split for split in SPLITS if split in found)
    classes = tuple(sorted({class_name for _, class_name in folders}))
    return Layout(images if "validation" in named else images.unsplit(), classes, named, (), level)


def _root(names: Iterable[str], folder: str) -> str:
    """Return the folder with a split's class folders: the split's folder, or its only subfolder with folders."""
    inside = [name.removeprefix(f"{folder}/") for name in names if name.startswith(f"{folder}/")]
    folders = {name.partition("/")[0] for name in inside if "/" in name}
    if len(folders) != 1 or any("/" not in name and is_image_name(name) for name in inside):
        return f"{folder}/"
    only = next(iter(folders))
    deeper = {name.split("/")[1] for name in inside if name.count("/") > 1 and name.split("/")[0] == only}
    if split_word(only) == split_word(folder) or parts_among([only]):
        return f"{folder}/{only}/"  # images right in it are not sorted by class
    holds_images = any(name.count("/") == 1 and is_image_name(name) for name in inside)
    return f"{folder}/{only}/" if len(deeper) > 1 and not holds_images else f"{folder}/"


def _below(name: str, *, top: Top, roots: Mapping[str, str]) -> tuple[Split | None, str]:
    """Return the split of a file's folders, and the rest of its name, which is empty outside class folders."""
    if not top.splits:
        return None, name
    folder = name.partition("/")[0]
    if folder not in top.splits or not name.startswith(roots[folder]):
        return None, ""
    return top.splits[folder], name.removeprefix(roots[folder])


def _level(classes: Sequence[str], top: Top, roots: Mapping[str, str]) -> str:
    if not top.splits:
        return f"The classes are the folders of the source: {few(classes)}."
    places = ", ".join(f"{root} ({top.splits[folder]})" for folder, root in roots.items())
    return f"The classes are the folders below {places}: {few(classes)}."


def _unused(top: Top, named: Sequence[Split]) -> Iterable[str]:
    if without := [folder for folder, split in top.splits.items() if split not in named]:
        yield f"The folders {few(without)} hold no class folder with images, and what lies in them is not used."
    if top.unused:
        yield f"The folders {few(top.unused)} are neither a split nor a class, and their images are not used."


def _copied(folders: Sequence[str]) -> Iterable[str]:
    if folders:
        yield (
            f"The folders {few(folders)} repeat images of the source, by their names and sizes, and what lies in them "
            "is not used. If these are other images, set `layout` in the classifier's file."
        )


def _class_name(folder: str, *, where: str) -> str:
    """Return the folder's name in Unicode's composed form: macOS writes é as two characters, Linux as one."""
    try:
        folder.encode()
    except UnicodeEncodeError as error:
        message = f"Class folder {folder!r} of {where} has a name that is not Unicode text (UTF-8); rename it."
        raise DatasetError(message) from error
    return sys.intern(unicodedata.normalize("NFC", folder))  # one text for all images of the class


def _check_classes(folders: set[tuple[Split | None, str]], names: Sequence[str], *, is_split: bool, where: str) -> None:
    train = sorted({name for split, name in folders if split in ("train", None)})
    if not train and folders and not names:
        found = " and ".join(sorted({str(split) for split, _ in folders}))
        raise DatasetError(f"No training image in {where}: all are for {found}. Add a list or rows of training images.")
    if not train:
        files = sum(not name.endswith("/") for name in names)
        found = f"{files} files that are in no class folder" if files else "no folder"
        place = "train/<class>/ and validation/<class>/" if is_split else "one folder per class"
        way_out = f" {if_they_are('classes')}" if is_split and files else ""
        raise DatasetError(f"No classes in {where}: found {found}. {what_to_do(names, place=place)}{way_out}")
    for part in ("validation", "test"):
        if unknown := sorted({name for split, name in folders if split == part} - set(train)):
            message = f"{part.capitalize()} has classes that train lacks, in {where}: {few(unknown)}; train has "
            raise DatasetError(
                f"{message}{few(train)}. {add_or_join(unknown[0], train, part=part, in_folders=bool(names))}"
            )
    if len(train) == 1:
        message = (
            f"Only one class in {where}: {train[0]!r}. A classifier tells at least two classes apart; add another."
        )
        raise DatasetError(f"{message} {about_one_class(names, train[0])}".strip())


def _check_every_class_has_files(
    images: ListedImages, folders: set[tuple[Split | None, str]], *, top: Top, where: str
) -> None:
    named = images.named()
    trained = {class_name for split, class_name in named if split in ("train", None)}
    if empty := sorted({name for split, name in folders if split in ("train", None)} - trained):
        message = f"Classes without a training image in {where}: {few(empty)}. Add images, or delete these folders."
        raise DatasetError(message)
    if "validation" in top.splits.values() and not any(split == "validation" for split, _ in named):
        folder = next(folder for folder, split in top.splits.items() if split == "validation")
        message = (
            f"Validation of {where} has no image in a class folder. Add some; or delete the folder, or leave it out "
            f"{leave_out(f'{folder}/*')}: then some of train's images validate."
        )
        raise DatasetError(message)


def _check_no_class_is_of_annotations(images: ListedImages, *, where: str) -> None:
    """Refuse class folders with texts alone, as data sets of object detection have beside their images."""
    suffixes: dict[str, set[str]] = defaultdict(set)
    with_others = set[str]()
    for class_name, name in zip(images.class_names, images.names, strict=True):
        if class_name not in with_others:
            suffix = PurePosixPath(name).suffix.lower()
            suffixes[class_name].add(suffix)
            if suffix not in ANNOTATION_ENDINGS:
                with_others.add(class_name)
    if texts := sorted(suffixes.keys() - with_others):
        endings = ", ".join(sorted(set[str]().union(*(suffixes[name] for name in texts))))
        message = (
            f"Classes without an image in {where}: {few(texts)} hold only files that end in {endings}. If they are "
            "labels or annotations of the other folders' images, put the images into one folder for each class, or "
            "write labels.csv with the columns path and label; otherwise delete them, or leave them out "
            f"{leave_out(f'*{texts[0]}/*')}."
        )
        raise DatasetError(message)
