"""Refuses the requests that administrate MiniStack itself, because they need no key: one deletes everything."""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_PREFIXES = ("/_ministack/", "/_localstack/")
_KEPT = frozenset({"/_ministack/health", "/_ministack/ready", "/_localstack/health"})
# URLs in answers of AWS: those with the token of a stack's resource, and those of the code of functions and layers.
_KEPT_PREFIXES = (
    "/_ministack/cfn-response/",
    "/_ministack/cfn-signal/",
    "/_ministack/lambda-code/",
    "/_ministack/lambda-layers/",
)
_REFUSED = (
    "This local AWS is not administrated by requests. Stop it and delete its folder to start from an empty account.\n"
)


def without_administration(app: ASGIApp) -> ASGIApp:
    """Return an ASGI application that refuses these requests with status 403 and passes every other one to `app`."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and is_administration(scope["path"]):
            await PlainTextResponse(_REFUSED, 403)(scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve


def is_administration(path: str) -> bool:
    """Return whether a request with this path is for MiniStack itself, and no AWS client or health check sends it."""
    return path.startswith(_PREFIXES) and path not in _KEPT and not path.startswith(_KEPT_PREFIXES)
