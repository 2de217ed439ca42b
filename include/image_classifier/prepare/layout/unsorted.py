"""Says what a source without class folders holds instead, and what to do with it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

from image_classifier.classifier.file_kinds import DATABASE, SPREADSHEET, UNREADABLE, kind_of, of_kind
from image_classifier.prepare.layout.next_steps import ANNOTATED, WRITE_A_LIST, add_to_source
from image_classifier.prepare.layout.part_names import parts_among
from image_classifier.prepare.layout.parts import is_annotated
from image_classifier.prepare.layout.split_folders import few, is_image_name

# In which labels may be, but in no common form.
TEXTS: Final = {".txt", ".mat", ".json", ".xml", ".parquet"} | SPREADSHEET.endings | DATABASE.endings
NO_LABELS: Final = ("readme", "licen")
MOST_TEXTS: Final = 12  # with more, they belong to single images
LISTS: Final = (".csv", ".tsv", ".jsonl", ".ndjson", ".manifest", ".lst")
DVC: Final = ".dvc"  # https://dvc.org/doc/user-guide/project-structure/dvc-files
DEEPEST: Final = 2  # folders above such a text


def _about_files(files: Sequence[str]) -> str:
    """Return sentences on the files of a source that was refused; empty if nothing is known about them."""
    if windows := [name for name in files if "\\" in name]:
        return (
            f"Names such as {windows[0]!r} contain backslashes: the archive was made on Windows, and unpacked without "
            "making folders of them. Unpack it again with unzip or 7z, or rename the files."
        )
    if any(map(is_image_name, files)):
        return ANNOTATED if is_annotated(files) else ""
    return _without_images(files)


def about_dvc(files: Sequence[str]) -> str:
    """Return a sentence on the pointers of DVC among the files; empty if there are none."""
    pointers = [name for name in files if name.lower().endswith(DVC)]
    return f"DVC keeps the files of {few(pointers)} elsewhere: download them by `dvc pull`." if pointers else ""


def _without_images(files: Sequence[str]) -> str:
    if advice := about_dvc(files):
        return advice
    endings = Counter(PurePosixPath(name).suffix.lower() for name in files)
    for kind in UNREADABLE:
        if found := of_kind(files, kind):
            return f"{few(found)} {kind.many}: {kind.step.format(it='them')}."
    if files and "" not in endings:
        shown = ", ".join(ending for ending, _ in endings.most_common(5))
        known = f"No file has the name of an image; their names end in {shown}. Images are files such as .jpg and .png."
        lists = [name for name in files if name.lower().endswith(LISTS)]
        return f"{known} If images elsewhere are listed in {few(lists)}, use that as the source." if lists else known
    if files:
        return "No file has the name of an image, such as .jpg: if one file packs many images, save each as a file."
    return ""


def what_to_do(names: Sequence[str], *, place: str) -> str:
    """Return what to do with a source without class folders.

    Args:
        names: files and folders of the source, without the ignored ones.
        place: the folders to put the images into, such as ``train/<class>/``.

    """
    files = [name for name in names if not name.endswith("/")]
    known = _about_files(files)
    if known and known != ANNOTATED:
        return known
    return f"{known} {WRITE_A_LIST.replace('one folder for each class', place)}{_from_texts(files)}".strip()


def about_one_class(names: Sequence[str], class_folder: str) -> str:
    """Return what to do with a source of one class folder, which may hold the classes or unsorted images.

    Args:
        names: files and folders of the source, without the ignored ones.
        class_folder: the only class.

    """
    files = [name for name in names if not name.endswith("/")]
    known, inside = _about_files(files), [name.partition(f"{class_folder}/")[2] for name in files]
    folders = sorted({name.partition("/")[0] for name in inside if "/" in name})
    is_packed = any(kind_of(name) in UNREADABLE or "\\" in name for name in files)
    if len(folders) > 1 and not is_packed and not parts_among(folders):
        return f"If its folders {few(folders)} are the classes, {add_to_source(class_folder)}"
    if not files or (known and known != ANNOTATED):
        return known
    known = f"{known} If the images are of several classes: "
    return f"{known}{WRITE_A_LIST[0].lower()}{WRITE_A_LIST[1:]}{_from_texts(files)}".strip()


def _from_texts(files: Sequence[str]) -> str:
    """Return a sentence on the files that may hold the labels in a form that is not read as a list."""
    paths = [PurePosixPath(name) for name in files if name.count("/") <= DEEPEST]
    texts = [path for path in paths if path.suffix.lower() in TEXTS and not path.name.lower().startswith(NO_LABELS)]
    if not texts or len(texts) > MOST_TEXTS:
        return ""
    return f" The labels may be in {few([str(path) for path in texts])}: make the list from them."


def deep_classes(images: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Warn if all images are in folders below the class folders, which then may be the classes.

    Args:
        images: the class and the path below the class's folder of every file.

    """
    below = set[tuple[str, str]]()
    for name, rest in images:
        folder, slash, _ = rest.partition("/")
        if slash:
            below.add((name, folder))
        elif is_image_name(rest):
            return
    if len(below) > len(dict(below)):
        examples = few([f"{name}/{folder}" for name, folder in sorted(below)[:3]])
        yield (
            f"All images are in folders below the class folders, such as {examples}, which are not classes of their "
            "own. If they should be, move them up into the source, or write a list with the columns path and label."
        )
