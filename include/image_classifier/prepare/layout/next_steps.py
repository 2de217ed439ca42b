"""Says what to do with a source that was refused."""

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


def if_they_are(layout: Literal["classes", "splits"]) -> str:
    """Return the sentence that says how to keep folders as classes, in this layout."""
    return f"If they are classes, put `layout: {layout}` into the classifier's file (LAYOUT={layout} for `make demo`)."
