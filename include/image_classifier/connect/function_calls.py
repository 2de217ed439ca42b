"""Calls Lambda and retries what becomes possible within a minute, such as a new role."""

import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError, WaiterError

from image_classifier.contracts.errors import ResourceBusyError

Pause = Callable[[float], None]
Response = TypeVar("Response")

MOST_TRIES = 12
TRY_PAUSE_S = 5.0
# A role, or a policy of one, takes some seconds to be known everywhere; Lambda then says one of these.
FRESH_ROLE = (
    "cannot be assumed by Lambda",
    "does not have permissions to call SendMessage",
)
UNDER_WAY = "ResourceConflictException"  # "an update is in progress for resource"; or: the name is taken


def change(request: Callable[[], Response], *, what: str, pause: Pause = time.sleep) -> Response:
    """Repeat a change until Lambda accepts it.

    Raises:
        ResourceBusyError: an earlier change is still being applied, or Lambda does not know the role yet.

    """
    for attempt in range(1, MOST_TRIES + 1):
        try:
            return request()
        except ClientError as error:
            if not _may_pass(error):
                raise
            if attempt == MOST_TRIES or "already exist" in str(error):
                raise ResourceBusyError(f"{what} cannot be changed yet; try again in a few minutes: {error}") from error
        pause(TRY_PAUSE_S)
    raise ResourceBusyError(f"{what} was not changed")  # not reached: the last attempt returns or raises


def wait(until: Callable[[], object], *, what: str) -> None:
    """Wait with one of botocore's waiters.

    Raises:
        ResourceBusyError: the state was not reached.

    """
    try:
        until()
    except WaiterError as error:
        raise ResourceBusyError(f"{what} is not ready: {error}. Look at its state, then try again.") from error


def _may_pass(error: ClientError) -> bool:
    code, sentence = error.response["Error"]["Code"], str(error)
    return code == UNDER_WAY or (
        code == "InvalidParameterValueException" and any(words in sentence for words in FRESH_ROLE)
    )
