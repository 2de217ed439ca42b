"""What the folders of a source mean: which file is of which class, and whether the source is split already."""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from image_classifier.contracts.errors import DatasetError

Split = Literal["train", "validation", "test"]
LISTED: tuple[Split, Split] = ("train", "validation")  # what a training job is given
SPLITS: tuple[Split, Split, Split] = (*LISTED, "test")
SPLIT_WORDS = {"train", "training", "val", "valid", "validation", "test"}


@dataclass(frozen=True)
class Listed:
    """An image file of the source; ``split`` is None while nobody has decided."""

    name: str
    class_name: str
    split: Split | None


@dataclass(frozen=True)
class Layout:
    """A source's images, its classes in alphabetical order, and the files that are in no class."""

    images: tuple[Listed, ...]
    classes: tuple[str, ...]
    is_split: bool
    ignored: tuple[str, ...]

    @property
    def has_test(self) -> bool:
        """Whether the source says itself which images are for tests."""
        return any(image.split == "test" for image in self.images)


def read_layout(names: Iterable[str], *, where: str) -> Layout:
    """Read ``train/<class>/...`` with ``validation/<class>/...`` and perhaps ``test/<class>/...``, or ``<class>/...``.

    Folders below a class's belong to it. Whatever is hidden (a name that begins with a dot) does not exist.

    Raises:
        DatasetError: the folders do not say which class or split an image is of.

    """
    visible = sorted(name for name in names if not any(part.startswith(".") for part in name.split("/")))
    top = sorted({name.partition("/")[0] for name in visible if name.find("/") > 0})
    is_split = _is_split(top, where=where)
    images, folders, ignored = [], set[tuple[Split | None, str]](), []
    for name in visible:
        split, below = _split_of(name) if is_split else (None, name)
        class_folder, slash, rest = below.partition("/")
        if slash and class_folder:
            class_name = _class_name(class_folder, where=where)
            folders.add((split, class_name))
            if rest and not rest.endswith("/"):
                images.append(Listed(name, class_name, split))
        elif not name.endswith("/"):
            ignored.append(name)
    classes = _classes(folders, is_split=is_split, files=len(ignored), where=where)
    _check_every_class_has_files(images, classes, where=where)
    return Layout(tuple(images), classes, is_split, tuple(ignored))


def _is_split(top: list[str], *, where: str) -> bool:
    if top in (sorted(LISTED), sorted(SPLITS)):
        return True
    if suspicious := [folder for folder in top if folder.lower() in SPLIT_WORDS]:
        message = (
            f"It is not clear which folders of {where} are classes: found {_few(top)}, of which {_few(suspicious)} may "
            "be a split or a class. Use exactly train/<class>/ and validation/<class>/ (and test/<class>/), or "
            "class folders alone with none of these names (a class that is called so needs the first form)."
        )
        raise DatasetError(message)
    return False


def _split_of(name: str) -> tuple[Split | None, str]:
    first, _, rest = name.partition("/")
    for split in SPLITS:
        if first == split:
            return split, rest
    return None, first


def _class_name(folder: str, *, where: str) -> str:
    """The folder's name in Unicode's composed form: a Mac writes é as two characters, Linux as one."""
    try:
        folder.encode()
    except UnicodeEncodeError as error:
        message = f"Class folder {folder!r} of {where} has a name that is not Unicode text (UTF-8); rename it."
        raise DatasetError(message) from error
    return unicodedata.normalize("NFC", folder)


def _classes(folders: set[tuple[Split | None, str]], *, is_split: bool, files: int, where: str) -> tuple[str, ...]:
    train = sorted({name for split, name in folders if split in ("train", None)})
    if not train:
        found = f"{files} files that are in no class folder" if files else "no folder"
        place = "train/<class>/ and validation/<class>/" if is_split else "one folder per class"
        raise DatasetError(f"No classes in {where}: found {found}. Put the images into {place}.")
    for part in ("validation", "test"):
        if unknown := sorted({name for split, name in folders if split == part} - set(train)):
            message = (
                f"{part.capitalize()} has classes that train lacks, in {where}: {_few(unknown)}; train has "
                f"{_few(train)}. Add training images of them, or take them out of {part}."
            )
            raise DatasetError(message)
    if len(train) == 1:
        message = (
            f"Only one class in {where}: {train[0]!r}. A classifier tells at least two classes apart; add another."
        )
        raise DatasetError(message)
    return tuple(train)


def _check_every_class_has_files(images: list[Listed], classes: tuple[str, ...], *, where: str) -> None:
    trained = {image.class_name for image in images if image.split in ("train", None)}
    if empty := [name for name in classes if name not in trained]:
        message = f"Classes without a training image in {where}: {_few(empty)}. Add images, or delete these folders."
        raise DatasetError(message)
    if not any(image.split in ("validation", None) for image in images):
        message = f"Validation of {where} has no image. Add some, or put the classes beside each other without train/."
        raise DatasetError(message)


def _few(names: list[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:8])
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8} more"
