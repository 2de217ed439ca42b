"""Writes the listing of a source to S3: the images that have not changed, and shards of those that must be read.

Below ``<c>/dataset/listing/<run>/``. ``run`` is computed from the content: the same source has the same listing, and
what an interrupted run has done is done.

=============================  =====================================================================================
part-<n>.jsonl.gz              the images of shard n, from 0: see `lines.entry_line`
inspected/part-<n>.jsonl.gz    what was found out about them, written by `shard.prepare_shard`: see `lines.result_line`
unchanged/part-<n>.jsonl.gz    images that are in no shard, as the previous version knows them: see `lines.image_line`
header.json.gz                 see `header.Header`; written last
=============================  =====================================================================================
"""

import hashlib
import json
import logging
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.classifier.preparation import Runner
from image_classifier.prepare import manifest
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.pointer import Pointer
from image_classifier.prepare.preparation import Preparation
from image_classifier.prepare.previous import inspected_by
from image_classifier.prepare.shards import header
from image_classifier.prepare.shards.lines import Entry, entry_line, image_line, json_of
from image_classifier.prepare.shards.sharding import Chosen, sharding
from image_classifier.prepare.sources.corrected import CorrectedSource

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

GZIP = "application/gzip"
LINES_OF_AN_UNCHANGED_PART = 100_000


class Listing(BaseModel):
    """A listing in S3; small, because it travels through XCom.

    Attributes:
        run: names its folder.
        images: how many the source has.
        unread: how many of them must be read; the others have not changed since the previous version.
        runner: who prepares the shards.
        shards: how many there are, numbered from 0; none if no image must be read.
        unchanged: the fingerprint of the version that the run would make again; then there is nothing in S3.

    """

    model_config = ConfigDict(frozen=True)

    run: str
    images: int
    unread: int
    runner: Chosen
    shards: int
    unchanged: str = ""


def unchanged_listing(version: Pointer, *, runner: Runner) -> Listing:
    """Return the listing of a source from which the newest version would be made again."""
    chosen, fingerprint = sharding(runner, 0).runner, version.fingerprint
    return Listing(run="", images=version.images, unread=0, runner=chosen, shards=0, unchanged=fingerprint)


def sentence(listing: Listing) -> str:
    """Return a sentence on how many images must be read, and by what."""
    if listing.unchanged:
        images = f"none of the {listing.images:,} images is read"
        return f"Nothing has changed since version {listing.unchanged}: {images}, and nothing is written."
    unchanged = listing.images - listing.unread
    if not listing.unread:
        return f"None of the {listing.images:,} images has changed since the previous version; none is read."
    read = f"{listing.unread:,} images are read" + (f", {unchanged:,} have not changed" if unchanged else "")
    where = {
        "task": "in one task",
        "mapped": f"in {listing.shards} mapped tasks",
        "processing": "by a SageMaker Processing job",
    }
    return f"{read}: {where[listing.runner]} (runner: {listing.runner})."


def entries_key(number: int, *, keys: Keys, run: str) -> str:
    """Return the S3 key of a shard's images."""
    return f"{keys.listing(run)}part-{number:05}.jsonl.gz"


def inspected_key(number: int, *, keys: Keys, run: str) -> str:
    """Return the S3 key of a shard's results, its part of the manifest."""
    return f"{keys.listing(run)}inspected/part-{number:05}.jsonl.gz"


def unchanged_prefix(*, keys: Keys, run: str) -> str:
    """Return the prefix of the images that have not changed since the previous version."""
    return f"{keys.listing(run)}unchanged/"


def write_listing(
    preparation: Preparation,
    source: CorrectedSource,
    *,
    s3: "S3Client",
    bucket: str,
) -> Listing:
    """Write the listing of a source; may be called again, and writes the same.

    Args:
        preparation: with the listed source, the keys in S3 and the previous version.
        source: its source.
        s3: the client.
        bucket: of the classifier.

    Returns:
        What the shards and the step that joins them are called with.

    """
    keys, images = preparation.keys, preparation.layout.images
    unread = places_unread(preparation)
    shared = sharding(preparation.classifier.preparation.runner, len(unread))
    shards = shared.shards
    head = header.Header(
        classifier=preparation.classifier,
        layout=preparation.layout,
        corrections=dict(source.corrections),
        previous=preparation.previous.fingerprint,
        images=len(images),
        shards=shards,
        inspected_by=inspected_by(),
        origin=preparation.origin,
    )
    run = _run(head, images, unread=unread)

    def write(key: str, lines: Iterable[Mapping[str, Any]]) -> None:
        storage.write(s3, bucket=bucket, key=key, body=manifest.packed(lines), content_type=GZIP)

    for number, lines in enumerate(_unchanged_parts(images, unread=unread)):
        write(f"{unchanged_prefix(keys=keys, run=run)}part-{number:05}.jsonl.gz", lines)
    for number in range(shards):
        places = unread[number * len(unread) // shards : (number + 1) * len(unread) // shards]
        write(entries_key(number, keys=keys, run=run), (entry_line(_entry(at, preparation)) for at in places))
    storage.write(s3, bucket=bucket, key=keys.listing(run) + header.NAME, body=head.dumps(), content_type=GZIP)
    log.info("Wrote s3://%s/%s: %d shards", bucket, keys.listing(run), shards)
    return Listing(run=run, images=len(images), unread=len(unread), runner=shared.runner, shards=shards)


def places_unread(preparation: Preparation) -> "array[int]":
    """Return the positions of the images that must be read."""
    inspector = preparation.inspector(known=preparation.previous)
    images = enumerate(preparation.layout.images)
    return array("Q", (at for at, image in images if inspector.unread(image) is None))


def _entry(at: int, preparation: Preparation) -> Entry:
    image, previous = preparation.layout.images[at], preparation.previous
    known = previous.probably(image)
    return Entry(at, image, known, previous.split_before(known.sha256) if known else None)


def _unchanged_parts(images: Sequence[Listed], *, unread: Sequence[int]) -> Iterator[Iterable[dict[str, Any]]]:
    """Yield the lines of each part, which must be read before the next."""
    is_unread = bytearray(len(images))
    for at in unread:
        is_unread[at] = True
    lines = (image_line(at, image) for at, image in enumerate(images) if not is_unread[at])
    for _ in range(0, len(images) - len(unread), LINES_OF_AN_UNCHANGED_PART):
        yield islice(lines, LINES_OF_AN_UNCHANGED_PART)


def delete_listings(s3: "S3Client", *, bucket: str, keys: Keys, but: str = "") -> None:
    """Delete the classifier's listings, but for the one of this run: what other runs began is listed again."""
    listed = storage.list_objects(s3, bucket=bucket, prefix=keys.listings)
    kept = keys.listing(but) if but else None
    storage.delete(s3, bucket=bucket, keys=[key for key in listed if not (kept and key.startswith(kept))])


def _run(head: header.Header, images: Sequence[Listed], *, unread: Sequence[int]) -> str:
    """Names the listing by its content: 16 hex digits."""
    content = hashlib.sha256(head.content())
    for image in images:
        content.update(json.dumps([image.name, image.class_name, image.split, image.stamp]).encode())
    for text in json_of(unread):
        content.update(text.encode())
    return content.hexdigest()[:16]
