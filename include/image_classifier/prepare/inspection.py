"""Judges images: reads, hashes, decodes and prepares each once, and hands the good ones on to be stored."""

import hashlib
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import BoundedSemaphore

from image_classifier.aws.names import Keys
from image_classifier.contracts import pixels
from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.contracts.pixels import PixelParameters, Prepared
from image_classifier.prepare.classes import class_folder
from image_classifier.prepare.layout import Listed, Split
from image_classifier.prepare.source import Source

# Threads, not processes: Pillow releases the interpreter while it decodes, and the rest waits for S3. A task's process
# may be a daemon, which may not have children. botocore keeps 10 connections.
WORKERS = 8
IN_FLIGHT = 4 * WORKERS  # images read ahead, which bounds the memory
PROGRESS_EVERY_S = 5.0
UNMODIFIED_KEY = "as-is"  # a name of release 0.1, kept because fingerprints are made of it


@dataclass(frozen=True)
class Inspected:
    """A usable image: what it is, and where its prepared form is in S3."""

    image: Listed
    split: Split
    sha256: str
    path: str  # below the split's prefix, as the image list has it
    width: int
    height: int
    uploaded: bool
    revision: str = ""  # of `pixels.revision`: not empty if release 0.1 prepared it wrongly


@dataclass(frozen=True)
class Rejected:
    """An image that cannot be used, and why."""

    image: Listed
    code: str
    reason: str


@dataclass(frozen=True)
class Inspector:
    """Judges images of one source for one classifier.

    Attributes:
        store: puts a prepared image at its key; S3, or nowhere when the data set is only planned.
        split_of: decides, by its content's hash and the split that its folder names, where an image goes.
        stored: the keys in S3 when the run began; such an image was inspected before and is not decoded again.

    """

    source: Source
    store: Callable[[str, Prepared], None]
    keys: Keys
    parameters: PixelParameters
    unmodified: bool
    split_of: Callable[[str, Split | None], Split]
    stored: frozenset[str]
    _decoders: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(os.cpu_count() or 1))
    _uploads: dict[str, object] = field(default_factory=dict)  # who uploads a key

    @property
    def pixels_key(self) -> str:
        """What decides the prepared bytes, besides the source's."""
        return UNMODIFIED_KEY if self.unmodified else self.parameters.key()

    def all(self, images: Iterable[Listed], *, report: Callable[[int], None]) -> Iterator[Inspected | Rejected]:
        """Inspect images in parallel; the answers come in the order of the images."""
        running: deque[Future[Inspected | Rejected]] = deque()
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="inspect")
        try:
            done = 0
            for image in images:
                running.append(pool.submit(self.one, image))
                if len(running) >= IN_FLIGHT:
                    yield running.popleft().result()
                    report(done := done + 1)
            while running:
                yield running.popleft().result()
                report(done := done + 1)
        finally:
            pool.shutdown(cancel_futures=True)

    def one(self, image: Listed) -> Inspected | Rejected:
        """Inspect one image and hand it on, unless S3 has it."""
        try:
            data = self.source.read(image.name, limit_bytes=self.parameters.max_image_bytes + 1)
            content = hashlib.sha256(data)
            split = self.split_of(content.hexdigest(), image.split)
            revision = "" if self.unmodified else pixels.revision(data, self.parameters)
            path = f"{class_folder(image.class_name)}/{self._file_name(data, content.copy(), revision)}"
            key = self.keys.split(split) + path
            if key in self.stored:
                width, height = pixels.measure(data, self.parameters)
            else:
                prepared = self._prepare(data)
                width, height = prepared.width, prepared.height
                self._upload(key, prepared)
        except ImageRejectedError as error:
            return Rejected(image, error.code, str(error))
        return Inspected(image, split, content.hexdigest(), path, width, height, key not in self.stored, revision)

    def _prepare(self, data: bytes) -> Prepared:
        with self._decoders:  # decoding may take 500 MB: as many at once as there are cores to do it
            return pixels.keep(data, self.parameters) if self.unmodified else pixels.prepare(data, self.parameters)

    def _upload(self, key: str, prepared: Prepared) -> None:
        mine = object()
        if self._uploads.setdefault(key, mine) is mine:  # one step for all threads: a copy does not go twice
            self.store(key, prepared)

    def _file_name(self, data: bytes, content: "hashlib._Hash", revision: str) -> str:
        content.update(f"{self.pixels_key}{revision}".encode())
        ending = "png" if self.unmodified and data.startswith(b"\x89PNG") else "jpg"
        return f"{content.hexdigest()[:16]}.{ending}"


def progress(
    say: Callable[[str], None], *, total: int, clock: Callable[[], float] = time.monotonic
) -> Callable[[int], None]:
    """A counter that says every few seconds how far the inspection is, and when all is done."""
    last = clock()

    def report(done: int) -> None:
        nonlocal last
        if done == total or clock() - last >= PROGRESS_EVERY_S:
            last = clock()
            say(f"{done:,} of {total:,} images inspected")

    return report
