"""Provides the pages' S3 client, with short time-outs and cached for minutes per connection.

A request holds one of the API server's threads, which Airflow's own pages need too. So it does not wait for an S3 that
was silent a moment ago, and a page that only shows something ends after `PAGE_S`.
"""

import functools
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from image_classifier.aws.names import Keys
from image_classifier.aws.settings import bucket_from_env
from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import StorageError
from image_classifier.corrections.store import CorrectionCache, Corrections
from image_classifier.gallery.newest import READERS, Records, RowCache

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

PATIENCE = Config(
    connect_timeout=3,
    read_timeout=5,
    retries={"total_max_attempts": 2, "mode": "standard"},
    max_pool_connections=2 * READERS,
)
PAGE_S = 15  # after this time a page makes no further call
SILENT_S = 5  # after a call without an answer the following ones are not made for this time
CLIENT_AGE_S = 300  # after this time a changed connection takes effect
ROWS = RowCache()
CORRECTIONS = CorrectionCache()


class Silence:
    """Remembers that S3 did not answer, and then refuses calls for `SILENT_S` seconds.

    Args:
        clock: returns seconds of a monotonic clock.

    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a silence."""
        self._clock, self._until = clock, float("-inf")

    def watch(self, client: "S3Client") -> None:
        """Follow the calls of a client."""
        client.meta.events.register("before-call.s3", self._refuse)
        client.meta.events.register("after-call-error.s3", self._note)

    def _refuse(self, **_: object) -> None:
        if self._clock() < self._until:
            raise StorageError("S3 did not answer a moment ago, so it is not asked now.")

    def _note(self, exception: Exception, **_: object) -> None:
        if isinstance(exception, ConnectTimeoutError | ReadTimeoutError):
            self._until = self._clock() + SILENT_S


class PageClient:
    """A client that refuses further calls once a page has taken `PAGE_S` seconds.

    Args:
        client: the client.
        clock: returns seconds of a monotonic clock.

    """

    def __init__(self, client: "S3Client", clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with the page."""
        self._client, self._clock, self._end = client, clock, clock() + PAGE_S

    def __getattr__(self, name: str) -> Any:
        """Return the client's method of this name."""
        if self._clock() >= self._end:
            raise StorageError(f"S3 answers so slowly that the page is not complete after {PAGE_S} s.")
        return getattr(self._client, name)


def s3(classifier: Classifier) -> "S3Client":
    """Return the client of the classifier's connection, for changes."""
    return _client(classifier.aws_conn_id, int(time.monotonic() // CLIENT_AGE_S))


def s3_of_page(classifier: Classifier) -> "S3Client":
    """Return the client of the classifier's connection, for one page that only reads."""
    return cast("S3Client", PageClient(s3(classifier)))


def records(classifier: Classifier) -> Records:
    """Return the prediction records of the classifier."""
    return Records(s3_of_page(classifier), bucket_from_env(), Keys(classifier.name), ROWS)


def corrections(classifier: Classifier) -> Corrections:
    """Return the corrections of the classifier, for changes too."""
    return Corrections(s3(classifier), bucket_from_env(), Keys(classifier.name), CORRECTIONS)


@functools.lru_cache(maxsize=8)
def _client(aws_conn_id: str, _age: int) -> "S3Client":
    hook: Any = AwsGenericHook(aws_conn_id=aws_conn_id, client_type="s3")
    config = hook.config.merge(PATIENCE)
    client = cast("S3Client", AwsGenericHook(aws_conn_id=aws_conn_id, client_type="s3", config=config).get_conn())
    Silence().watch(client)
    return client
