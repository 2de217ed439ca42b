"""The one error that becomes an answer of the SageMaker API, in AWS's codes and words."""

from __future__ import annotations


class ServiceError(Exception):
    """A request that SageMaker refuses.

    Attributes:
        code: AWS's name of the error, such as ``ValidationException``.
        status: the HTTP status that goes with it.
        details: further members of a modeled error, such as ``OriginalStatusCode``.

    """

    def __init__(self, code: str, message: str, *, status: int = 400, details: dict[str, object] | None = None) -> None:
        """Keep what the answer is made of."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = details or {}


def validation_error(message: str) -> ServiceError:
    """A request whose values cannot be accepted."""
    return ServiceError("ValidationException", message)
