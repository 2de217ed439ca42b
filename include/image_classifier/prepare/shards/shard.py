"""Prepares one shard of a listing; anything may run it, anywhere, and as often as it likes."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import DatasetError
from image_classifier.prepare import manifest
from image_classifier.prepare.inspection.inspector import NOT_FOR_GOOD, Facts, Inspected, Rejected
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.preparation import Preparation
from image_classifier.prepare.previous import inspected_by
from image_classifier.prepare.progress import Progress
from image_classifier.prepare.shards.header import Header
from image_classifier.prepare.shards.lines import Entry, read_entry, read_result, result_line
from image_classifier.prepare.shards.listing import GZIP, entries_key, inspected_key
from image_classifier.prepare.stores import StoredKeys, open_store

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ShardResult:
    """What became of a shard's images."""

    images: int
    rejected: int
    uploaded: int


def prepare_shard(
    number: int,
    *,
    classifier: str,
    run: str,
    s3: "S3Client",
    bucket: str,
    data_folder: Path = Path(),
    stored: StoredKeys | None = None,
    on_progress: Callable[[str], None] = log.info,
) -> ShardResult:
    """Inspect the images of one shard, and store their prepared forms.

    Reads ``<c>/dataset/listing/<run>/header.json.gz`` and ``part-<number>.jsonl.gz``, and the images from the source.
    Writes the prepared images, which are named by their content, to ``<c>/dataset/<split>/<class>/``, and when all are
    stored ``<c>/dataset/listing/<run>/inspected/part-<number>.jsonl.gz`` in one request. A shard that was interrupted
    uploads only what is not there; of one that has its part, only images are read again that were unreadable, or whose
    prepared form is gone.

    Args:
        number: of the shard, from 0.
        classifier: its name.
        run: of the listing.
        s3: client for the bucket, and for the source if that is in S3.
        bucket: of the classifier.
        data_folder: where a source that is a relative folder starts.
        stored: the keys in the bucket, to share what was listed among the shards of a process.
        on_progress: takes a line for people every few seconds.

    Raises:
        DatasetError: S3 refuses; the source is not there on this machine; or another release listed it.
        StorageError: S3 does not answer as it should at present.
        ObjectGoneError: the listing was deleted.

    """
    keys = Keys(classifier)
    head = Header.read(s3, bucket=bucket, keys=keys, run=run)
    _check_same_release(head)
    entries = _entries(number, keys=keys, run=run, s3=s3, bucket=bucket)
    preparation = Preparation(
        head.classifier,
        head.source(s3, bucket=bucket, data_folder=data_folder),
        head.layout,
        open_store(s3, bucket),
        stored=stored or StoredKeys(s3, bucket),
        only_train=head.only_train,
    )
    key = inspected_key(number, keys=keys, run=run)
    results = _done(key, preparation, s3=s3, bucket=bucket)
    on_progress(_introduction(number, head, images=len(entries), done=len(results)))
    if left := [entry for entry in entries if entry.at not in results]:
        results |= _inspected(left, preparation, progress=Progress(on_progress, len(left)))
        preparation.store.finish()
        lines = (result_line(at, found) for at, found in sorted(results.items()))
        storage.write(s3, bucket=bucket, key=key, body=manifest.packed(lines), content_type=GZIP)
    return ShardResult(
        images=len(results),
        rejected=sum(isinstance(found, Rejected) for found in results.values()),
        uploaded=sum(isinstance(found, Inspected) and found.uploaded for found in results.values()),
    )


def _introduction(number: int, head: Header, *, images: int, done: int) -> str:
    earlier = f", of which an earlier try has prepared {done:,}" if done else ""
    return f"Shard {number + 1} of {head.shards}: {images:,} images{earlier}"


Results = dict[int, Inspected | Rejected]  # by the image's place in the listing


@dataclass(frozen=True)
class _Probable:
    """What the previous version says of the files of a shard, as far as their bytes are the same."""

    entries: Iterable[Entry]
    by_content: dict[str, tuple[Facts, Split | None]] = field(init=False)

    def __post_init__(self) -> None:
        known = {one.known.sha256: (one.known, one.split_before) for one in self.entries if one.known}
        object.__setattr__(self, "by_content", known)

    def unchanged(self, image: Listed) -> None:
        """Return None: a shard contains no unchanged images."""

    def same_content(self, sha256: str) -> Facts | None:
        return self.by_content.get(sha256, (None, None))[0]

    def split_before(self, sha256: str) -> Split | None:
        return self.by_content.get(sha256, (None, None))[1]

    def left_out(self, image: Listed) -> bool:  # noqa: ARG002 - asked for unchanged images alone
        return False


def _inspected(entries: list[Entry], preparation: Preparation, *, progress: Progress) -> Results:
    known = _Probable(entries)
    inspector = preparation.inspector(known=known, split_before=known.split_before)
    found = inspector.all((entry.image for entry in entries), report=progress.count)
    return {entry.at: one for entry, one in zip(entries, found, strict=True)}


def _done(key: str, preparation: Preparation, *, s3: "S3Client", bucket: str) -> Results:
    """Return the results of an earlier try, without those that may have changed."""
    written = storage.read(s3, bucket=bucket, key=key)
    results = {line["at"]: read_result(line) for line in manifest.unpacked(written[0])} if written else {}
    return {at: found for at, found in results.items() if _holds(found, preparation)}


def _holds(found: Inspected | Rejected, preparation: Preparation) -> bool:
    if isinstance(found, Rejected):
        return found.code not in NOT_FOR_GOOD
    return preparation.keys.split(found.split) + found.path in preparation.stored


def _entries(number: int, *, keys: Keys, run: str, s3: "S3Client", bucket: str) -> list[Entry]:
    data = storage.read_written(s3, bucket=bucket, key=entries_key(number, keys=keys, run=run))
    return list(map(read_entry, manifest.unpacked(data)))


def _check_same_release(head: Header) -> None:
    """Check that all workers prepare the images of a data set with the same releases."""
    if head.inspected_by != inspected_by():
        message = (
            f"The source was listed by a worker with {head.inspected_by}, and this one has {inspected_by()}: they may "
            "prepare the same image differently. Bring all workers to the same release of Pillow and of this package."
        )
        raise DatasetError(message)
