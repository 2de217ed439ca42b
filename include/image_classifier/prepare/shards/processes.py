"""Prepares shards in several processes, because Python's interpreter lock limits the threads of one to about one core.

A child process is started by ``spawn`` and makes its own S3 client: a forked client would share its parent's
connections. The child ends when its parent ends, also when the parent is killed.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from multiprocessing.connection import wait as wait_for
from pathlib import Path
from typing import TYPE_CHECKING

from image_classifier.contracts.training.machine import usable_cores, usable_memory_bytes
from image_classifier.prepare.progress import Progress
from image_classifier.prepare.shards.shard import ShardResult, prepare_shard
from image_classifier.prepare.stores import StoredKeys

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

MEMORY_OF_A_PROCESS = 512 * 1024**2  # 100 MB, and room for large images
Connect = Callable[[], "S3Client"]  # makes a client in another process: it must be hashable, and pickle must know it


@dataclass(frozen=True)
class Shards:
    """The shards of a listing, and what a process needs to prepare them; see `shard.prepare_shard`."""

    classifier: str
    run: str
    bucket: str
    data_folder: Path


def prepare_in_processes(
    numbers: Sequence[int],
    *,
    shards: Shards,
    connect: Callable[[], Connect],
    processes: int,
    progress: Progress,
) -> None:
    """Prepare shards of a listing in several processes; what one has prepared stays if another fails.

    Args:
        numbers: of the shards.
        shards: what they are of.
        connect: called here for each shard, so that its credentials are fresh; what it returns makes a child's client.
        processes: how many work at once.
        progress: counts the images.

    Raises:
        ImageClassifierError: as `shard.prepare_shard`, the first of the errors.
        BrokenProcessPool: a child process was killed.

    """
    waiting = iter(numbers)
    with process_pool(processes) as pool:
        running = {pool.submit(_prepare, number, shards, connect()) for number in islice(waiting, processes)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                result = one.result()
                progress.add(result.images, rejected=result.rejected)
            running |= {pool.submit(_prepare, number, shards, connect()) for number in islice(waiting, len(done))}


def most_processes() -> int:
    """Return how many processes of this machine, or of its container, may prepare images at once, at least one."""
    return max(1, min(usable_cores(), usable_memory_bytes() // MEMORY_OF_A_PROCESS))


def process_pool(processes: int) -> ProcessPoolExecutor:
    """Return a pool of new Python processes, which end with this one."""
    return ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), initializer=_end_with_parent)


def prepare_one(number: int, shards: Shards, *, s3: "S3Client", stored: StoredKeys) -> ShardResult:
    """Prepare a shard without log lines of its progress: the caller logs the progress of all shards."""
    return prepare_shard(
        number,
        classifier=shards.classifier,
        run=shards.run,
        s3=s3,
        bucket=shards.bucket,
        data_folder=shards.data_folder,
        stored=stored,
        on_progress=_silent,
    )


def _prepare(number: int, shards: Shards, connect: Connect) -> ShardResult:
    """Prepare a shard in the child process."""
    return prepare_one(number, shards, s3=_client(connect), stored=_stored(connect, shards))


@lru_cache(maxsize=1)
def _client(connect: Connect) -> "S3Client":
    return connect()


@lru_cache(maxsize=1)
def _stored(connect: Connect, shards: Shards) -> StoredKeys:
    """Return the keys that this process has listed, for all its shards."""
    return StoredKeys(_client(connect), shards.bucket)


def _silent(line: str) -> None:
    pass


def _end_with_parent() -> None:
    """End this process as soon as its parent has ended: a killed parent cannot shut its pool down."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_await_end, args=(parent.sentinel,), daemon=True).start()


def _await_end(sentinel: int) -> None:
    wait_for([sentinel])
    os._exit(1)
