"""Classifies images that are already below incoming/: those without a record, or all with the live model.

A hash of the keys divides the images among the tasks. Each task lists all images and handles its own share, because
listing 1,000 keys costs less than coordination. A retried task skips images whose record is newer than the start of
the run.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from image_classifier.aws.client_errors import is_transient
from image_classifier.aws.names import function_name
from image_classifier.aws.retry import repeat_at_random_on
from image_classifier.classify_existing.missing_records import Counter, Position, compare
from image_classifier.classify_existing.records import Target
from image_classifier.classify_existing.replays import current_image, replay_record
from image_classifier.connect.function_versions import ALIAS
from image_classifier.contracts.errors import BudgetError, PredictionError

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient
    from types_boto3_lambda.type_defs import InvocationResponseTypeDef
    from types_boto3_s3 import S3Client

log = logging.getLogger(__name__)

# Lambda: 1 GB for at most half a second, and the request; S3: two reads and four writes; us-east-1, 2026. The
# endpoint costs by the hour, with or without requests.
USD_PER_IMAGE = 0.5 * 0.0000166667 + 0.0000002 + 2 * 0.0000004 + 4 * 0.000005
PROGRESS_EVERY_S = 10
MOST_NAMED = 5
THROTTLED_TRIES = 12  # a few minutes, beside botocore's own four repetitions of each
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 20.0
ATTEMPTS = 2  # a failed invocation may have written the record but not its log entry; a task run again skips the image


@dataclass(frozen=True)
class Request:
    """The images to classify.

    Attributes:
        target: the classifier and the bucket.
        prefix: only images whose keys below incoming/ begin with this prefix.
        again: also images that have a record, with the live model.
        started: start of the run (UTC); its milliseconds since 1970 are the records' generation.

    """

    target: Target
    prefix: str
    again: bool
    started: datetime

    @property
    def generation(self) -> int:
        """Return the records' generation: 0 for images without a record, which are treated as late events."""
        return self.started_ms if self.again else 0

    @property
    def started_ms(self) -> int:
        """Return the start of the run in milliseconds since 1970."""
        return round(self.started.timestamp() * 1000)


@dataclass
class Share:
    """The result of one task; `failures` has the first few error messages."""

    classified: int = 0
    failed: int = 0
    failures: tuple[str, ...] = ()


def keys_to_classify(s3: "S3Client", request: Request, *, share: int = 0, shares: int = 1) -> Iterator[str]:
    """Yield the keys of the images that still have to be classified, in share `share` of `shares`."""
    target = request.target
    compared = compare(
        s3,
        bucket=target.bucket,
        classifier=target.classifier,
        start=Position(),
        counter=Counter(),
        recorded_since=request.started if request.again else None,
    )
    for image, _, is_missing in compared:
        key = target.keys.incoming + image.name.decode()
        if is_missing and image.name.decode().startswith(request.prefix) and _share_of(key, shares) == share:
            yield key


def count(s3: "S3Client", request: Request) -> int:
    """Return the number of images to classify."""
    return sum(1 for _ in keys_to_classify(s3, request))


def check_budget(number: int, *, max_cost_usd: float | None) -> None:
    """Log what so many images cost through the endpoint, and check it.

    Raises:
        BudgetError: they may cost more than `max_cost_usd`.

    """
    cost = number * USD_PER_IMAGE
    log.info(
        "%d images will be classified, for at most %.4f US dollars, without the endpoint's price per hour", number, cost
    )
    if max_cost_usd is not None and cost > max_cost_usd:
        message = (
            f"To classify {number:,} images may cost {cost:.2f} US dollars, and max_cost_usd is {max_cost_usd:.2f}. "
            "Raise it for this run, or name a prefix with fewer images. Nothing was classified."
        )
        raise BudgetError(message)


def classify_share(
    functions: "LambdaClient", s3: "S3Client", request: Request, *, share: int, shares: int, concurrency: int
) -> Share:
    """Classify one share of the images, at most `concurrency` at a time.

    Raises:
        PredictionError: images failed; the message names the first ones. The others have their records.

    """
    done, progress = Share(), _Progress()
    waiting: set[Future[str | None]] = set()
    with ThreadPoolExecutor(concurrency) as pool:
        for key in keys_to_classify(s3, request, share=share, shares=shares):
            waiting.add(pool.submit(_classify, functions, s3, request, key))
            if len(waiting) >= 2 * concurrency:
                finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                _note(done, finished)
                progress.show(done)
        _note(done, wait(waiting).done)
    log.info("Share %d of %d: %d images classified, %d failed", share + 1, shares, done.classified, done.failed)
    if done.failed:
        raise PredictionError(
            f"{done.failed} image(s) failed, such as {'; '.join(done.failures)}. Run this task again."
        )
    return done


def _classify(functions: "LambdaClient", s3: "S3Client", request: Request, key: str) -> str | None:
    """Invoke the live function for one image and wait for it; return why the last attempt failed, or None."""
    reason = None
    for _ in range(ATTEMPTS):
        found = current_image(s3, bucket=request.target.bucket, key=key)
        if found is None:
            return None  # deleted in the meantime
        answer = _invoke(functions, request, {"Records": [replay_record(*found, generation=request.generation)]})
        if "FunctionError" not in answer:
            return None
        reason = f"{key}: {answer['Payload'].read().decode(errors='replace')[:300]}"
    return reason


def _invoke(functions: "LambdaClient", request: Request, event: Mapping[str, Any]) -> "InvocationResponseTypeDef":
    """Invoke the live function; wait while all its executions are busy, which it shares with uploads and other tasks.

    Raises:
        ClientError: Lambda refuses the request, or the executions stay busy for minutes.

    """
    name, payload = function_name(request.target.classifier), json.dumps(event).encode()
    return repeat_at_random_on(
        is_transient,
        lambda: functions.invoke(FunctionName=name, Qualifier=ALIAS, Payload=payload),
        tries=THROTTLED_TRIES,
        first_pause_s=FIRST_PAUSE_S,
        most_s=LONGEST_PAUSE_S,
    )


def _note(done: Share, finished: set[Future[str | None]]) -> None:
    for failure in (future.result() for future in finished):
        if failure is None:
            done.classified += 1
        else:
            done.failed += 1
            done.failures = (*done.failures, failure)[:MOST_NAMED]


class _Progress:
    """Logs the number of images and the rate, every few seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._started = clock, clock()
        self._shown = self._started

    def show(self, done: Share) -> None:
        now = self._clock()
        if now - self._shown >= PROGRESS_EVERY_S:
            self._shown = now
            rate = (done.classified + done.failed) / (now - self._started)
            log.info("%d images classified, %d failed, %.1f images/s", done.classified, done.failed, rate)


def _share_of(key: str, shares: int) -> int:
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:4], "big") % shares
