"""Refuses requests that a web page of another origin sends, and requests for an unknown host name.

Both servers run programs for whoever reaches them, and a browser reaches 127.0.0.1 for every page that it shows. A page
cannot change what the browser says in the headers Host, Origin and Sec-Fetch-* (https://www.w3.org/TR/fetch-metadata/).
AWS's SDKs send none but Host.
"""

import functools
import ipaddress
import re
from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from local_aws.pages import OBJECTS, PREFIX

LOOPBACK = frozenset({"127.0.0.1", "localhost"})
WILDCARDS = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  addresses to listen at, not names that a client uses
FORBIDDEN = 403
POLICY_VIOLATION = 1008  # RFC 6455, section 7.4.1

_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d+)?")
_READ = (b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode", b"sec-fetch-dest", b"user-agent")
_STARTS = frozenset({"http.response.start", "websocket.accept", "websocket.http.response.start"})
_NO_SNIFFING = (b"x-content-type-options", b"nosniff")
# An HTML file in a bucket would otherwise be a page of the same origin as the API.
_SANDBOX = (b"content-security-policy", b"sandbox allow-downloads")
_PAGE_POLICY = (b"content-security-policy", b"default-src 'none'; img-src 'self'; style-src 'unsafe-inline'")


def host_names(*names: str) -> frozenset[str]:
    """Return the host names that a request may have: the loopback names and `names`, without wildcard addresses."""
    return LOOPBACK | {name.lower().removesuffix(".") for name in names if name not in WILDCARDS}


class ForeignRequests:
    """An ASGI application in front of another one; it refuses the requests of foreign web pages.

    A request is refused with status 403 (a WebSocket is closed) if

    - it has not exactly one Host header, or that names neither one of `names` nor a subdomain of one (a bucket),
    - it has an Origin other than the server itself, "null" included,
    - Sec-Fetch-Site is neither "same-origin" nor "none", or a browser sends no Sec-Fetch-Site,
    - its target is not a path: a URL with a host of its own would be a second answer to which host is meant.

    The pages for people may be opened from anywhere by a link: a GET whose Sec-Fetch-Mode is "navigate" and whose
    Sec-Fetch-Dest is "document", so that the page which holds the link cannot read them.

    Answers have no CORS headers, and no script runs in what they show.
    """

    def __init__(self, app: ASGIApp, *, names: Collection[str]) -> None:
        self._app = app
        self._names = names
        self._is_known = functools.lru_cache(maxsize=1024)(functools.partial(is_known_host, names=names))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif reason := self.refusal(scope):
            await _refuse(scope, send, reason)
        else:
            await self._app(scope, receive, _without_cors(scope["path"], send))

    def refusal(self, scope: Scope) -> str | None:
        """Return why a request is refused, in one sentence, or None if it is accepted."""
        headers: dict[bytes, list[bytes]] = {name: [] for name in _READ}
        for name, value in scope["headers"]:
            if name in headers:
                headers[name].append(value)
        return (
            self._refused_host(headers[b"host"])
            or _refused_target(scope)
            or _refused_origin(scope, headers)
            or _refused_site(scope, headers)
        )

    def _refused_host(self, hosts: list[bytes]) -> str | None:
        if len(hosts) != 1:
            return f"The request has {len(hosts)} Host headers; send one."
        if self._is_known(hosts[0]):
            return None
        return (
            f"The Host {_shown(hosts[0])} is not a name of this local AWS. Use {' or '.join(sorted(self._names))}, "
            "or start the local AWS with --name or --accept-host and the name that clients use."
        )


def is_known_host(host: bytes, *, names: Collection[str]) -> bool:
    """Return whether a Host header, with or without a port, has one of `names` or a subdomain of one."""
    found = _HOST.fullmatch(host.decode("latin-1").lower())
    if found is None:
        return False
    name = found[1].removesuffix(".")
    return name in names or any(name.endswith(f".{known}") for known in names if not _is_address(known))


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _refused_target(scope: Scope) -> str | None:
    if scope["path"].startswith("/") or (scope["path"] == "*" and scope.get("method") == "OPTIONS"):
        return None
    return "The request's target is a whole URL; send the path alone."


def _refused_origin(scope: Scope, headers: dict[bytes, list[bytes]]) -> str | None:
    scheme = scope["scheme"].replace("ws", "http").encode()
    own = scheme + b"://" + headers[b"host"][0].lower()
    foreign = next((origin for origin in headers[b"origin"] if origin.lower() != own), None)
    if foreign is None:
        return None
    return f"The Origin {_shown(foreign)} is another one than {_shown(own)}; web pages cannot use the local AWS."


def _refused_site(scope: Scope, headers: dict[bytes, list[bytes]]) -> str | None:
    sites = headers[b"sec-fetch-site"]
    if not sites:
        is_browser = any(agent.startswith(b"Mozilla/") for agent in headers[b"user-agent"])
        if not is_browser or _is_page(scope):
            return None
        return "A browser sends no Sec-Fetch-Site, so the request may come from any web page; use an AWS client."
    foreign = next((site for site in sites if site not in {b"same-origin", b"none"}), None)
    if foreign is None or (_is_page(scope) and _is_opened_by_a_link(headers)):
        return None
    return f"Sec-Fetch-Site is {_shown(foreign)}: a web page of another origin sends this request."


def _is_page(scope: Scope) -> bool:
    return scope["type"] == "http" and scope["method"] == "GET" and str(scope["path"]).startswith(f"{PREFIX}/")


def _is_opened_by_a_link(headers: dict[bytes, list[bytes]]) -> bool:
    return headers[b"sec-fetch-mode"] == [b"navigate"] and headers[b"sec-fetch-dest"] == [b"document"]


def _shown(value: bytes) -> str:
    return repr(value.decode("latin-1")[:200])


async def _refuse(scope: Scope, send: Send, reason: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": ""})
        return
    body = f"{reason}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        _NO_SNIFFING,
    ]
    await send({"type": "http.response.start", "status": FORBIDDEN, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _without_cors(path: str, send: Send) -> Send:
    is_page = path.startswith(f"{PREFIX}/") and not path.startswith(f"{OBJECTS}/")
    policy = _PAGE_POLICY if is_page else _SANDBOX

    async def send_without_cors(message: Message) -> None:
        if message["type"] in _STARTS:
            kept = [
                header for header in message.get("headers", ()) if not header[0].lower().startswith(b"access-control-")
            ]
            added = () if _is_empty(kept) else (policy, _NO_SNIFFING)
            message = {**message, "headers": [*kept, *added]}
        await send(message)

    return send_without_cors


def _is_empty(headers: list[tuple[bytes, bytes]]) -> bool:
    """Return whether an answer has no content, as that to an upload, of which a browser could show or run nothing."""
    return any(value == b"0" and name.lower() == b"content-length" for name, value in headers)
