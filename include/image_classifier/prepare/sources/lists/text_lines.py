"""Divides lines of text by blanks into a path and the values after it; paths and labels may have blanks or quotes."""

import re
from collections.abc import Sequence
from typing import Final

from image_classifier.prepare.inspection.formats import ENDINGS
from image_classifier.prepare.sources.lists.splits import split_of_text

FEWEST_MARKS: Final = 3  # columns of 0 and 1 that are those of classes, if each line has one 1
_QUOTES: Final = "\"'"
_SUFFIXES: Final = tuple(ENDINGS)
_ENDINGS: Final = "|".join(sorted(ending[1:] for ending in ENDINGS))
_LINE: Final = re.compile(rf"""(?:"([^"]+)"|'([^']+)'|(.+?\.(?:{_ENDINGS})))(?:\s+(.*))?""", re.IGNORECASE)
_CELL: Final = re.compile(r"""(?:^'(.*)'$)|"([^"]*)"|(\S+)""")
_NUMBER: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", re.IGNORECASE)


def divided(lines: Sequence[str], *, most: int, is_path_first: bool) -> list[list[str]]:
    """Return the cells of each line; an empty line has none.

    A path at the beginning ends with its quotes, or in the ending of an image. If a line has more values after it than
    another, its first value has blanks: ``1.jpg golden retriever`` beside ``2.jpg pug``.

    Args:
        lines: without the header.
        most: number of cells in the header.
        is_path_first: whether the path is in the first cell.

    """
    parts = [_path_and_values(line) if line and is_path_first else ("", []) for line in lines]
    if any(line and not path for line, (path, _) in zip(lines, parts, strict=True)):
        width = min([most, *(len(line.split()) for line in lines if line)])
        return [line.rsplit(None, width - 1) if line else [] for line in lines]
    width = min([most - 1, *(max(1, len(values)) for path, values in parts if path)])
    return [[path, *_joined(values, width)] if path else [] for path, values in parts]


def _path_and_values(line: str) -> tuple[str, list[str]]:
    """Return the path, and the values after it; an empty path if it has no end."""
    path, _, rest = line.partition(" ")
    if path[0] in _QUOTES or not path.lower().endswith(_SUFFIXES):
        found = _LINE.fullmatch(line)
        if found is None:
            return "", []
        path, rest = found[1] or found[2] or found[3], found[4] or ""
    is_quoted = any(quote in rest for quote in _QUOTES)
    return path, ["".join(cell) for cell in _CELL.findall(rest)] if is_quoted else rest.split()


def _joined(values: Sequence[str], width: int) -> list[str]:
    extra = len(values) - width
    return [" ".join(values[: extra + 1]), *values[extra + 1 :]] if values else []


def is_label_certain(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the value after the path is a whole label.

    It is none if words follow, as in ``1.jpg golden retriever`` in each line, or if each class has a column of 0 and 1.
    """
    if all(sorted(row[1:]) == ["0"] * (len(row) - 2) + ["1"] and len(row) > FEWEST_MARKS for row in rows if row):
        return False
    later = {cell for row in rows for cell in row[2:]}
    return not any(map(_is_word, later)) or not any(map(_is_word, {row[1] for row in rows if row[1:]}))


def _is_word(text: str) -> bool:
    return not _NUMBER.fullmatch(text) and split_of_text(text) is None
