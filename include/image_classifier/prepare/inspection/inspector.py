"""Reads, hashes, decodes, measures and prepares each image once, and hands the usable ones on to be stored."""

import hashlib
import multiprocessing
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import BoundedSemaphore
from typing import Protocol

from image_classifier.aws.names import Keys
from image_classifier.contracts import pixels, signatures
from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.contracts.pixels import Picture, PixelParameters, Prepared
from image_classifier.contracts.training.machine import usable_cores, usable_memory_bytes
from image_classifier.prepare.classes import class_folder
from image_classifier.prepare.inspection import statistics
from image_classifier.prepare.inspection.near_duplicates import Look
from image_classifier.prepare.inspection.statistics import Statistics
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.layout.split_folders import Split
from image_classifier.prepare.sources.source import Source

# Threads of one process: Pillow releases the interpreter while it decodes, and the rest waits for S3. Together they
# keep about one core busy; `shards.processes` uses the others. botocore keeps 10 connections.
WORKERS = 8
DECODED_BESIDE_OTHERS = 2
MEMORY_OF_A_DECODER = 650 * 1024**2  # at most, for the largest image
IN_FLIGHT = 4 * WORKERS  # number of images that are read ahead, which limits the memory
NOT_FOR_GOOD = ("unreadable", "changed")  # codes of rejections that another run may not repeat
UNMODIFIED_KEY = "as-is"  # the name of release 0.1, which is part of fingerprints


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about an image file that are independent of its class and split.

    Attributes:
        sha256: SHA-256 of the file.
        width, height: size of the source when held upright, in pixels.
        traits: codes of properties that the prepared copy has lost (see `statistics.traits`).
        look: what near-duplicates are compared by; None if the image shows too little.
        file_name: name of the prepared image below the folder of its split and class.
        revision: the result of `pixels.revision`; not empty if release 0.1 prepared it wrongly.

    """

    sha256: str
    width: int
    height: int
    statistics: Statistics
    traits: tuple[str, ...]
    look: Look | None
    file_name: str
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Inspected:
    """A usable image: its facts, and the place of its prepared copy in S3.

    Attributes:
        split: the split by its own content; `placement.place` decides the final split with its near-duplicates.
        path: the path below the split's prefix, as in the image list.
        uploaded: whether the prepared image was not in S3 when the run began.
        group: SHA-256 of the first image of its group of near-duplicates; its own if it has none.

    """

    image: Listed
    split: Split
    facts: Facts
    uploaded: bool
    group: str = ""

    @property
    def sha256(self) -> str:
        return self.facts.sha256

    @property
    def path(self) -> str:
        return f"{class_folder(self.image.class_name)}/{self.facts.file_name}"


@dataclass(frozen=True, slots=True)
class Rejected:
    """An image that cannot be used, and the reason."""

    image: Listed
    code: str
    reason: str


class Known(Protocol):
    """The results of an earlier run."""

    def unchanged(self, image: Listed) -> Facts | Rejected | None:
        """Return the result for a file of the same name, size and time of change (or ETag), or None."""

    def same_content(self, sha256: str) -> Facts | None:
        """Return the facts of a file with the same bytes, or None."""

    def left_out(self, image: Listed) -> bool:
        """Return whether the earlier run left the image out, so that its prepared copy may be deleted."""


class Store(Protocol):
    """A place for prepared images."""

    def put(self, key: str, prepared: Prepared) -> None:
        """Begin to store an image."""

    def copy(self, key: str, *, to: str) -> None:
        """Copy a stored image to another key."""

    def finish(self) -> None:
        """Wait until all images are stored."""


@dataclass(frozen=True)
class Inspector:
    """Inspects images of one source for one classifier.

    Attributes:
        store: the place for prepared images.
        split_of: returns an image's split, from its content's hash and the split of its folder.
        stored: the keys in S3 when the run began.
        known: the results of an earlier run; a known image is not decoded again and, if unchanged, not read again.

    """

    source: Source
    store: Store
    keys: Keys
    parameters: PixelParameters
    unmodified: bool
    split_of: Callable[[str, Split | None], Split]
    stored: Container[str]
    known: Known
    _decoders: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(decoded_at_once()))
    _uploads: dict[str, object] = field(default_factory=dict)  # who uploads a key

    @property
    def pixels_key(self) -> str:
        """Return the parameters that decide the prepared bytes, besides the source's bytes."""
        return pixels_key(self.parameters, unmodified=self.unmodified)

    def all(
        self, images: Iterable[Listed], *, report: Callable[[Inspected | Rejected], None]
    ) -> Iterator[Inspected | Rejected]:
        """Inspect images in parallel; yield the results in the order of the images, and report each one."""
        running: deque[Future[Inspected | Rejected]] = deque()
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="inspect")
        try:
            for image in images:
                running.append(pool.submit(self.one, image))
                if len(running) >= IN_FLIGHT:
                    yield _reported(running.popleft().result(), report)
            while running:
                yield _reported(running.popleft().result(), report)
        finally:
            pool.shutdown(cancel_futures=True)

    def one(self, image: Listed) -> Inspected | Rejected:
        """Inspect one image and store its prepared copy, unless S3 has it."""
        return self.unread(image) or self.read(image)

    def unread(self, image: Listed) -> Inspected | Rejected | None:
        """Return the known result of an unchanged image that needs no upload; None if it must be read."""
        known = self.known.unchanged(image)
        if known is None:
            return None
        if isinstance(known, Rejected):
            return Rejected(image, known.code, known.reason)
        found = self._inspected(image, known)
        if not found.uploaded or self.known.left_out(image):  # which will hardly be used: see `has`
            return replace(found, uploaded=False)
        return None

    def read(self, image: Listed) -> Inspected | Rejected:
        """Read and inspect one image, and store its prepared copy, unless S3 has it."""
        try:
            return self._read(image)
        except ImageRejectedError as error:
            return Rejected(image, error.code, str(error))

    def has(self, key: str) -> bool:
        """Return whether a prepared image is stored, by an earlier run or by this one."""
        return key in self.stored or key in self._uploads

    def _read(self, image: Listed) -> Inspected:
        data = self.source.read(image.name, stamp=image.stamp, limit_bytes=self.parameters.max_image_bytes + 1)
        content = hashlib.sha256(data)
        known = self.known.same_content(content.hexdigest())
        if known and not (found := self._inspected(image, known)).uploaded:
            return found
        with self._decoders:
            kept = pixels.keep(data, self.parameters) if self.unmodified else None
            shown = self._shown(data, kept)
            facts = self._facts(image, data, content, shown)
            found = self._inspected(image, facts)
            if found.uploaded:
                jpeg = b"" if kept else shown.jpeg(self.parameters.jpeg_quality)
                prepared = kept or Prepared(jpeg, shown.width, shown.height)
        if found.uploaded:
            self._upload(self.keys.split(found.split) + found.path, prepared)
        return found

    def _shown(self, data: bytes, kept: Prepared | None) -> Picture:
        try:
            return pixels.picture(data, self.parameters)
        except ImageRejectedError:
            if kept is None:
                raise
            # The algorithm can read it; only this package cannot interpret the range of its pixels.
            return replace(pixels.picture(pixels.blank(), self.parameters), width=kept.width, height=kept.height)

    def _inspected(self, image: Listed, facts: Facts) -> Inspected:
        found = Inspected(image, self.split_of(facts.sha256, image.split), facts, uploaded=False)
        return replace(found, uploaded=self.keys.split(found.split) + found.path not in self.stored)

    def _facts(self, image: Listed, data: bytes, content: "hashlib._Hash", shown: Picture) -> Facts:
        revision = "" if self.unmodified else pixels.revision(data, self.parameters)
        return Facts(
            sha256=content.hexdigest(),
            width=shown.width,
            height=shown.height,
            statistics=statistics.measure(shown, size_bytes=len(data), parameters=self.parameters),
            traits=statistics.traits(shown, data, name=image.name, side_px=self.parameters.side_px),
            look=Look.of(shown.square, size=(shown.width, shown.height)),
            file_name=_file_name(
                content.copy(), f"{self.pixels_key}{revision}", ending=_ending(data, unmodified=self.unmodified)
            ),
            revision=revision,
        )

    def _upload(self, key: str, prepared: Prepared) -> None:
        mine = object()
        if self._uploads.setdefault(key, mine) is mine:  # one step for all threads: a copy does not go twice
            self.store.put(key, prepared)


def decoded_at_once() -> int:
    """Return how many images to decode at once: one per core, as the memory allows; fewer beside other processes."""
    if multiprocessing.parent_process() is not None:
        return DECODED_BESIDE_OTHERS
    return max(1, min(usable_cores(), usable_memory_bytes() // MEMORY_OF_A_DECODER))


def _reported(found: Inspected | Rejected, report: Callable[[Inspected | Rejected], None]) -> Inspected | Rejected:
    report(found)
    return found


def pixels_key(parameters: PixelParameters, *, unmodified: bool) -> str:
    """Return the parameters that decide the prepared bytes, besides the source's bytes."""
    return UNMODIFIED_KEY if unmodified else parameters.key()


def file_name(data: bytes, *, parameters: PixelParameters, unmodified: bool, revision: str = "") -> str:
    """Return the name of a file's prepared copy below the folder of its split and class."""
    key = f"{pixels_key(parameters, unmodified=unmodified)}{revision}"
    return _file_name(hashlib.sha256(data), key, ending=_ending(data, unmodified=unmodified))


def _file_name(content: "hashlib._Hash", key: str, *, ending: str) -> str:
    content.update(key.encode())
    return f"{content.hexdigest()[:16]}.{ending}"


def _ending(data: bytes, *, unmodified: bool) -> str:
    return "png" if unmodified and data.startswith(signatures.PNG) else "jpg"
