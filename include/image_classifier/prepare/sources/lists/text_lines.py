"""Divides lines of text by blanks into a path and the values after it; paths and labels may have blanks or quotes."""

import re
from collections.abc import Sequence
from typing import Final

from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare.inspection.formats import ENDINGS
from image_classifier.prepare.layout.split_folders import is_image_name
from image_classifier.prepare.sources.lists.splits import split_of_text

FEWEST_MARKS: Final = 3  # columns of 0 and 1 that are those of classes, if each line has one 1
BLANKS: Final = "Put quotes around paths and labels that have blanks, or a tab between path and label."
_QUOTES: Final = "\"'"
_SUFFIXES: Final = tuple(ENDINGS)
_ENDINGS: Final = "|".join(sorted(ending[1:] for ending in ENDINGS))
_LINE: Final = re.compile(rf"""(?:"([^"]+)"|'([^']+)'|(.+?\.(?:{_ENDINGS})))(?:\s+(.*))?""", re.IGNORECASE)
_COMMENT: Final = "#"
_PERHAPS_PATH: Final = re.compile(rf"{_COMMENT}[^\s{_COMMENT}]\S*?\.(?:{_ENDINGS})(?:[\s,;].*)?", re.IGNORECASE)
_CELL: Final = re.compile(r"""(?:^'(.*)'$)|"([^"]*)"|(\S+)""")
_DELIMITERS: Final = str.maketrans(",;", "  ")
_COUNT: Final = re.compile(r"[0-9]{1,12}")
_NAME: Final = re.compile(r"[A-Za-z_-]+")
_NUMBER: Final = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", re.IGNORECASE)


def without_comments(lines: Sequence[str], *, name: str) -> list[str]:
    """Return the lines without blanks around them; a comment, which begins with ``#``, is empty.

    Raises:
        DatasetError: a line may be a comment, or a path that begins so.

    """
    stripped = [line.strip() for line in lines]
    for number, line in enumerate(stripped, start=1):
        if _PERHAPS_PATH.fullmatch(line):
            message = (
                f"Line {number} of {name}, {line[:60]!r}, may be a comment, or its path begins with {_COMMENT!r}. Put "
                f"a blank after {_COMMENT!r} in a comment, and quotes around such a path."
            )
            raise DatasetError(message)
    return ["" if line.startswith(_COMMENT) else line for line in stripped]


def without_count(lines: Sequence[str]) -> list[str]:
    """Return the lines, that with the number of rows empty: the lists of CelebA and DeepFashion begin with one.

    It is the first line, and a number alone, while all others have more words. It may count a header or not, and more
    rows than there are: only the beginning of a list may have been read. A smaller number is the name of an image.
    """
    written = [at for at, line in enumerate(lines) if line]
    rows = [lines[at].translate(_DELIMITERS).split() for at in written[1:]]
    first = lines[written[0]] if rows and all(len(row) > 1 for row in rows) else ""
    is_count = bool(_COUNT.fullmatch(first)) and int(first) >= len(rows) - 1
    return ["" if is_count and at == written[0] else line for at, line in enumerate(lines)]


def is_header(line: str, rows: Sequence[str]) -> bool:
    """Return whether a line names columns, as ``image_name category_label`` above ``img/1.jpg 3``.

    All rows begin with the path of an image, and the line has only letters, and no value of a row.
    """
    cells = line.translate(_DELIMITERS).split()
    texts = [row.translate(_DELIMITERS).strip() for row in rows]
    if len(cells) < 2 or not all(map(_NAME.fullmatch, cells)) or not rows or not all(texts):
        return False
    parts = list(map(_path_and_values, texts))
    return all(is_image_name(path) for path, _ in parts) and not any(set(cells) & set(values) for _, values in parts)


def no_row(text: str, *, name: str) -> str:
    """Return the message on a list without a row."""
    written = list(filter(None, map(str.strip, text.splitlines())))
    if written and all(line.startswith(_COMMENT) for line in written):
        return (
            f"List {name} has no row: all its lines begin with {_COMMENT!r}, and are comments. Put quotes around paths "
            "that begin so."
        )
    return f"List {name} has no row. Correct `source` in the classifier file."


def divided(lines: Sequence[str], *, most: int, is_path_first: bool, name: str) -> list[list[str]]:
    """Return the cells of each line; an empty line has none.

    A path at the beginning ends with its quotes, or in the ending of an image. If a line has more values after it than
    another, its first value has blanks: ``1.jpg golden retriever`` beside ``2.jpg pug``.

    Args:
        lines: all of the list; the header and those before it are empty.
        most: number of cells in the header.
        is_path_first: whether the path is in the first cell.
        name: of the list, for messages.

    Raises:
        DatasetError: a path at the beginning has no end, and its line has more words than another.

    """
    parts = [_path_and_values(line) if line and is_path_first else ("", []) for line in lines]
    if any(line and not path for line, (path, _) in zip(lines, parts, strict=True)):
        cells = [[path, *values] if path else _values(line) for line, (path, values) in zip(lines, parts, strict=True)]
        width = min([most, *map(len, filter(None, cells))])
        if is_path_first:
            _check_lengths(cells, lines, width=width, name=name)
        return [_joined(row, width) for row in cells]
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
    return path, _values(rest)


def _values(text: str) -> list[str]:
    is_quoted = any(quote in text for quote in _QUOTES)
    return ["".join(cell) for cell in _CELL.findall(text)] if is_quoted else text.split()


def _check_lengths(cells: Sequence[Sequence[str]], lines: Sequence[str], *, width: int, name: str) -> None:
    """Check that no line has more cells than `width`, the number of those of the shortest line or the header."""
    longer = next((at for at, row in enumerate(cells) if len(row) > width), None)
    if longer is None:
        return
    shortest = next((at for at, row in enumerate(cells) if len(row) == width), None)
    other = "the header" if shortest is None else f"line {shortest + 1}, {lines[shortest][:60]!r}"
    message = (
        f"Line {longer + 1} of {name}, {lines[longer][:60]!r}, has more words than {other}, and not every path has "
        f"the ending of an image, so nobody can tell where its path ends. {BLANKS}"
    )
    raise DatasetError(message)


def _joined(values: Sequence[str], width: int) -> list[str]:
    extra = len(values) - width
    return [" ".join(values[: extra + 1]), *values[extra + 1 :]] if values else []


def columns_before(path: str) -> str:
    """Return the columns to name if the last word of a path is the path, as in ``cat 1.png``; empty if it is not."""
    *before, last = path.split() or [""]
    if not before or not is_image_name(last):
        return ""
    label = "0" if len(before) == 1 else "NUMBER"
    meant = ", where NUMBER is the column of the labels, from 0, and put quotes around labels that have blanks"
    return f"`columns: {{path: {len(before)}, label: {label}}}`{meant if len(before) > 1 else ''}"


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
