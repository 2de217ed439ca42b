"""Calls Lambda, and retries for a minute while, for example, a new role is not usable yet."""

from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError, WaiterError

from image_classifier.aws.client_errors import code_of
from image_classifier.aws.retry import repeat_on
from image_classifier.contracts.errors import ResourceBusyError

Response = TypeVar("Response")

MOST_TRIES = 12
TRY_PAUSE_S = 5.0
# A new role or policy takes some seconds to reach all of AWS; until then Lambda answers with one of these.
FRESH_ROLE = (
    "cannot be assumed by Lambda",
    "does not have permissions to call SendMessage",
)
IN_PROGRESS = "ResourceConflictException"  # "an update is in progress for resource", or the name exists


def change(request: Callable[[], Response], *, what: str) -> Response:
    """Repeat a change for at most a minute until Lambda accepts it.

    Raises:
        ResourceBusyError: an earlier change is still being applied, or Lambda cannot use the role yet.

    """
    try:
        return repeat_on(_is_worth_a_pause, request, tries=MOST_TRIES, pause_s=TRY_PAUSE_S)
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
    fresh_role = code_of(error) == "InvalidParameterValueException" and any(words in str(error) for words in FRESH_ROLE)
    return code_of(error) == IN_PROGRESS or fresh_role
