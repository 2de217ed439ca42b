"""Finds lists of labels in a source of folders, compares them with the folders, and says how to use them."""

import csv
import io
import json
import posixpath
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath
from typing import Final

from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.prepare.layout.ignored import is_ignored_path
from image_classifier.prepare.layout.split_folders import WORDS, few, is_image_name, split_word
from image_classifier.prepare.sources.found_paths import Images, stem_of
from image_classifier.prepare.sources.rows import LABELS, PATHS, SPLITS
from image_classifier.prepare.sources.source import File, Source

ENDINGS: Final = (".csv", ".tsv", ".jsonl", ".ndjson")
MOST_LISTS: Final = 12
MOST_READ_BYTES: Final = 1024**2  # of each list
MOST_ALIKE: Final = 3  # lists with the same columns, for train, validation and test; others are of one class each
MOST_ROWS: Final = 500
LEAST_SHARE: Final = 0.5  # of the rows that name images
MOST_CLASSES: Final = 0.5  # distinct labels per row
_MARKS: Final = {"0", "1", "0.0", "1.0"}
_PLAIN: Final = re.compile(r"[A-Za-z_][\w .-]*")

Column = str | int


@dataclass(frozen=True)
class LabelList:
    """A list that names images of the source.

    Attributes:
        name: path below the source.
        path: the column of the images; a number if the list has no header.
        folder: where the images are, relative to the list; empty if they are below it.
        values: the other columns, with the value of each row.
        images: the image of each row.

    """

    name: str
    path: Column
    folder: str
    values: Mapping[Column, Sequence[str]]
    images: Sequence[str]

    @property
    def one_hot(self) -> tuple[Column, ...]:
        """The columns of which exactly one is 1 in each row."""
        marks = [column for column, values in self.values.items() if set(values) <= _MARKS]
        rows = [[float(self.values[column][at]) for column in marks] for at in range(len(self.images))]
        used = {row.index(1) for row in rows if sum(row) == 1}
        return tuple(marks) if len(used) > 1 and all(sum(row) == 1 for row in rows) else ()

    @property
    def split(self) -> Column | None:
        """The column whose values are all names of splits."""
        return next((column for column, values in self.values.items() if _are_splits(values)), None)

    @property
    def labels(self) -> tuple[Column, ...]:
        """The columns that may be the label: the one with a usual name, or all with values that repeat."""
        usual = [column for column, values in self.values.items() if column in LABELS and len(set(values)) > 1]
        if usual:
            return (usual[0],)
        found = [column for column, values in self.values.items() if column != self.split and _may_be_label(values)]
        named = [column for column in found if "label" in str(column).lower() or "class" in str(column).lower()]
        return tuple(named if len(named) == 1 else found)

    def agrees(self, class_of: Callable[[str], str | None]) -> bool:
        """Return whether a column has one value for each class folder, and another one for every other."""
        classes = [class_of(image) for image in self.images]
        return any(_are_equivalent(values, classes) for values in self.values.values())


def label_lists(source: Source, files: Sequence[File]) -> tuple[LabelList, ...]:
    """Return the lists of a source that name its images.

    Args:
        source: folders, of which the beginnings of the lists are read.
        files: its files and folders.

    """
    lists = sorted((file.name for file in files if file.name.lower().endswith(ENDINGS)), key=_by_depth)
    lists = [name for name in lists if not is_ignored_path(name)]
    if not lists:
        return ()
    names = [file.name for file in files if not is_ignored_path(file.name)]
    tables = {name: _table(source, name) for name in lists[:MOST_LISTS]}
    wanted = {stem_of(cell) for table in tables.values() for row in table for cell in row.values()}
    images = [name for name in names if is_image_name(name) and stem_of(name) in wanted]
    return tuple(one for name, table in tables.items() if (one := _found(name, table, images)))


def how_to_use(lists: Sequence[LabelList], *, where: str) -> str:
    """Return sentences on how to use the labels of lists that do not agree with the folders."""
    alike = Counter(tuple(one.values) for one in lists)
    usable = [one for one in lists if (one.one_hot or one.labels) and alike[tuple(one.values)] <= MOST_ALIKE]
    labelled = sorted(usable, key=lambda one: "train" not in map(split_word, one.name.split("/")))
    if not labelled:
        return ""
    first, place = labelled[0], where.partition(" ")[2].rstrip("/")
    sentence = f"The list {first.name!r} names its images. To use the labels, set `source` to {place}/{first.name} "
    sentence += f"(DATA for `make demo`) and `columns: {{{_columns(first)}}}` in the classifier's file{_choice(first)}."
    if others := [one.name for one in labelled[1:] if one.images[:1] != first.images[:1]]:
        sentence += (
            f" {few(others)} may name other images: to use several lists, write one of them, with a column split of "
            "train, validation and test."
        )
    return sentence


def disagreement(lists: Sequence[LabelList], classes: Mapping[str, str]) -> LabelList | None:
    """Return a list with labels, by the name of its column or a column for each class, that are not the classes.

    Args:
        lists: of the source.
        classes: the class by image.

    """
    for one in lists:
        named = any(column in LABELS for column in one.labels) or one.one_hot
        found = [classes[image] for image in one.images if image in classes]
        if named and len(found) * 2 >= len(one.images) and len(set(found)) > 1 and not one.agrees(classes.get):
            return one
    return None


def by_folder(image: str) -> str:
    """Return the name of an image's own folder."""
    return posixpath.basename(posixpath.dirname(image))


def _found(name: str, table: Sequence[Mapping[Column, str]], images: Sequence[str]) -> LabelList | None:
    """Return the list if it names images below its folder or, if there are none, anywhere in the source."""
    if above := posixpath.dirname(name):
        below = [image.removeprefix(f"{above}/") for image in images if image.startswith(f"{above}/")]
        return _list_of(name, table, below, above) or _list_of(name, table, images, "")
    return _list_of(name, table, images, "")


def _by_depth(name: str) -> tuple[int, str]:
    return name.count("/"), name


def _table(source: Source, name: str) -> list[dict[Column, str]]:
    """Return rows of a list's beginning by column; columns are numbers if the first row names an image.

    There are none if the list cannot be read: it only serves to explain a source of folders.
    """
    try:
        data = source.read(name, limit_bytes=MOST_READ_BYTES)
    except ImageRejectedError:
        return []
    text = data.decode("utf-8-sig", errors="replace")
    lines = text.splitlines()[: -1 if len(data) == MOST_READ_BYTES else None]
    lines = [line for line in lines if line.strip()]
    if PurePosixPath(name).suffix.lower() in (".jsonl", ".ndjson"):
        return [row for line in _spread(lines) if (row := _json(line))]
    return _cells(lines)


def _spread(lines: Sequence[str]) -> list[str]:
    return list(islice(lines, 0, None, -(-len(lines) // MOST_ROWS) or 1))


def _json(line: str) -> dict[Column, str]:
    try:
        values = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {key: str(value) for key, value in values.items() if not isinstance(value, dict | list)}


def _cells(lines: Sequence[str]) -> list[dict[Column, str]]:
    if not lines:
        return []
    delimiter = max("\t;,", key=lines[0].count)
    try:
        header, *rows = csv.reader(io.StringIO("\n".join([lines[0], *_spread(lines[1:])])), delimiter=delimiter)
    except csv.Error:
        return []
    names: list[Column] = [cell.strip() for cell in header]
    if any(is_image_name(cell) for cell in header):
        names, rows = list(range(len(header))), [header, *rows]
    return [dict(zip(names, map(str.strip, row), strict=False)) for row in rows if len(row) == len(names)]


def _list_of(name: str, table: Sequence[Mapping[Column, str]], images: Sequence[str], above: str) -> LabelList | None:
    """Return the list if one of its columns names images.

    Args:
        name: the list's path below the source.
        table: its rows.
        images: paths below the folder `above`.
        above: the folder of the list, or nothing for the source itself.

    """
    finder, columns = Images(images), list(table[0]) if table else []
    found = {
        column: {at: meant[0] for at, row in enumerate(table) if (meant := finder.meant_by(row.get(column, "")))}
        for column in sorted(columns, key=lambda one: one not in PATHS)
        if column != ""
    }
    path: Column = max(found, key=lambda column: _fitness(found[column], column, table), default="")
    rows = found.get(path, {})
    if not rows or len(rows) < LEAST_SHARE * len(table):
        return None
    start = f"{above}/" if above else ""
    folder = "" if posixpath.dirname(name) == above else _relative(rows.values(), posixpath.dirname(name))
    values = {one: [table[at].get(one, "") for at in rows] for one in columns if one != path and one != ""}
    return LabelList(name, path, folder, values, [start + image for image in rows.values()])


def _fitness(rows: Mapping[int, str], column: Column, table: Sequence[Mapping[Column, str]]) -> tuple[int, int]:
    """Return how many rows name images, and how many of them with the ending: a number may be an index by accident."""
    return len(rows), sum(is_image_name(table[at][column]) for at in rows)


def _relative(images: Iterable[str], start: str) -> str:
    """Return the common folder of images, relative to another folder."""
    return posixpath.relpath(posixpath.commonpath([posixpath.dirname(image) for image in images]) or ".", start or ".")


def _are_splits(values: Sequence[str]) -> bool:
    return all(value.lower() in WORDS for value in values)


def _may_be_label(values: Sequence[str]) -> bool:
    distinct = set(values) - {""}
    return 2 <= len(distinct) <= max(2, MOST_CLASSES * len(values)) and all(len(value) < 100 for value in distinct)


def _are_equivalent(values: Sequence[str], classes: Sequence[str | None]) -> bool:
    pairs = {(value, one) for value, one in zip(values, classes, strict=True) if one is not None}
    by_value, by_class = defaultdict[str, set[str]](set), defaultdict[str, set[str]](set)
    for value, one in pairs:
        by_value[value].add(one)
        by_class[one].add(value)
    return len(pairs) > 1 and len(by_value) == len(by_class) == len(pairs)


def _columns(one: LabelList) -> str:
    """Return the columns as YAML."""
    label: object = "[" + ", ".join(map(_yaml, one.one_hot)) + "]" if one.one_hot else "COLUMN"
    if not one.one_hot and len(one.labels) == 1:
        label = _yaml(one.labels[0])
    split = f", split: {_yaml(one.split)}" if one.split is not None and one.split not in SPLITS else ""
    folder = f", folder: {json.dumps(one.folder)}" if one.folder else ""
    return f"path: {_yaml(one.path)}, label: {label}{split}{folder}"


def _choice(one: LabelList) -> str:
    return (
        f", where COLUMN is one of {few([str(column) for column in one.labels])}"
        if len(one.labels) > 1 and not one.one_hot
        else ""
    )


def _yaml(column: Column) -> str:
    return str(column) if isinstance(column, int) or _PLAIN.fullmatch(column) else json.dumps(column)
