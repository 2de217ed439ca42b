"""Injects faults into operations of the control plane: an error instead of an answer, or a late answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_aws.faults import error_codes
from local_aws.faults.plan import Error, LateAnswer
from local_aws.sagemaker.protocol.errors import ServiceError, validation_error

if TYPE_CHECKING:
    from local_aws.faults.counting import Faults
    from local_aws.sagemaker.documents import Document


def refuse(faults: Faults, operation: str, request: Document) -> None:
    """Raise the error that the plan has for this request, if it has one.

    Raises:
        ServiceError: the planned one; a ``ValidationException`` while the plan cannot be used, since faults that do
            not act would pass for faults that were survived.

    """
    if faults.problem:
        raise validation_error(faults.problem)
    fault = faults.take(Error, request, fits=lambda fault: fault.operation == operation)
    if fault is not None:
        message = error_codes.sentence(fault.code) if fault.message is None else fault.message
        raise ServiceError(fault.code, message, status=error_codes.status(fault.code))


def lateness_s(faults: Faults, operation: str, request: Document) -> float:
    """Return how many seconds the answer of a finished operation is delayed."""
    fault = faults.take(LateAnswer, request, fits=lambda fault: fault.operation == operation)
    return 0.0 if fault is None else fault.seconds
