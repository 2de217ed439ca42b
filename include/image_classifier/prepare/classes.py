"""Assigns the class indices, which a class keeps in later runs, and the S3 folders of classes."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from image_classifier.contracts.errors import LabelsChangedError
from image_classifier.prepare.layout.split_folders import few

_SAFE = re.compile(r"[A-Za-z0-9_-]{1,64}")


def decide_labels(found: Sequence[str], *, previous: Sequence[str], reset_labels: bool) -> tuple[str, ...]:
    """Return the labels: every known class keeps its index, new ones follow in alphabetical order.

    Raises:
        LabelsChangedError: a known class has no images any more, and the run did not set reset_labels.

    """
    if reset_labels:
        return tuple(sorted(found))
    if gone := [label for label in previous if label not in found]:
        message = (
            f"Classes that the model knows are gone from the images: {few(gone)}; found {few(found)}. Put their images "
            "back, or run with reset_labels to number the classes anew."
        )
        raise LabelsChangedError(message)
    return (*previous, *sorted(set(found) - set(previous)))


def class_folder(class_name: str) -> str:
    """Return the class's folder in S3: ASCII, stable and unique.

    The algorithm's container may read names in an ASCII locale. A plain name is not changed; any other gets a dot and a
    hash. Plain names contain no dot.
    """
    if _SAFE.fullmatch(class_name):
        return class_name
    ascii_only = unicodedata.normalize("NFKD", class_name).encode("ascii", "ignore").decode()
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", ascii_only).strip("-")[:40]
    return f"{readable or 'class'}.{hashlib.sha256(class_name.encode()).hexdigest()[:12]}"
