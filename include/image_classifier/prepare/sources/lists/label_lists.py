"""Finds lists of labels in a source of folders, compares them with the folders, and says how to use them."""

import posixpath
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from image_classifier.classifier.source import Columns
from image_classifier.contracts.errors import DatasetError, ImageRejectedError
from image_classifier.prepare.layout.ignored import is_ignored_path
from image_classifier.prepare.layout.part_names import parts_among
from image_classifier.prepare.layout.split_folders import Split, is_image_name, split_word
from image_classifier.prepare.sources.lists.formats import JSON, PATHS, TEXT, encoding_of, read_table
from image_classifier.prepare.sources.lists.found_paths import Images, stem_of
from image_classifier.prepare.sources.lists.row import only, text_of
from image_classifier.prepare.sources.lists.rows import LABELS
from image_classifier.prepare.sources.lists.split_columns import split_column, unread_split_column
from image_classifier.prepare.sources.lists.splits import split_of_list
from image_classifier.prepare.sources.source import Files, Source

ENDINGS: Final = (".csv", ".tsv", ".jsonl", ".ndjson")
TEXTS: Final = (TEXT, JSON)  # which may be anything else
SAMPLE: Final = "submission"
MOST_LISTS: Final = 12
MOST_READ_BYTES: Final = 1024**2  # of each list
MOST_JSON_BYTES: Final = 16 * 1024**2  # of each that is one JSON text, which cannot be read in part
MOST_ROWS: Final = 500
LEAST_SHARE: Final = 0.5  # of the rows that name images
MOST_CLASSES: Final = 0.5  # distinct labels per row
_MARKS: Final = {"0", "1", "0.0", "1.0"}

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
    def marks(self) -> tuple[Column, ...]:
        """The columns of 0 and 1."""
        return tuple(column for column, values in self.values.items() if set(values) <= _MARKS)

    @property
    def one_hot(self) -> tuple[Column, ...]:
        """The columns of which exactly one is 1 in each row."""
        marks = self.marks
        rows = [[float(self.values[column][at]) for column in marks] for at in range(len(self.images))]
        used = {row.index(1) for row in rows if sum(row) == 1}
        return marks if len(used) > 1 and all(sum(row) == 1 for row in rows) else ()

    @property
    def split_column(self) -> Column | None:
        """The column whose values are all names of splits."""
        return split_column({column: values for column, values in self.values.items() if column not in LABELS})

    @property
    def unread_split_column(self) -> Column | None:
        """The column that looks like one of splits, of which the classifier's file must say what its values mean."""
        known = {*LABELS, *self.one_hot}
        others = {column: values for column, values in self.values.items() if column not in known}
        return unread_split_column(others) if self.split_column is None else None

    @property
    def split(self) -> Split | None:
        """The split in the list's name, or in a folder above it."""
        return split_of_list(self.name)

    @property
    def is_split(self) -> bool:
        """Return whether the list's name or a column says the split of its images."""
        return self.split is not None or self.split_column is not None

    @property
    def is_of_classes(self) -> bool:
        """Return whether the list has no label, and its images are in folders of classes."""
        if any(column not in (self.split_column, self.unread_split_column) for column in self.values):
            return False
        folders = {by_folder(image) for image in self.images}
        return len(folders) > 1 and not any(map(split_word, folders)) and not parts_among(folders)

    @property
    def labels(self) -> tuple[Column, ...]:
        """The columns that may be the label: the one with a usual name, or all with values that repeat."""
        usual = [column for column, values in self.values.items() if column in LABELS and len(set(values)) > 1]
        if usual:
            return (usual[0],)
        of_splits = (self.split_column, self.unread_split_column)
        found = [column for column, values in self.values.items() if column not in of_splits and _may_be_label(values)]
        named = [column for column in found if "label" in str(column).lower() or "class" in str(column).lower()]
        return tuple(named if len(named) == 1 else found)

    def column_of(self, class_of: Callable[[str], str | None]) -> Column | None:
        """Return the column that has one value for each class folder, and another one for every other."""
        classes, split = [class_of(image) for image in self.images], self.split_column
        others = (column for column in self.values if column != split)
        return next((column for column in others if _are_equivalent(self.values[column], classes)), None)

    def agrees(self, class_of: Callable[[str], str | None]) -> bool:
        """Return whether a column says the same classes as the folders."""
        return self.column_of(class_of) is not None


def label_lists(
    source: Source, files: Files, *, most: int = MOST_LISTS, least_share: float = LEAST_SHARE
) -> tuple[LabelList, ...]:
    """Return the lists of a source that name its images.

    Args:
        source: folders, of which the beginnings of the lists are read.
        files: its files and folders.
        most: how many lists are read; those in upper folders come first.
        least_share: of a list's rows that name images.

    """
    lists = list_names(files)
    if not lists:
        return ()
    tables = {name: _tables(source, name) for name in lists[:most]}
    wanted = {stem_of(cell) for found in tables.values() for table in found for row in table for cell in row.values()}
    names = (name for name in files.names if not is_ignored_path(name))
    images = [name for name in names if is_image_name(name) and stem_of(name) in wanted]
    read = ([(_found(name, table, images), table) for table in found] for name, found in tables.items())
    fitting = ([one for one, table in found if one and len(one.images) >= least_share * len(table)] for found in read)
    return tuple(found[0] for found in fitting if found)


def list_names(files: Files) -> list[str]:
    """Return the files that may be lists of images, those in upper folders first.

    Samples of a competition's submission are none, and neither is a text with the name of another file, such as an
    image, which it annotates.
    """
    found = [name for name in files.names if name.lower().endswith((*ENDINGS, *TEXTS))]
    if any(name.lower().endswith(TEXTS) for name in found):
        others = {_stem(name) for name in files.names if not name.lower().endswith(TEXTS)}
        found = [name for name in found if name.lower().endswith(ENDINGS) or _stem(name) not in others]
    found = [name for name in found if not is_ignored_path(name) and SAMPLE not in posixpath.basename(name).lower()]
    return sorted(found, key=_by_depth)


def _stem(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[0]


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


def _tables(source: Source, name: str) -> list[list[dict[Column, str]]]:
    """Return rows of a list's beginning by column; those of a text with paths first, and with paths after a value.

    There are none if the list cannot be read: it only serves to explain a source of folders.
    """
    is_json, is_text = name.lower().endswith(JSON), name.lower().endswith(TEXT)
    most = MOST_JSON_BYTES if is_json else MOST_READ_BYTES
    try:
        data = source.read(name, limit_bytes=most)
    except ImageRejectedError:
        return []
    text = data.decode(encoding_of(data), errors="replace")
    if len(data) == most:
        text = "" if is_json else text[: text.rfind("\n") + 1]
    tables = []
    for columns in (Columns(), Columns(path=1)) if is_text else (Columns(),):
        with suppress(DatasetError):
            tables.append(_table(text, name, columns))
    return tables


def _table(text: str, name: str, columns: Columns) -> list[dict[Column, str]]:
    """Return some rows by column; columns are numbers if the first row names an image."""
    table = read_table(text, name=name, columns=columns)
    if any(map(is_image_name, table.columns)):
        table = read_table(text, name=name, columns=Columns(path=0))
    rows = [values for _, values in table.lines]
    key = int if table.is_numbered else str
    some = [{key(one): only(value) for one, value in row.items()} for row in rows[:: -(-len(rows) // MOST_ROWS) or 1]]
    return [{one: text_of(value) for one, value in row.items() if not isinstance(value, dict | list)} for row in some]


def _list_of(name: str, table: Sequence[Mapping[Column, str]], images: Sequence[str], above: str) -> LabelList | None:
    """Return the list if one of its columns names images.

    Args:
        name: the list's path below the source.
        table: its rows.
        images: paths below the folder `above`.
        above: the folder of the list, or nothing for the source itself.

    """
    finder, columns = Images(images), list(table[0]) if table else []
    # If these lead to no image, numbers of rows that are names of images by accident are no paths either.
    usual: list[Column] = [
        one for one in columns if one in PATHS and any(is_image_name(row.get(one, "")) for row in table)
    ]
    found = {
        column: {at: meant[0] for at, row in enumerate(table) if (meant := finder.meant_by(row.get(column, "")))}
        for column in usual or sorted(columns, key=lambda one: one not in PATHS)
        if column != ""
    }
    path: Column = max(found, key=lambda column: _fitness(found[column], column, table), default="")
    rows = found.get(path, {})
    if not rows:
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
