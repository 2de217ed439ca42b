"""Reads and writes corrections in S3; a write over another person's unseen correction is refused."""

import itertools
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import list_objects, naming, read, write_if_unchanged
from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.errors import CorrectionError, ResourceBusyError
from image_classifier.contracts.record_keys import correction_key

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

CONTENT_TYPE = "application/json"
READERS = 16
CACHED = 20_000
NOTHING_RENAMED: Mapping[str, str] = MappingProxyType({})
LISTING_AGE_S = 10  # a listing of all corrections is used again up to this age


@dataclass(frozen=True)
class Stored:
    """A correction and the ETag of its object."""

    correction: Correction
    etag: str


class CorrectionConflictError(CorrectionError):
    """Somebody else has corrected the image in the meantime.

    Attributes:
        stored: their correction; None if they withdrew it.

    """

    def __init__(self, sentence: str, stored: Stored | None) -> None:
        """Store the other correction; the sentence becomes the error's message."""
        super().__init__(sentence)
        self.stored = stored


class CorrectionCache:
    """Corrections by bucket, key and ETag: an unchanged object is not read again, and a recent listing is reused.

    Args:
        clock: returns seconds of a monotonic clock.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Create an empty cache."""
        self._lock, self._clock = threading.Lock(), clock
        self._found: dict[tuple[str, str, str], Correction | None] = {}
        self._listed: dict[tuple[str, str], tuple[float, dict[str, str]]] = {}

    def listing(self, s3: "S3Client", *, bucket: str, prefix: str) -> dict[str, str]:
        """Return the ETags of all corrections below a prefix, by key; other processes' may be `LISTING_AGE_S` late."""
        with self._lock:
            made, found = self._listed.get((bucket, prefix), (float("-inf"), {}))
            if self._clock() - made < LISTING_AGE_S:
                return dict(found)
        found = {key: stored.etag for key, stored in list_objects(s3, bucket=bucket, prefix=prefix).items()}
        with self._lock:
            self._listed[bucket, prefix] = self._clock(), found
        return dict(found)

    def note(self, *, bucket: str, prefix: str, key: str, etag: str) -> None:
        """Add a correction that was just written to the listing."""
        with self._lock:
            if (bucket, prefix) in self._listed:
                self._listed[bucket, prefix][1][key] = etag

    def find(self, s3: "S3Client", *, bucket: str, key: str, etag: str) -> Correction | None:
        """Return the correction with this ETag, or its successor; None if the object is missing or not a correction."""
        with self._lock:
            if (bucket, key, etag) in self._found:
                return self._found[bucket, key, etag]
        stored = _read(s3, bucket=bucket, key=key)
        correction = stored.correction if stored else None
        with self._lock:
            for oldest in list(itertools.islice(self._found, max(0, len(self._found) - CACHED))):
                del self._found[oldest]
            self._found[bucket, key, etag] = correction
        return correction


@dataclass(frozen=True)
class Corrections:
    """The corrections of one classifier."""

    s3: "S3Client"
    bucket: str
    keys: Keys
    cache: CorrectionCache

    def all(self) -> dict[str, Stored]:
        """Return every correction that is not withdrawn, by the image's key.

        Raises:
            StorageError: S3 has a transient error.
            DatasetError: S3 refuses to return the corrections.

        """
        return self.read(self.cache.listing(self.s3, bucket=self.bucket, prefix=self.keys.corrections))

    def written_since(self, time: datetime) -> dict[str, Stored]:
        """Return the corrections whose objects were written at this time or later, by the image's key.

        All are listed, 1,000 per call, and only these are read.
        """
        listed = list_objects(self.s3, bucket=self.bucket, prefix=self.keys.corrections)
        later = (key for key, stored in listed.items() if datetime.fromisoformat(stored.last_modified) >= time)
        return self.read({key: listed[key].etag for key in later})

    def among(self, image_keys: Iterable[str]) -> dict[str, Stored]:
        """Return the corrections of many images, by key, from the same listing as `all`."""
        listed = self.cache.listing(self.s3, bucket=self.bucket, prefix=self.keys.corrections)
        wanted = {self.key_of(key) for key in image_keys} if listed else set()
        return self.read({key: etag for key, etag in listed.items() if key in wanted})

    def of(self, image_keys: Iterable[str]) -> dict[str, Stored]:
        """Return the present corrections of some images that are not withdrawn, by the image's key.

        They are listed if one answer of S3 holds all corrections of the classifier; otherwise each one is read.

        Raises:
            StorageError: S3 has a transient error.
            DatasetError: S3 refuses to return the corrections.

        """
        wanted = {self.key_of(key): key for key in image_keys}
        prefix = self.keys.corrections
        with naming(self.bucket, prefix, doing="list"):
            page = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        if not page["IsTruncated"]:
            listed = {found["Key"]: found["ETag"] for found in page.get("Contents", [])}
            return self.read({key: etag for key, etag in listed.items() if key in wanted})
        with ThreadPoolExecutor(READERS) as readers:
            found = readers.map(self.current, wanted.values())
            return {stored.correction.key: stored for stored in found if stored}

    def current(self, image_key: str) -> Stored | None:
        """Return the correction of one image; None if there is none, or if it was withdrawn."""
        stored = _read(self.s3, bucket=self.bucket, key=self.key_of(image_key))
        return stored if stored and stored.correction.answer != "withdrawn" else None

    def write(self, correction: Correction, *, seen: str | None) -> str:
        """Store a correction if the stored one has the ETag `seen` (None: if there is none); return the new ETag.

        Raises:
            CorrectionConflictError: another correction was stored in the meantime.

        """
        key, bucket = self.key_of(correction.key), self.bucket
        stored = _read(self.s3, bucket=bucket, key=key)
        if stored and _same(stored.correction, correction):
            return stored.etag  # a request that was sent twice has stored the same answer already
        is_withdrawn = stored is not None and stored.correction.answer == "withdrawn"
        etag = stored.etag if stored and seen is None and is_withdrawn else seen
        try:
            written = write_if_unchanged(
                self.s3, bucket=bucket, key=key, body=correction.as_json(), content_type=CONTENT_TYPE, etag=etag
            )
        except ResourceBusyError as error:
            raise _conflict(correction.key, _read(self.s3, bucket=bucket, key=key)) from error
        self.cache.note(bucket=bucket, prefix=self.keys.corrections, key=key, etag=written)
        return written

    def read(self, listed: Mapping[str, str]) -> dict[str, Stored]:
        """Return the listed corrections that are not withdrawn, by the image's key; `listed` has ETags by S3 key."""
        with ThreadPoolExecutor(READERS) as readers:
            found = readers.map(lambda item: self._find(*item), listed.items())
            return {stored.correction.key: stored for stored in found if stored}

    def _find(self, key: str, etag: str) -> Stored | None:
        correction = self.cache.find(self.s3, bucket=self.bucket, key=key, etag=etag)
        return Stored(correction, etag) if correction and correction.answer != "withdrawn" else None

    def key_of(self, image_key: str) -> str:
        """Return the S3 key of the correction of an image."""
        return correction_key(image_key, incoming_prefix=self.keys.incoming, corrections_prefix=self.keys.corrections)


def accepted(
    corrections: Iterable[Correction], *, labels: Iterable[str], renamed: Mapping[str, str] = NOTHING_RENAMED
) -> list[Correction]:
    """Return the corrections with a class that the next data set may use, under its present name, the oldest first.

    Answers without a class (unclear, irrelevant, withdrawn) and proposals of a class that is not accepted are left out.

    Args:
        corrections: of any age.
        labels: the data set's classes and those that the classifier's file accepts.
        renamed: the new name by class that the file renames or joins; a correction may have the earlier name.

    """
    known = set(labels)
    named = (_renamed(correction, known, renamed) for correction in corrections)
    usable = [correction for correction in named if correction.label is not None and correction.label in known]
    return sorted(usable, key=lambda correction: (correction.at, correction.key))


def _renamed(correction: Correction, known: Collection[str], renamed: Mapping[str, str]) -> Correction:
    if correction.label is None or correction.label in known:
        return correction
    return replace(correction, label=renamed.get(correction.label, correction.label))


def count_by_person(corrections: Iterable[Correction]) -> Mapping[str, int]:
    """Return the number of corrections by person."""
    counts: dict[str, int] = {}
    for correction in corrections:
        counts[correction.by] = counts.get(correction.by, 0) + 1
    return dict(sorted(counts.items()))


def _conflict(image_key: str, stored: Stored | None) -> CorrectionConflictError:
    if stored is None:
        return CorrectionConflictError(f"The correction of {image_key} was withdrawn in the meantime.", None)
    said = stored.correction.label or stored.correction.answer
    return CorrectionConflictError(
        f"{stored.correction.by} has answered {said} for {image_key} in the meantime.", stored
    )


def _same(one: Correction, other: Correction) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in ("answer", "label", "reason", "by", "version_id"))


def _read(s3: "S3Client", *, bucket: str, key: str) -> Stored | None:
    """Return the stored correction; None if there is none, or if the object is not a correction."""
    found = read(s3, bucket=bucket, key=key)
    if found is None:
        return None
    try:
        return Stored(Correction.from_json(found[0]), found[1])
    except CorrectionError as error:
        log.warning("s3://%s/%s: %s", bucket, key, error)
        return None
