"""Defines the error that becomes an answer of the SageMaker API, with AWS's codes and messages."""

from __future__ import annotations


class ServiceError(Exception):
    """A request that SageMaker refuses.

    Attributes:
        code: AWS's name of the error, such as ``ValidationException``.
        status: the HTTP status that goes with it.
        details: further members of a modeled error, such as ``OriginalStatusCode``.

    """

    def __init__(self, code: str, message: str, *, status: int = 400, details: dict[str, object] | None = None) -> None:
        """Store the parts of the answer."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = details or {}


def validation_error(message: str) -> ServiceError:
    """Return the error for a request with invalid values."""
    return ServiceError("ValidationException", message)
