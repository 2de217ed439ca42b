"""Checks which requests are accepted, by headers that a web page cannot choose."""

import asyncio
from typing import Any

import pytest

from local_aws.foreign_requests import ForeignRequests, host_names

NAMES = host_names("aws.localhost", "0.0.0.0", "local-aws")
LINK = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
PAGE = "/_console/functions/f"


async def open_application(scope: Any, receive: Any, send: Any) -> None:
    """Answers as MiniStack does: every origin may read, and the answer to an upload is empty."""
    headers = [(b"Access-Control-Allow-Origin", b"*"), (b"access-control-max-age", b"86400"), (b"etag", b"1")]
    if scope["method"] == "PUT":
        headers.append((b"Content-Length", b"0"))
    kind = "websocket.accept" if scope["type"] == "websocket" else "http.response.start"
    await send({"type": kind, "status": 200, "headers": headers})


def ask(
    *headers: tuple[str, str], path: str = "/", method: str = "GET", kind: str = "http", scheme: str = "http"
) -> dict[str, Any]:
    """The first message of the answer."""
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request"}

    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    scope = {"type": kind, "method": method, "scheme": scheme, "path": path, "headers": raw}
    asyncio.run(ForeignRequests(open_application, names=NAMES)(scope, receive, send))
    return sent[0]


def status(*headers: tuple[str, str], host: str = "127.0.0.1:4566", **request: str) -> int:
    found: int = ask(("host", host), *headers, **request)["status"]
    return found


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.0.0.1:4566", "localhost:4566", "LOCALHOST", "localhost.", "localhost.:80", "aws.localhost:1",
     "images.localhost:4566", "my.images.s3.us-east-1.localhost", "local-aws:4566", "images.local-aws"],
)  # fmt: skip
def test_a_request_for_a_known_name_is_served(host: str) -> None:
    assert status(host=host) == 200


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "evil.example:4566", "localhost.evil.example", "evillocalhost", "127.0.0.1.evil.example",
     "images.127.0.0.1", "127.0.0.2", "0.0.0.0", "[::1]:4566", "127.1", "2130706433", "localhost..", "localhost:port",
     "user@localhost", "localhost, evil.example", "localhost/evil.example", "localhost\x00", "localh\xf6st",
     "evil.example#.localhost", "evil.example\\.localhost"],
)  # fmt: skip
def test_a_request_for_another_name_is_refused(host: str) -> None:
    assert status(host=host) == 403


def test_a_request_needs_one_host_header_and_no_more() -> None:
    twice = ask(("host", "localhost"), ("host", "localhost"))

    assert ask()["status"] == twice["status"] == 403


def test_a_name_that_was_bound_is_known_and_a_wildcard_is_not() -> None:
    assert host_names("::", "192.168.1.5", "AWS.Example.") == {"127.0.0.1", "localhost", "192.168.1.5", "aws.example"}


@pytest.mark.parametrize(
    "origin",
    ["null", "", "https://evil.example", "http://localhost:4566", "http://127.0.0.1", "http://127.0.0.1:4567",
     "https://127.0.0.1:4566", "http://127.0.0.1:4566.evil.example", "file://", "chrome-extension://abc"],
)  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
def test_another_origin_is_refused(origin: str, method: str) -> None:
    assert status(("origin", origin), method=method) == 403
    assert status(("origin", "http://127.0.0.1:4566"), ("origin", origin), method=method) == 403


def test_its_own_origin_is_served() -> None:
    assert status(("origin", "http://127.0.0.1:4566"), ("sec-fetch-site", "same-origin"), method="POST") == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site", "", "SAME-ORIGIN", "future"])
@pytest.mark.parametrize("path", ["/", "/bucket/key", "/_console", PAGE])
def test_a_fetch_of_another_site_is_refused_without_an_origin_too(site: str, path: str) -> None:
    sent = ("sec-fetch-site", site), ("sec-fetch-mode", "no-cors"), ("sec-fetch-dest", "image")

    assert status(*sent, path=path) == 403
    assert status(("sec-fetch-site", "same-origin"), *sent, path=path) == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_of_another_site_opens_a_page(site: str) -> None:
    assert status(*(LINK | {"sec-fetch-site": site}).items(), path=PAGE) == 200


@pytest.mark.parametrize("path", ["/", "/bucket/key", "/_console", "/_consoles/x", "//_console/x"])
def test_a_link_of_another_site_opens_nothing_but_pages(path: str) -> None:
    assert status(*LINK.items(), path=path) == 403


@pytest.mark.parametrize(
    "change", [{"sec-fetch-dest": "iframe"}, {"sec-fetch-mode": "no-cors"}, {"origin": "null"}, {"sec-fetch-dest": ""}]
)
def test_only_a_link_opens_a_page_from_another_site(change: dict[str, str]) -> None:
    assert status(*(LINK | change).items(), path=PAGE) == 403


def test_a_form_of_another_site_cannot_post_to_a_page() -> None:
    assert status(*LINK.items(), path=PAGE, method="POST") == 403


def test_an_address_typed_by_a_person_is_served() -> None:
    assert status(("sec-fetch-site", "none"), ("user-agent", "Mozilla/5.0"), path="/bucket/key") == 200


def test_a_browser_that_does_not_say_who_asks_may_open_pages_alone() -> None:
    browser = ("user-agent", "Mozilla/5.0 (X11; Linux x86_64)")

    assert status(browser, path=PAGE) == 200
    assert status(browser, path="/") == status(browser, path="/", method="POST") == 403


def test_an_aws_client_is_served() -> None:
    assert status(("user-agent", "Boto3/1.43.106"), method="PUT", path="/bucket/key") == 200


@pytest.mark.parametrize("path", ["http://evil.example/", "evil.example:443", "", "*"])
def test_a_target_that_is_no_path_is_refused(path: str) -> None:
    assert status(path=path) == 403


def test_only_a_web_socket_of_its_own_origin_stays_open() -> None:
    host, own, foreign = ("host", "localhost:1"), ("origin", "http://localhost:1"), ("origin", "http://evil.example")

    assert ask(host, own, kind="websocket", scheme="ws")["type"] == "websocket.accept"
    assert ask(host, foreign, kind="websocket", scheme="ws") == {"type": "websocket.close", "code": 1008, "reason": ""}


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_an_answer_has_no_cors_headers_and_runs_no_script(kind: str) -> None:
    answer = ask(("host", "localhost"), kind=kind, method="OPTIONS")

    assert dict(answer["headers"]) == {
        b"etag": b"1",
        b"content-security-policy": b"sandbox allow-downloads",
        b"x-content-type-options": b"nosniff",
    }


def test_an_empty_answer_has_no_rules_for_a_browser() -> None:
    assert dict(ask(("host", "localhost"), method="PUT")["headers"]) == {b"etag": b"1", b"Content-Length": b"0"}


def test_a_page_may_use_styles_and_an_object_below_the_pages_may_not() -> None:
    page, content = (dict(ask(("host", "localhost"), path=path)["headers"]) for path in (PAGE, "/_console/objects/b/k"))

    assert page[b"content-security-policy"].startswith(b"default-src 'none'")
    assert content[b"content-security-policy"].startswith(b"sandbox")


def test_a_refusal_says_what_was_found_and_what_to_do() -> None:
    async def refused() -> str:
        scope = {"type": "http", "method": "GET", "scheme": "http", "path": "/", "headers": [(b"host", b"lab:4566")]}
        return ForeignRequests(open_application, names=NAMES).refusal(scope) or ""

    reason = asyncio.run(refused())

    assert "'lab:4566'" in reason
    assert "--name" in reason
    assert "aws.localhost" in reason
