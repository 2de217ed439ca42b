"""Recognises folder names of parts of a data set: images, annotations or masks of all classes."""

import re
from collections.abc import Iterable
from typing import Final

IMAGES: Final = frozenset(("images", "imgs", "jpegimages", "labeled", "labelled"))
FORMATS: Final = frozenset(("jpg", "jpgs", "jpeg", "jpegs", "png", "pngs"))  # parts, if half of the folders are
ANNOTATIONS: Final = frozenset(
    (
        *("annotation", "annotations", "bboxes", "groundtruth", "groundtruths", "imagesets", "labels", "masks"),
        *("segmentation", "segmentations", "segmentationclass", "segmentationobject", "trimaps", "xml", "xmls"),
        *("unlabeled", "unlabelled", "pred", "predict", "prediction", "predictions", "inference"),
    )
)
_PERHAPS: Final = frozenset(("image", "img", "label", "mask", "gt", "seg"))  # parts, if there are two of them
ANNOTATES: Final = (ANNOTATIONS | _PERHAPS) - IMAGES - {"image", "img"}  # after the name of another image
_PUNCTUATION: Final = re.compile(r"[-._ ]+")


def parts_among(folders: Iterable[str]) -> list[str]:
    """Return the folders whose names say that they hold images, annotations or masks of all classes."""
    plain = {folder: _plain(folder) for folder in folders}
    found = [folder for folder, word in plain.items() if word in IMAGES | ANNOTATIONS | FORMATS | _PERHAPS]
    if len(found) * 2 < len(plain):
        found = [folder for folder in found if plain[folder] not in FORMATS]
    certain = [folder for folder in found if plain[folder] not in _PERHAPS]
    return found if len(found) > 1 else certain


def is_annotation(folder: str) -> bool:
    """Return whether a folder's name says that it holds annotations or masks, among folders with images."""
    return _plain(folder) in ANNOTATIONS | {"mask"}


def _plain(folder: str) -> str:
    return _PUNCTUATION.sub("", folder.lower())
