"""Tells how the local SageMaker answers a refused request."""

from collections.abc import Callable
from typing import Any

from local_aws.sagemaker.protocol.errors import ServiceError


def refusal(call: Callable[..., object], *arguments: Any, **request: Any) -> tuple[str, str] | None:
    """The code and the message of the refusal; None if the request is accepted."""
    try:
        call(*arguments, **request)
    except ServiceError as error:
        return error.code, error.message
    return None
