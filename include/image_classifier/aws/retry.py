"""Repeats a call to AWS while its error or its result shows that a later call may succeed."""

import logging
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from botocore.exceptions import ClientError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_result,
    stop_after_attempt,
    wait_fixed,
    wait_random_exponential,
)

from image_classifier.aws.client_errors import is_absent

log = logging.getLogger(__name__)

Response = TypeVar("Response")

VISIBLE_AFTER_TRIES = 6
VISIBLE_PAUSE_S = 2.0


def repeat_on(
    is_temporary: Callable[[ClientError], bool], call: Callable[[], Response], *, tries: int, pause_s: float
) -> Response:
    """Repeat `call`, at most `tries` times, while it raises a ClientError that `is_temporary` accepts.

    Raises:
        ClientError: the error is not temporary, or it is that of the last try.

    """
    return _on(is_temporary, call, tries=tries, wait=wait_fixed(pause_s))


def repeat_at_random_on(
    is_temporary: Callable[[ClientError], bool],
    call: Callable[[], Response],
    *,
    tries: int,
    first_pause_s: float,
    most_s: float,
) -> Response:
    """Repeat as `repeat_on`, after random, growing pauses: concurrent callers must not repeat at the same time.

    The pauses are logged at level DEBUG: there may be one or several for each of many images.

    Raises:
        ClientError: the error is not temporary, or it is that of the last try.

    """
    wait = wait_random_exponential(multiplier=first_pause_s, max=most_s)
    return _on(is_temporary, call, tries=tries, wait=wait, level=logging.DEBUG)


def once_visible(call: Callable[[], Response]) -> Response:
    """Repeat a call while it says that a resource does not exist: SageMaker may not find it for seconds after creation.

    Source: CreateEndpoint in the SageMaker API reference, which says to retry.

    Raises:
        ClientError: another error, or the resource is not found for ten seconds.

    """
    return repeat_on(is_absent, call, tries=VISIBLE_AFTER_TRIES, pause_s=VISIBLE_PAUSE_S)


def repeat_until(is_done: Callable[[], bool], *, tries: int, pause_s: float) -> bool:
    """Repeat `is_done`, at most `tries` times, until it returns True; return its last result."""
    return _until(is_done, wait=wait_fixed(pause_s), tries=tries)


def repeat_at_random_until(is_done: Callable[[], bool], *, tries: int, first_pause_s: float, most_s: float) -> bool:
    """Repeat as `repeat_until`, after random, growing pauses: concurrent callers must not repeat at the same time."""
    return _until(is_done, wait=wait_random_exponential(multiplier=first_pause_s, max=most_s), tries=tries)


def _on(
    is_temporary: Callable[[ClientError], bool],
    call: Callable[[], Response],
    *,
    tries: int,
    wait: Callable[[RetryCallState], float],
    level: int = logging.INFO,
) -> Response:
    again = retry_if_exception(lambda error: isinstance(error, ClientError) and is_temporary(error))
    told = partial(_log_pause, level=level)
    retrying = Retrying(retry=again, stop=stop_after_attempt(tries), wait=wait, before_sleep=told, reraise=True)
    return retrying(call)


def _until(is_done: Callable[[], bool], *, wait: Callable[[RetryCallState], float], tries: int) -> bool:
    retrying = Retrying(
        retry=retry_if_result(lambda done: not done),
        stop=stop_after_attempt(tries),
        wait=wait,
        retry_error_callback=lambda _: False,
    )
    return retrying(is_done)


def _log_pause(state: RetryCallState, *, level: int) -> None:
    if state.outcome is not None and state.next_action is not None:
        log.log(level, "%s The call is repeated in %.0f s.", state.outcome.exception(), state.next_action.sleep)
