"""Refuses payloads that are larger than Lambda's quotas.

From the "Lambda quotas" page: 6 MB each for the request and the response of a synchronous invocation, 1 MB for an
asynchronous one.
"""

import json
from collections.abc import Awaitable, Callable, Mapping

from local_aws.ministack.documents import FunctionError
from local_aws.ministack.function_refusals import json_error
from local_aws.ministack.modules import Answer

MAX_SYNCHRONOUS_BYTES = 6 * 1024 * 1024
MAX_ASYNCHRONOUS_BYTES = 1024 * 1024
MAX_RESPONSE_BYTES = MAX_SYNCHRONOUS_BYTES + 100  # Lambda adds some bytes of its own


def invoke(original: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """Wrap Invoke, synchronous and asynchronous."""

    async def checked(name: str, event: object, headers: Mapping[str, str], *rest: object) -> Answer:
        lower = {key.lower(): value for key, value in headers.items()}
        is_asynchronous = lower.get("x-amz-invocation-type") == "Event"
        limit = MAX_ASYNCHRONOUS_BYTES if is_asynchronous else MAX_SYNCHRONOUS_BYTES
        if _size(event, lower) > limit:
            message = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
            return json_error("RequestTooLargeException", message, status=413)
        return await original(name, event, headers, *rest)

    return checked


def _size(event: object, headers: Mapping[str, str]) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isdecimal() else len(json.dumps(event).encode())


def lambda_request(original: Callable[..., Awaitable[Answer]]) -> Callable[..., Awaitable[Answer]]:
    """Wrap every request to Lambda; MiniStack gave the function an empty event for a payload that is no JSON."""

    async def checked(method: str, path: str, headers: Mapping[str, str], body: bytes, query: object) -> Answer:
        if method == "POST" and path.rstrip("/").endswith("/invocations") and body:
            try:
                json.loads(body)
            except ValueError as error:
                message = f"Could not parse request body into json: {error}"
                return json_error("InvalidRequestContentException", message)
        return await original(method, path, headers, body, query)

    return checked


def too_large(result: str) -> FunctionError | None:
    """Return the error of a function whose response is too large, or None."""
    if len(result.encode()) <= MAX_RESPONSE_BYTES:
        return None
    message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
    return {"errorType": "Function.ResponseSizeTooLarge", "errorMessage": message}
