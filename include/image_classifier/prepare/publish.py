"""Writes a version of the data set to S3, the image lists last; deletes images that it no longer lists."""

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError
from image_classifier.contracts.labels import labels_document
from image_classifier.contracts.training import image_list
from image_classifier.contracts.training.image_list import Entry
from image_classifier.prepare import manifest
from image_classifier.prepare.assemble import Dataset
from image_classifier.prepare.layout.folders import LISTED
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.records import delete_superseded
from image_classifier.prepare.report import document
from image_classifier.prepare.report.schema import Report
from image_classifier.prepare.spool import in_order

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

JSON, HTML = "application/json", "text/html; charset=utf-8"
REPORT, PAGE = "report.json", "report.html"
LIST_NAMES: dict[Split, str] = {"train": "train_lst/train.lst", "validation": "validation_lst/validation.lst"}
TEST_MANIFEST = "test.manifest"
ENTRIES_AT_ONCE = 10_000  # of a list that is written


def publish(
    dataset: Dataset, report: Report, page: Callable[[], bytes], *, s3: "S3Client", bucket: str, keys: Keys
) -> None:
    """Write the missing documents of a version; for an unchanged data set nothing is missing.

    Args:
        dataset: the data set of the version.
        report: the report of the version.
        page: returns report.html, for which it reads images; called only if report.json or the page must be written.
        s3: the S3 client.
        bucket: the bucket of the data set.
        keys: the keys of the classifier.

    """
    prefix = keys.version(dataset.fingerprint)
    version = _Version(s3, bucket, prefix, storage.list_objects(s3, bucket=bucket, prefix=prefix))
    written = set[str]()
    for name, body, content_type in _documents(dataset, report, bucket=bucket, keys=keys):
        written.add(prefix + name)
        lacks = version.lacks(name, body)
        if name == REPORT and (lacks or prefix + PAGE not in version.stored):
            version.write(PAGE, page(), HTML)
        if lacks:
            version.write(name, body, content_type)
    if surplus := [key for key in version.stored if key.startswith(prefix + manifest.FOLDER) and key not in written]:
        storage.delete(s3, bucket=bucket, keys=surplus)  # parts of an earlier manifest with more lines


@dataclass(frozen=True)
class _Version:
    """The existing documents of a version in S3."""

    s3: "S3Client"
    bucket: str
    prefix: str
    stored: Mapping[str, storage.Stored]

    def lacks(self, name: str, body: bytes) -> bool:
        """Return whether the document is missing or different in S3; with a KMS key its bytes must be read for that."""
        key = self.prefix + name
        stored = self.stored.get(key)
        if stored is None or stored.size_bytes != len(body):
            return True
        if storage.same_content(stored, body):
            return False
        found = storage.read(self.s3, bucket=self.bucket, key=key)
        return found is None or found[0] != body

    def write(self, name: str, body: bytes, content_type: str) -> None:
        storage.write(self.s3, bucket=self.bucket, key=self.prefix + name, body=body, content_type=content_type)
        log.info("Wrote s3://%s/%s", self.bucket, self.prefix + name)


def _documents(dataset: Dataset, report: Report, *, bucket: str, keys: Keys) -> Iterator[tuple[str, bytes, str]]:
    """Yield (name below the version's prefix, bytes, content type) of each document, the train list last."""
    lists = image_lists(dataset)
    for name, body in manifest.parts(document.manifest_lines(dataset, keys=keys)):
        yield name, body, "application/gzip"
    yield REPORT, document.dumps(report), JSON
    yield "labels.json", labels_document(dataset.labels), JSON
    if dataset.of("test"):
        yield TEST_MANIFEST, test_manifest(dataset, bucket=bucket, keys=keys), JSON
    yield LIST_NAMES["validation"], lists["validation"], "text/plain"
    yield LIST_NAMES["train"], lists["train"], "text/plain"


def list_entries(dataset: Dataset) -> dict[Split, list[Entry]]:
    """Return the entries of the lists; indices are unique over both, and the fingerprint decides the order."""
    return {split: list(_entries(dataset, split)) for split in LISTED}


def image_lists(dataset: Dataset) -> dict[Split, bytes]:
    """Return the bytes of the lists."""
    return {split: b"".join(_pieces(_entries(dataset, split))) for split in LISTED}


def _entries(dataset: Dataset, split: Split) -> Iterator[Entry]:
    """Yield the entries of a list in the order of `image_list.shuffled`."""
    import numpy as np

    images = dataset.of(split)
    first = 0 if split == LISTED[0] else len(dataset.of(LISTED[0]))
    indices = dataset.indices(images)
    digests = bytearray()
    for path in images.paths():
        digests += image_list.digest(path, seed=dataset.fingerprint)
    order = in_order(np.frombuffer(digests, ">u8").reshape(-1, 4))
    for position, path in zip(map(int, order), images.only(order).paths(), strict=True):
        yield Entry(first + position, (float(indices[position]),), path)


def _pieces(entries: Iterable[Entry]) -> Iterator[bytes]:
    rest = iter(entries)
    while part := list(islice(rest, ENTRIES_AT_ONCE)):
        yield image_list.dumps(part).encode()


def test_manifest(dataset: Dataset, *, bucket: str, keys: Keys) -> bytes:
    """Return the bytes of test.manifest: the test images, in the format of S3DataType ManifestFile."""
    paths = [f"test/{path}" for path in dataset.of("test").paths()]  # which are in their order
    return json.dumps([{"prefix": f"s3://{bucket}/{keys.dataset}"}, *paths]).encode()


def delete_unreferenced_images(
    classifier: str, *, s3: "S3Client", bucket: str, fingerprint: str, training_in_progress: bool
) -> int:
    """Delete the classifier's prepared images that this version of its data set does not list.

    Args:
        classifier: name of the classifier.
        s3: the client.
        bucket: where the data set is.
        fingerprint: the version to keep, the newest.
        training_in_progress: whether a training job of the classifier runs, perhaps on images that left the data set;
            then nothing is deleted.

    Returns:
        The number of deleted images; in a versioned bucket they remain as old versions until they expire.

    Raises:
        DatasetError: the version has no lists, or S3 refuses.

    """
    if training_in_progress:
        log.info("Classifier %s is being trained; images that left its data set are deleted another time", classifier)
        return 0
    keys = Keys(classifier)
    delete_superseded(s3, bucket=bucket, keys=keys, fingerprint=fingerprint)
    unreferenced = [key for split in LISTED for key in _unreferenced(s3, bucket, keys, split, fingerprint)]
    unreferenced += _unreferenced_tests(s3, bucket, keys, fingerprint)
    storage.delete(s3, bucket=bucket, keys=unreferenced)
    if unreferenced:
        log.info("Deleted %d images that left the data set from s3://%s/%s", len(unreferenced), bucket, keys.dataset)
    return len(unreferenced)


def _unreferenced(s3: "S3Client", bucket: str, keys: Keys, split: Split, fingerprint: str) -> list[str]:
    list_key = keys.version(fingerprint) + LIST_NAMES[split]
    found = storage.read(s3, bucket=bucket, key=list_key)
    if found is None:
        message = f"s3://{bucket}/{list_key} is absent, so every image may be in use; prepare the data set first."
        raise DatasetError(message)
    listed = {keys.split(split) + entry.path for entry in image_list.parse(found[0].decode())}
    return [key for key in storage.list_objects(s3, bucket=bucket, prefix=keys.split(split)) if key not in listed]


def _unreferenced_tests(s3: "S3Client", bucket: str, keys: Keys, fingerprint: str) -> list[str]:
    """Return test images that are not in the version's manifest; a version of release 0.1 has neither."""
    found = storage.read(s3, bucket=bucket, key=keys.version(fingerprint) + TEST_MANIFEST)
    listed = {keys.dataset + path for path in json.loads(found[0])[1:]} if found else set()
    return [key for key in storage.list_objects(s3, bucket=bucket, prefix=keys.split("test")) if key not in listed]
