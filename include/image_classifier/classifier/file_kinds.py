"""Recognises, by their names, files that are neither images in folders nor lists, and says what to make of them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

LIST_ENDINGS: Final = (".lst", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".manifest")
_PART: Final = re.compile(r"-\d+-of-\d+$")  # train.tfrecord-00000-of-00008
_LIST: Final = "labels.csv with the columns path and label"


@dataclass(frozen=True)
class Kind:
    """A kind of files.

    Attributes:
        endings: in small letters.
        one: what one file of it is, as ``an archive``.
        many: what several are, with the verb.
        step: what to do; ``{it}`` stands for the files.

    """

    endings: frozenset[str]
    one: str
    many: str
    step: str


def _kind(endings: str, *, one: str, many: str, step: str) -> Kind:
    return Kind(frozenset(endings.split()), one, many, step)


ARCHIVE: Final = _kind(
    ".zip .tar .gz .tgz .bz2 .xz .7z .rar .zst",
    one="an archive",
    many="are archives",
    step="unpack {it}, so that the images are files",
)
PACKED: Final = _kind(
    ".parquet .arrow .feather .tfrec .tfrecord .tfrecords .rec .h5 .hdf5 .npy .npz .mat .pkl .pickle .pt .pth .idx "
    ".bin .lmdb .mdb",
    one="a file that packs many images or tables",
    many="pack many images or tables into one file, which is not read",
    step=f"save each image as a file, and the labels as {_LIST}",
)
MEDICAL: Final = _kind(
    ".dcm .dicom .nii .nrrd .svs .ndpi",
    one="a medical image",
    many="are medical images",
    step="save {it} as PNG or JPEG",
)
VIDEO: Final = _kind(
    ".avi .mp4 .mov .mkv .webm .m4v .mpg .mpeg", one="a video", many="are videos", step="save frames of {it} as images"
)
SPREADSHEET: Final = _kind(
    ".xlsx .xls .xlsm .ods .numbers",
    one="a spreadsheet",
    many="are spreadsheets",
    step="save the sheet with the labels as CSV in UTF-8, with a column of paths and one of labels",
)
DATABASE: Final = _kind(
    ".db .sqlite .sqlite3", one="a database", many="are databases", step=f"export the labels as {_LIST}"
)
MARKUP: Final = _kind(
    ".xml .yaml .yml .html .md .pdf .doc .docx",
    one="a document",
    many="are documents",
    step=f"write the labels in {{it}} as {_LIST}",
)
IMAGE: Final = _kind(
    ".jpg .jpeg .png .bmp .gif .tif .tiff .webp .heic .avif",
    one="one image",
    many="are images",
    step="use the folder that holds the folders of the classes",
)
UNREADABLE: Final = (ARCHIVE, PACKED, MEDICAL, VIDEO)  # in which images are
LISTS: Final = (SPREADSHEET, DATABASE, MARKUP)  # of which a list is made
KINDS: Final = (*UNREADABLE, *LISTS, IMAGE)


def kind_of(name: str) -> Kind | None:
    """Return the kind of a file; None if its ending is of none."""
    ending = _PART.sub("", PurePosixPath(name).suffix.lower())
    return next((kind for kind in KINDS if ending in kind.endings), None)


def of_kind(names: Iterable[str], kind: Kind) -> list[str]:
    """Return the files of a kind."""
    return [name for name in names if kind_of(name) is kind]


def no_source(name: str) -> str:
    """Return what a file is, and what to do with it to use it as a source."""
    kind = kind_of(name)
    if kind is None:
        return "it is a file, and not of a kind that is read. Give a folder of class folders, or a list of images."
    if kind is ARCHIVE and (unpacked := PurePosixPath(name).stem).lower().endswith(LIST_ENDINGS):
        return f"it is a compressed list. Unpack it, and give {unpacked!r} as the source."
    step = kind.step.format(it="it")
    return f"it is {kind.one}. To use it, {step}; then give that {'file' if kind in LISTS else 'folder'} as the source."
