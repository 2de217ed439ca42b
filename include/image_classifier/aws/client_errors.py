"""Classifies AWS's errors, by code and, where two errors share a code, by message."""

import logging
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
)
from botocore.exceptions import ConnectionError as UnreachableError

from image_classifier.contracts.errors import ResourceBusyError

log = logging.getLogger(__name__)

Response = TypeVar("Response")
NOT_FOUND = {"ResourceNotFound", "ResourceNotFoundException"}  # SageMaker's; Lambda's and CloudWatch Logs'
THROTTLED = {
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
}
# S3's code for a connection on which the request came too slowly has the status 400.
TIMED_OUT = {"RequestTimeout", "RequestTimeoutException"}
FAILED_SERVER = {"InternalError", "ServiceUnavailable"}  # DeleteObjects has an error for each key, without a status
ACCESS_DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "403",  # a HEAD request's code is its HTTP status
}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
# AWS, or what gives this machine its credentials, cannot be reached, or the connection broke during the answer.
UNREACHABLE = (
    UnreachableError,
    HTTPClientError,
    IncompleteReadError,
    CredentialRetrievalError,
    MetadataRetrievalError,
)
SERVER_ERROR = 500


def described(describe: Callable[[], Response]) -> Response | None:
    """Return the answer of `describe`, or None if the resource does not exist."""
    try:
        return describe()
    except ClientError as error:
        if is_absent(error):
            return None
        raise


def delete(call: Callable[[], object], *, what: str) -> None:
    """Delete a resource; it is not an error if the resource does not exist.

    Raises:
        ResourceBusyError: an earlier change of the resource is still being applied.

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


def stop(call: Callable[[], object], *, what: str) -> bool:
    """Stop a SageMaker job; return False if it has ended or does not exist."""
    try:
        call()
    except ClientError as error:
        if is_absent(error) or is_invalid(error):  # "... rejected because the training job is in status Completed"
            return False
        raise
    log.info("%s is being stopped", what)
    return True


def is_absent(error: ClientError) -> bool:
    """Return whether the resource does not exist: SageMaker's code ValidationException also means other errors."""
    words = ("could not find", "not found", "does not exist")
    return code_of(error) in NOT_FOUND or (
        code_of(error) in ("ValidationException", "ValidationError")
        and any(word in sentence(error).lower() for word in words)
    )


def exists_already(error: ClientError) -> bool:
    """Return whether the name exists already: an earlier attempt created it, because names are computed."""
    return code_of(error) == "ResourceInUse" or "already exist" in sentence(error).lower()


def is_busy(error: ClientError) -> bool:
    """Return whether an earlier change is in progress, as in "Cannot update in-progress endpoint"."""
    return "in-progress" in sentence(error).lower() or "in progress" in sentence(error).lower()


def is_invalid(error: ClientError) -> bool:
    """Return whether the request is invalid; nothing was created."""
    return code_of(error) == "ValidationException"


def is_limit(error: ClientError) -> bool:
    """Return whether the request would exceed a quota of the account."""
    return code_of(error) == "ResourceLimitExceeded"


def is_access_denied(error: ClientError) -> bool:
    """Return whether a policy does not allow the request."""
    return code_of(error) in ACCESS_DENIED


def is_expired(error: Exception) -> bool:
    """Return whether the credentials expired; a new client obtains new ones."""
    return isinstance(error, ClientError) and code_of(error) in EXPIRED


def is_transient(error: Exception) -> bool:
    """Return whether the same request may succeed later: throttling, a server error, or AWS cannot be reached."""
    if not isinstance(error, ClientError):
        return isinstance(error, UNREACHABLE)
    status: int = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return is_transient_code(code_of(error)) or status >= SERVER_ERROR


def is_transient_code(code: str) -> bool:
    """Return whether AWS refuses a request, or one key of a request, with this code only at present."""
    return code in THROTTLED | TIMED_OUT | FAILED_SERVER


def sentence(error: ClientError) -> str:
    """Return AWS's error message."""
    return str(error.response.get("Error", {}).get("Message", ""))


def code_of(error: ClientError) -> str:
    """Return AWS's error code; HeadObject's is the HTTP status, such as "404"."""
    return str(error.response.get("Error", {}).get("Code", ""))
