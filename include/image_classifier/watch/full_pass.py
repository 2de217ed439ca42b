"""Lists all images of a classifier to find those without a record, as often as the budget of listings allows."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from image_classifier.aws import s3 as storage
from image_classifier.classify_existing.missing_records import Counter, Listed, Position, compare
from image_classifier.classify_existing.records import Target
from image_classifier.classify_existing.replays import MOST_ATTEMPTS, replay, write_failed_record
from image_classifier.watch.state import Replayed, WatchState

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

ALWAYS_UP_TO = 20_000  # a classifier with at most this number of images has a full pass in every run
LISTINGS_PER_DAY = 6_000  # per classifier; ListObjectsV2 costs 0.005 US dollars per 1,000 (us-east-1, 2026)
LONGEST_INTERVAL = timedelta(hours=24)
GRACE = timedelta(minutes=10)  # Lambda retries a failed event after one and after two minutes
WAIT_AFTER_REPLAY = timedelta(minutes=30)  # the time doubles with each further replay
MOST_REPLAYS = 1_000  # in one run, so that replays do not delay the uploads
MOST_LOOKED_AT = 5  # of the replayed images between two full passes
MOST_REMEMBERED = 10_000  # the largest number of replayed images in the state


@dataclass
class PassResult:
    """The result of one run.

    Attributes:
        is_complete: the pass reached the last image.
        missing: number of images without a current record that were old enough to have one.
        replayed: number of these images for which the function was invoked again.
        given_up: number of images that got a failed record.

    """

    is_complete: bool = False
    missing: int = 0
    replayed: int = 0
    given_up: int = 0


def is_due(state: WatchState, *, now: datetime) -> bool:
    """Return whether this run should start or continue a full pass."""
    if state.pass_started is not None or state.last_pass is None or state.last_pass_images <= ALWAYS_UP_TO:
        return True
    passes_per_day = LISTINGS_PER_DAY / max(1, state.last_pass_listings)
    return now - state.last_pass >= min(LONGEST_INTERVAL, timedelta(days=1) / passes_per_day)


def forget_answered(s3: "S3Client", target: Target, state: WatchState) -> None:
    """Forget replayed images that have a record since; a few in each run, so that a finding closes between passes."""
    for key, replayed in list(state.replayed.items())[:MOST_LOOKED_AT]:
        written = storage.modified(s3, bucket=target.bucket, key=target.record_key(key))
        if written is not None and written >= replayed.last.replace(microsecond=0):
            del state.replayed[key]


class FullPass:
    """One run's part of a pass over all images of a classifier."""

    def __init__(self, functions: "LambdaClient", s3: "S3Client", target: Target, *, grace: timedelta = GRACE) -> None:
        """Store the arguments; nothing is listed yet."""
        self._functions, self._s3, self._target, self._grace = functions, s3, target, grace

    def run(self, state: WatchState, *, now: datetime, is_over: Callable[[], bool]) -> PassResult:
        """Compare images with records and replay images without one, until the end or `is_over`; update `state`."""
        if state.pass_started is None:
            state.pass_started, state.images, state.listings = now, 0, 0
        result, counter = PassResult(), Counter()
        reached = Position(bytes.fromhex(state.after), bytes.fromhex(state.images_from))
        for image, position, is_missing in compare(
            self._s3, bucket=self._target.bucket, classifier=self._target.classifier, start=reached, counter=counter
        ):
            reached, key = position, self._target.keys.incoming + image.name.decode()
            if is_missing and now - image.modified >= self._grace:
                self._replay(image, key, state=state, now=now, result=result)
            else:
                state.replayed.pop(key, None)
            if is_over():
                break
        else:
            result.is_complete = True
        self._note(state, position=reached, counter=counter, now=now, result=result)
        return result

    def _replay(self, image: Listed, key: str, *, state: WatchState, now: datetime, result: PassResult) -> None:
        result.missing += 1
        before = state.replayed.get(key)
        if before is not None:
            before.seen_in = state.pass_started
        if before is not None and before.last < image.modified:  # an older version of the image was replayed
            before = None
        attempts = before.attempts if before else 0
        if before is not None and now - before.last < WAIT_AFTER_REPLAY * 2 ** (attempts - 1):
            return
        if attempts >= MOST_ATTEMPTS:
            sentence = f"The function wrote no record after {attempts} replays; see its log group."
            result.given_up += write_failed_record(self._s3, self._target, key=key, code="no_record", sentence=sentence)
            state.replayed.pop(key, None)
        elif result.replayed < MOST_REPLAYS:
            result.replayed += replay(self._functions, self._s3, self._target, key=key)
            if key in state.replayed or len(state.replayed) < MOST_REMEMBERED:
                state.replayed[key] = Replayed(attempts=attempts + 1, last=now, seen_in=state.pass_started)

    def _note(
        self, state: WatchState, *, position: Position, counter: Counter, now: datetime, result: PassResult
    ) -> None:
        state.images += counter.images
        state.listings += counter.listings
        if not result.is_complete:
            state.after, state.images_from = position.after.hex(), position.images_from.hex()
            return
        log.info("Compared %d images with their records in %d listings", state.images, state.listings)
        for key in [key for key, replayed in state.replayed.items() if replayed.seen_in != state.pass_started]:
            del state.replayed[key]  # the image was deleted
        state.after, state.images_from, state.pass_started = "", "", None
        state.last_pass, state.last_pass_images, state.last_pass_listings = now, state.images, state.listings
