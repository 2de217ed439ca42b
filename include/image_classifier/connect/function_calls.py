"""Calls Lambda, and retries for a minute while, for example, a new role, policy or queue is not usable yet."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from botocore.exceptions import ClientError, WaiterError

from image_classifier.aws.client_errors import code_of
from image_classifier.aws.retry import repeat_on
from image_classifier.aws.roles import once_assumable
from image_classifier.contracts.errors import ResourceBusyError

Response = TypeVar("Response")

MOST_TRIES = 12
TRY_PAUSE_S = 5.0
# A new policy or queue takes some seconds to reach all of AWS; until then Lambda answers with one of these.
FRESH = (
    "does not have permissions to call SendMessage",
    "does not have permissions to call ReceiveMessage",
    "NonExistentQueue",
)
# "an update is in progress for resource", or the name exists; an event source mapping is created, updated or deleted
IN_PROGRESS = {"ResourceConflictException", "ResourceInUseException"}


def change(request: Callable[[], Response], *, what: str) -> Response:
    """Repeat a change for at most a minute until Lambda accepts it.

    Raises:
        ResourceBusyError: an earlier change is still being applied, or Lambda cannot use the queue yet.
        AwsRefusalError: Lambda cannot assume the role.

    """
    try:
        in_time = partial(once_assumable, request, what=what)
        return repeat_on(_is_worth_a_pause, in_time, tries=MOST_TRIES, pause_s=TRY_PAUSE_S)
    except ClientError as error:
        if not _is_temporary(error):
            raise
        raise ResourceBusyError(f"{what} cannot be changed yet; try again in a few minutes: {error}") from error


def wait(until: Callable[[], object], *, what: str) -> None:
    """Wait with one of botocore's waiters.

    Raises:
        ResourceBusyError: the state was not reached.

    """
    try:
        until()
    except WaiterError as error:
        raise ResourceBusyError(f"{what} is not ready: {error}. Look at its state, then try again.") from error


def _is_worth_a_pause(error: ClientError) -> bool:
    return _is_temporary(error) and "already exist" not in str(error)


def _is_temporary(error: ClientError) -> bool:
    is_fresh = code_of(error) == "InvalidParameterValueException" and any(words in str(error) for words in FRESH)
    return code_of(error) in IN_PROGRESS or is_fresh
