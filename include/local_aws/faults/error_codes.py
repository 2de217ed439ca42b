"""Lists the errors that a fault plan can inject, with AWS's HTTP status and sentence for each.

From botocore's model of SageMaker and the "Common Errors" page of its API reference.
"""

from __future__ import annotations

from typing import Literal, get_args

ErrorCode = Literal[
    "AccessDeniedException",
    "ConflictException",
    "InternalFailure",
    "InternalServerError",
    "ResourceInUse",
    "ResourceLimitExceeded",
    "ResourceNotFound",
    "ServiceUnavailable",
    "ThrottlingException",
    "ValidationException",
]
CODES: tuple[str, ...] = get_args(ErrorCode)
_STATUS = {"InternalFailure": 500, "InternalServerError": 500, "ServiceUnavailable": 503}  # every other is a 400
_UNKNOWN = "The request processing has failed because of an unknown error, exception or failure."
_SENTENCES = {
    "AccessDeniedException": "You do not have sufficient access to perform this action.",
    "ConflictException": "There was a conflict when you attempted to modify a SageMaker entity.",
    "InternalFailure": _UNKNOWN,
    "InternalServerError": _UNKNOWN,
    "ResourceInUse": "Resource being accessed is in use.",
    "ResourceLimitExceeded": "You have exceeded an SageMaker resource limit.",
    "ResourceNotFound": "Resource being accessed is not found.",
    "ServiceUnavailable": "The request has failed due to a temporary failure of the server.",
    "ThrottlingException": "Rate exceeded",
    "ValidationException": "The input fails to satisfy the constraints specified by an AWS service.",
}


def status(code: str) -> int:
    """Return the HTTP status that AWS answers with."""
    return _STATUS.get(code, 400)


def sentence(code: str) -> str:
    """Return the message that AWS answers with."""
    return _SENTENCES[code]
