"""Says what to do with a source that was refused."""

import json
from collections.abc import Sequence
from typing import Final, Literal

WRITE_A_LIST: Final = (
    "Put the images into one folder for each class; or write a list of them, labels.csv with the columns path and "
    "label, and use the list as the source."
)
ANNOTATED: Final = (
    "Files of the same names as the images look like annotations of objects in them. This package gives each whole "
    "image one class, and needs a class for every image."
)


def add_to_source(folder: str) -> str:
    """Return the sentence that says to use a folder below the source as the source."""
    shown = f"/{folder}" if folder == folder.strip() else repr(f"/{folder}")
    return f"add {shown} to `source` in the classifier's file (or to DATA for `make demo`)."


def leave_out(pattern: str) -> str:
    """Return the words that say how to leave files out by a pattern."""
    return f'by `exclude: ["{pattern}"]` in the classifier\'s file'


def add_or_join(unknown: str, classes: Sequence[str], *, part: str, in_folders: bool) -> str:
    """Return what to do with a class of validation or test that train lacks.

    Args:
        unknown: the class.
        classes: those of train.
        part: the split.
        in_folders: whether a class is a folder, and not a label in a list.

    """
    pattern = f", as {unknown!r} {leave_out(f'*/{unknown}/*')}" if in_folders else ""
    sentence = f"Add training images of them, or take them out of {part}{pattern}."
    alike = [name for name in classes if _begin_alike(name, unknown)]
    example = ""
    if len(alike) == 1:
        names = ", ".join(json.dumps(name, ensure_ascii=False) for name in (alike[0], unknown))
        example = f", as `classes: {{{json.dumps(alike[0], ensure_ascii=False)}: [{names}]}}`"
    join = "If they are classes of train under other names, join them by `classes` in the classifier's file"
    return f"{sentence} {join}{example}."


def _begin_alike(one: str, other: str) -> bool:
    shorter, longer = sorted((one.casefold(), other.casefold()), key=len)
    return longer.startswith(shorter)


def if_they_are(layout: Literal["classes", "splits"]) -> str:
    """Return the sentence that says how to keep folders as classes, in this layout."""
    return f"If they are classes, put `layout: {layout}` into the classifier's file (LAYOUT={layout} for `make demo`)."
