"""Reads the body of a request up to a maximum length, and parses the JSON that AWS accepts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from local_aws.sagemaker.protocol.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

# AWS publishes no limit. The longest request that the service model allows takes less than 2 MiB.
MAX_CONTROL_BYTES = 4 * 1024 * 1024


async def read(request: Request, *, max_bytes: int, refusal: Callable[[], ServiceError]) -> bytes:
    """Return the body; reading ends once it is longer than `max_bytes` bytes, whether or not its length was announced.

    Raises:
        ServiceError: `refusal`, of a body that is too long.

    """
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:20]) > max_bytes:
        raise refusal()
    parts, size_bytes = [], 0
    async for part in request.stream():
        size_bytes += len(part)
        if size_bytes > max_bytes:
            raise refusal()
        parts.append(part)
    return b"".join(parts)


def control_too_large() -> ServiceError:
    """Return the error for a request of the control plane that is too long."""
    message = f"The request is longer than {MAX_CONTROL_BYTES} bytes."
    return ServiceError("RequestEntityTooLargeException", message, status=413)


def parse(body: bytes) -> object:
    """Return the JSON value of a body; an empty body is an empty request.

    Raises:
        ServiceError: ``SerializationException`` for no UTF-8, no JSON, NaN and Infinity, JSON that is nested too
            deep, a number of thousands of digits, and half of a surrogate pair.

    """
    try:
        value: object = json.loads(body.decode() or "{}", parse_constant=_refuse_constant)
        if b"\\u" in body:
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ServiceError("SerializationException", "The body is nested too deep.") from error
    except ValueError as error:  # of the JSON, of a number, or of UTF-8
        raise ServiceError("SerializationException", f"The body is not JSON: {error}") from error
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")
