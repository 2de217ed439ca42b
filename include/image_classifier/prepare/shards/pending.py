"""Prepares, in one task, the shards of a listing that nothing else has prepared."""

import multiprocessing
from collections.abc import Callable, Iterable
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import PreparationError
from image_classifier.prepare.progress import Progress
from image_classifier.prepare.shards.listing import Listing, inspected_key
from image_classifier.prepare.shards.processes import Connect, Shards, most_processes, prepare_in_processes, prepare_one
from image_classifier.prepare.stores import StoredKeys

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

SHARDS_OF_A_PROCESS = 2  # at least: a process takes two seconds to start, in which it would prepare 500 images


def prepare_pending(
    listing: Listing,
    shards: Shards,
    *,
    s3: "S3Client",
    connect: Callable[[], Connect] | None,
    on_progress: Callable[[str], None],
) -> None:
    """Prepare the shards without a part; of the runner ``task`` all, as an earlier run may have left parts behind.

    Args:
        listing: of the source.
        shards: its shards.
        s3: the client.
        connect: see `processes.prepare_in_processes`; None prepares everything in this process.
        on_progress: takes a line for people every few seconds.

    Raises:
        ImageClassifierError: as `shard.prepare_shard`.
        PreparationError: a process was killed.

    """
    numbers = _pending(listing, shards, s3)
    progress = Progress(on_progress, listing.unread * len(numbers) // max(1, listing.shards))
    processes = min(most_processes(), len(numbers) // SHARDS_OF_A_PROCESS)
    if connect is None or processes < 2 or multiprocessing.current_process().daemon:  # which may not have children
        _prepare_here(numbers, shards, s3=s3, progress=progress)
        return
    on_progress(f"{len(numbers):,} shards are prepared by {processes} processes")
    try:
        prepare_in_processes(numbers, shards=shards, connect=connect, processes=processes, progress=progress)
    except BrokenProcessPool as error:
        message = (
            "A process that prepared images was killed, perhaps because the worker has too little memory; what it had "
            "stored is not prepared again. Run the task again; if that recurs, give the worker more memory."
        )
        raise PreparationError(message) from error


def _prepare_here(numbers: Iterable[int], shards: Shards, *, s3: "S3Client", progress: Progress) -> None:
    stored = StoredKeys(s3, shards.bucket)
    for number in numbers:
        result = prepare_one(number, shards, s3=s3, stored=stored)
        progress.add(result.images, rejected=result.rejected)


def _pending(listing: Listing, shards: Shards, s3: "S3Client") -> list[int]:
    numbers = range(listing.shards)
    if listing.runner == "task":
        return list(numbers)
    keys = Keys(shards.classifier)
    parts = [inspected_key(number, keys=keys, run=listing.run) for number in numbers]
    folder = keys.listing(listing.run) + "inspected/"
    there = storage.list_objects(s3, bucket=shards.bucket, prefix=folder)
    return [number for number, part in zip(numbers, parts, strict=True) if part not in there]
