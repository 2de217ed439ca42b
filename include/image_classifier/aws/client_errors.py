"""Classifies the errors of SageMaker and Lambda; two errors of one code often differ only in the message."""

import logging
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from image_classifier.contracts.errors import ResourceBusyError

log = logging.getLogger(__name__)

Response = TypeVar("Response")
NOT_FOUND = {"ResourceNotFound", "ResourceNotFoundException"}  # SageMaker's; Lambda's and CloudWatch Logs'
THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
}
SERVER_ERROR = 500


def described(describe: Callable[[], Response]) -> Response | None:
    """Return the answer of `describe`, or None if there is no such resource."""
    try:
        return describe()
    except ClientError as error:
        if is_absent(error):
            return None
        raise


def delete(call: Callable[[], object], *, what: str) -> None:
    """Delete a resource; one that is absent already is no error.

    Raises:
        ResourceBusyError: the resource is being changed.

    """
    try:
        call()
    except ClientError as error:
        if is_absent(error):
            return
        if is_busy(error):
            raise ResourceBusyError(f"{what} is being changed; it can be deleted in a few minutes") from error
        raise
    log.info("%s deleted", what)


def is_absent(error: ClientError) -> bool:
    """SageMaker says ValidationException, its runtime ValidationError, for what is not there and for much else."""
    words = ("could not find", "not found", "does not exist")
    return _code(error) in NOT_FOUND or (
        _code(error) in ("ValidationException", "ValidationError")
        and any(word in sentence(error).lower() for word in words)
    )


def exists_already(error: ClientError) -> bool:
    """Whether the name is taken: by an earlier try of ours, because names are computed."""
    return _code(error) == "ResourceInUse" or "already exist" in sentence(error).lower()


def is_busy(error: ClientError) -> bool:
    """Whether an earlier change is in progress, as in "Cannot update in-progress endpoint"."""
    return "in-progress" in sentence(error).lower() or "in progress" in sentence(error).lower()


def is_invalid(error: ClientError) -> bool:
    """Whether the request is invalid; nothing was created."""
    return _code(error) == "ValidationException"


def is_limit(error: ClientError) -> bool:
    """Whether a quota of the account is reached."""
    return _code(error) == "ResourceLimitExceeded"


def is_passing(error: ClientError) -> bool:
    """Whether the error is transient: throttling or a server error."""
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return _code(error) in THROTTLED or status >= SERVER_ERROR


def sentence(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
