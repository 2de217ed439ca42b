"""Serves every service at one address: forwards requests for SageMaker, and answers for absent services."""

import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from html import escape

import httpx
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

_SAGEMAKER_SCOPE = re.compile(rb"Credential=[^/]+/[^/]+/[^/]+/sagemaker/aws4_request")  # also that of its runtime
_SAGEMAKER_TARGET = b"SageMaker."
_ABSENT = re.compile(rb'\{"error": "Unsupported service: ([^"]*)"\}')  # MiniStack's answer, which botocore cannot read
_HOP_BY_HOP = {b"connection", b"keep-alive", b"transfer-encoding", b"expect", b"upgrade", b"te", b"trailer"}
_CONNECT_LIMIT_S = 5  # an answer may take as long as the model takes
_CODE = "UnknownOperationException"
_XML = (
    "<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    "<RequestId>none</RequestId></ErrorResponse>"
)


class OneAddress:
    """An ASGI application that forwards requests for SageMaker and passes every other request to `app`."""

    def __init__(
        self, app: ASGIApp, *, sagemaker_endpoint_url: str, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._app = app
        self._url = sagemaker_endpoint_url
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=_CONNECT_LIMIT_S),
            limits=httpx.Limits(max_connections=None, keepalive_expiry=30),
            transport=transport,
            trust_env=False,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            if scope["type"] == "lifespan":
                await self._client.aclose()
        elif is_for_sagemaker(dict(scope["headers"])):
            await self._forward(scope, receive, send)
        else:
            await self._app(scope, receive, _readable(scope, send))

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = scope["query_string"].decode("latin-1")
        url = f"{self._url}{scope['raw_path'].decode('latin-1')}{'?' if query else ''}{query}"
        headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _HOP_BY_HOP]
        request = self._client.build_request(scope["method"], url, headers=headers, content=_body(receive))
        try:
            answer = await self._client.send(request, stream=True)
        except httpx.TransportError as error:
            log.warning("The SageMaker server at %s does not answer: %s", self._url, error)
            message = f"The SageMaker server at {self._url} does not answer ({error})."
            await error_response("ServiceUnavailable", message, status=503)(scope, receive, send)
            return
        try:
            kept = [(name, value) for name, value in answer.headers.raw if name.lower() not in _HOP_BY_HOP]
            await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
            async for part in answer.aiter_raw():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            await answer.aclose()


def is_for_sagemaker(headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a request is signed for SageMaker or its runtime, or names one of SageMaker's operations."""
    return headers.get(b"x-amz-target", b"").startswith(_SAGEMAKER_TARGET) or bool(
        _SAGEMAKER_SCOPE.search(headers.get(b"authorization", b""))
    )


def is_aws_service(scope: str) -> bool:
    """Return True for every credential scope: one that is not a service of MiniStack is a service of AWS."""
    return bool(scope)


def error_response(code: str, message: str, *, status: int) -> Response:
    """Return an error in the form of the JSON protocols."""
    headers = {"x-amzn-errortype": code}
    content = json.dumps({"__type": code, "message": message})
    return Response(content, status, headers, media_type="application/x-amz-json-1.1")


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise httpx.WriteError("the client closed the connection before its request was complete")
        yield message.get("body", b"")
        more = message.get("more_body", False)


def _readable(scope: Scope, send: Send) -> Send:
    """Return a `send` that replaces MiniStack's answer for an absent service by an error of the service's protocol."""
    held: list[Message] = []

    async def checked(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 400:
            held.append(message)
            return
        if held and message["type"] == "http.response.body":
            start = held.pop()
            found = _ABSENT.fullmatch(message.get("body", b""))
            if found:
                await _absent(found[1].decode(), dict(scope["headers"]))(scope, no_body, send)
                return
            await send(start)
        await send(message)

    return checked


async def no_body() -> Message:
    """Receive nothing, for an answer that reads no request."""
    return {"type": "http.disconnect"}


def _absent(service: str, headers: Mapping[bytes, bytes]) -> Response:
    message = f"This local AWS does not have the service {service}."
    return error_of_protocol(_CODE, message, status=400, headers=headers)


def error_of_protocol(code: str, message: str, *, status: int, headers: Mapping[bytes, bytes]) -> Response:
    """Return an error in the form of the protocol of the request with these headers: query or JSON."""
    if headers.get(b"content-type", b"").startswith(b"application/x-www-form-urlencoded"):
        return Response(_XML.format(code=code, message=escape(message)), status, media_type="text/xml")
    return error_response(code, message, status=status)
