"""Recognises a run that would make the newest version again, so that nothing is joined, inspected or written.

The newest version is returned if everything it was made from is the same, and all of it is still in S3.

It was made from the source's listing (the path of each file, and its size and time of change, or its ETag), the
classifier, people's corrections, and the code and Pillow that inspect and split the images. A version has no origin,
and the next run takes the long way, if a file changed while it was listed (see `folder.stamp_of`), or was unreadable.

In S3 there must be: each document of the version, with size and ETag as they were written; each image of its lists;
and the labels that the classifier's next version continues. The documents are written before `pointer.Pointer` names
them, so that a version that an interrupted run left behind is never taken.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ObjectGoneError
from image_classifier.contracts.labels import labels_sha256
from image_classifier.prepare.known_labels import KnownLabels
from image_classifier.prepare.layout.folders import LISTED
from image_classifier.prepare.pointer import Pointer
from image_classifier.prepare.prepared import PreparedDataset
from image_classifier.prepare.previous import inspected_by
from image_classifier.prepare.publish import LIST_NAMES, TEST_MANIFEST
from image_classifier.prepare.sources.lists.listed import ListSource
from image_classifier.prepare.sources.source import Files, Source, is_reliable

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PACKAGE: Final = Path(__file__).parents[1]
HASHED_AT_ONCE: Final = 10_000  # lines
CODE: Final = ("prepare", "contracts")  # folders of the package that decide what a version holds


@dataclass(frozen=True)
class Scan:
    """A source, listed once.

    Attributes:
        origin: see `origin_of`.
        stored: the keys of prepared images in S3.

    """

    source: Source
    files: Files
    origin: str
    stored: frozenset[str]


def origin_of(
    classifier: Classifier,
    source: Source,
    files: Files,
    *,
    s3: "S3Client",
    bucket: str,
) -> str:
    """Return a digest of everything that decides the next version, or nothing if the listing cannot be relied on.

    Args:
        classifier: of the run.
        source: its source.
        files: of the source.
        s3: lists the corrections.
        bucket: of the classifier.

    """
    code = code_digest()
    if not code or not all(map(is_reliable, files.names, files.stamps)):
        return ""
    settings = classifier.model_dump(mode="json", exclude={"preparation"})  # who prepares the images changes nothing
    corrections = storage.list_objects(s3, bucket=bucket, prefix=Keys(classifier.name).corrections)
    etags = {key: stored.etag for key, stored in corrections.items()}
    found = hashlib.sha256(json.dumps([code, inspected_by(), source.where, settings, etags], sort_keys=True).encode())
    lines = chain(_rows(source), (f"{name}\0{stamp}\n" for name, stamp in zip(files.names, files.stamps, strict=True)))
    while text := "".join(islice(lines, HASHED_AT_ONCE)):
        found.update(text.encode(errors="surrogatepass"))
    return found.hexdigest()


def _rows(source: Source) -> Iterator[str]:
    """Yield the rows of a list, a line each; in folders the files' names say which class and split an image is of."""
    if isinstance(source, ListSource):
        yield from (f"{row.path}\0{row.label}\0{row.split}\n" for row in source.rows)


@cache
def code_digest() -> str:
    """Return a digest of the code that decides what a version holds; nothing if it is not in files."""
    files = sorted(file for folder in CODE for file in (PACKAGE / folder).rglob("*.*") if file.suffix != ".pyc")
    found = hashlib.sha256()
    for file in filter(Path.is_file, files):
        found.update(f"{file.relative_to(PACKAGE)}\n".encode() + file.read_bytes())
    return found.hexdigest() if files else ""


def documents_of(fingerprint: str, *, s3: "S3Client", bucket: str, keys: Keys) -> str:
    """Return a digest of a version's documents: their keys, sizes and ETags."""
    prefix = keys.version(fingerprint)
    listed = storage.list_objects(s3, bucket=bucket, prefix=prefix)
    found = sorted([key.removeprefix(prefix), stored.size_bytes, stored.etag] for key, stored in listed.items())
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def unchanged_version(scan: Scan, *, s3: "S3Client", bucket: str, keys: Keys) -> Pointer | None:
    """Return the newest version, if a run would make it again; otherwise None.

    Args:
        scan: of the run.
        s3: the client.
        bucket: of the classifier.
        keys: of the classifier.

    """
    pointer = Pointer.read(s3, bucket=bucket, keys=keys) if scan.origin else None
    if pointer is None or pointer.origin != scan.origin:
        return None
    version = prepared_of(pointer)
    if pointer.documents != documents_of(version.fingerprint, s3=s3, bucket=bucket, keys=keys):
        return None
    if labels_sha256(KnownLabels.read(s3, bucket=bucket, keys=keys).labels) != version.labels_sha256:
        return None
    return pointer if _has_all_images(version, scan.stored, s3=s3, bucket=bucket, keys=keys) else None


def unchanged_result(
    fingerprint: str, *, s3: "S3Client", bucket: str, keys: Keys, on_progress: Callable[[str], None]
) -> PreparedDataset:
    """Return the result for the version that `unchanged_version` found, and log its warnings.

    Raises:
        ObjectGoneError: it is not the newest version any more.

    """
    pointer = Pointer.read(s3, bucket=bucket, keys=keys)
    if pointer is None or pointer.fingerprint != fingerprint or not pointer.origin:
        message = (
            f"s3://{bucket}/{keys.version(fingerprint)} is no longer the newest version of the data set: another run "
            "has written one since the source was listed, or it was deleted. Start a new run."
        )
        raise ObjectGoneError(message)
    report = storage.read_written(s3, bucket=bucket, key=f"{keys.version(fingerprint)}report.json")
    for warning in json.loads(report)["warnings"]:
        on_progress(f"Warning: {warning}")
    return prepared_of(pointer)


def remember(prepared: PreparedDataset, origin: str, *, images: int, s3: "S3Client", bucket: str, keys: Keys) -> None:
    """Store which version is the newest, and its origin if that can be relied on.

    Args:
        prepared: the version, which is complete in S3.
        origin: of it; see `origin_of`.
        images: how many the source has.
        s3: the client.
        bucket: of the classifier.
        keys: of the classifier.

    """
    pointer = Pointer(prepared.fingerprint)
    if origin:
        documents = documents_of(prepared.fingerprint, s3=s3, bucket=bucket, keys=keys)
        result = prepared.again().model_dump(mode="json")
        pointer = Pointer(prepared.fingerprint, origin, documents, images, result)
    if pointer != Pointer.read(s3, bucket=bucket, keys=keys):
        pointer.write(s3, bucket=bucket, keys=keys)


def prepared_of(pointer: Pointer) -> PreparedDataset:
    """Return the result that a pointer with an origin holds."""
    return PreparedDataset.model_validate(pointer.result)


def _has_all_images(
    version: PreparedDataset, stored: frozenset[str], *, s3: "S3Client", bucket: str, keys: Keys
) -> bool:
    """Return whether every image that the version's lists name is in S3, and not empty."""
    prefix = keys.version(version.fingerprint)
    for split in LISTED:
        listed = storage.read_written(s3, bucket=bucket, key=prefix + LIST_NAMES[split]).decode()
        if not stored.issuperset(_listed(listed, keys.split(split))):
            return False
    if not version.test_manifest_key:
        return True
    tests = json.loads(storage.read_written(s3, bucket=bucket, key=prefix + TEST_MANIFEST))[1:]
    return stored.issuperset(keys.dataset + path for path in tests)


def _listed(text: str, folder: str) -> Iterable[str]:
    """Return the keys of an image list that this package wrote; `image_list.parse` would check each line again."""
    return (folder + line.rpartition("\t")[2] for line in text.split("\n")[:-1])
