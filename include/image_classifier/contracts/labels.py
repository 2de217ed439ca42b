"""Reads and writes labels.json, the ordered classes of a model; every data set version and model has one."""

import hashlib
import json
from collections.abc import Sequence
from typing import Final

from image_classifier.contracts.errors import DatasetError

LABELS_SCHEMA: Final = 1


def labels_sha256(labels: Sequence[str]) -> str:
    """Return the SHA-256, in hex, of the labels and their order."""
    text = json.dumps(list(labels), ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def labels_document(labels: Sequence[str]) -> bytes:
    """Return the bytes of labels.json: schema, labels and sha256; a label's position is its class index."""
    document = {"schema": LABELS_SCHEMA, "labels": list(labels), "sha256": labels_sha256(labels)}
    return json.dumps(document, ensure_ascii=False).encode()


def parse_labels(document: bytes) -> tuple[str, ...]:
    """Return the labels of a labels.json, in the order of their class indices.

    Raises:
        DatasetError: `document` is not a labels.json, or its hash does not match its labels.

    """
    try:
        content = json.loads(document)
        schema, labels, sha256 = content["schema"], content["labels"], content["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        raise DatasetError(f"The labels document cannot be read: {error!r}; found {document[:80]!r}.") from error
    if schema != LABELS_SCHEMA:
        raise DatasetError(f"The labels document has schema {schema!r}; this version reads {LABELS_SCHEMA}.")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise DatasetError(f"The labels document must list texts; found {labels!r}.")
    if len(set(labels)) != len(labels):
        raise DatasetError(f"The labels document names a label twice: {labels!r}.")
    if sha256 != labels_sha256(labels):
        raise DatasetError(f"The labels document was changed by hand: its hash {sha256!r} does not fit its labels.")
    return tuple(labels)
