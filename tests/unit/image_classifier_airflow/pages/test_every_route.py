"""Checks what holds for every route of the pages; the routes are the app's own, so a new one is tested too."""

import re
from types import SimpleNamespace
from urllib.parse import urljoin

import pytest
from botocore.exceptions import ConnectTimeoutError
from fastapi.routing import APIRoute
from starlette.routing import Mount

from image_classifier_airflow.pages import access, app, storage

from .conftest import HOSTILE  # isort: skip

READING = {"GET", "HEAD"}
ROUTES = sorted(
    (method, route.path)
    for route in app.pages().routes
    if isinstance(route, APIRoute)
    for method in route.methods - {"HEAD"}
)
OF_A_CLASSIFIER = [(method, path) for method, path in ROUTES if "{classifier}" in path]
CHANGES = [(method, path) for method, path in ROUTES if method not in READING]
KEY = {"key": "cats/incoming/a.png", "job": "job-1", "one": "job-1", "other": "job-2"}


def ask(client, method, path, *, classifier="cats", headers=None):
    address = path.replace("{classifier}", classifier)
    body = {} if method in READING else {"json": {}}
    return client.request(method, address, params=KEY, headers=headers, **body)


def test_only_styles_and_scripts_are_served_without_a_login():
    mounts = [route for route in app.pages().routes if isinstance(route, Mount)]
    others = [route for route in app.pages().routes if not isinstance(route, Mount | APIRoute)]

    assert [mount.path for mount in mounts] == ["/static"]
    assert others == []
    assert {file.suffix for file in app.STATIC.iterdir()} == {".css", ".js"}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_login_every_route_answers_401(client, method, path):
    answer = ask(client(None), method, path)

    assert answer.status_code == 401
    assert "sign in again" in answer.text


@pytest.mark.parametrize(("method", "path"), OF_A_CLASSIFIER)
def test_a_user_of_another_classifier_is_refused(client, bucket, method, path):
    bucket.add("a.png")

    assert ask(client("other"), method, path).status_code == 403


@pytest.mark.parametrize(("method", "path"), OF_A_CLASSIFIER)
def test_whether_a_classifier_exists_is_not_shown_to_others(client, method, path):
    assert ask(client("other"), method, path, classifier="secret").status_code == 403


@pytest.mark.parametrize(("method", "path"), OF_A_CLASSIFIER)
@pytest.mark.parametrize("name", ["..%2fdogs", "Cats", "%3Cscript%3E", "cats%00"])
def test_a_name_that_no_classifier_can_have_is_not_found(client, method, path, name):
    answer = ask(client("editor"), method, path, classifier=name)

    assert answer.status_code == 404
    assert "<script>" not in answer.text.replace('<script src="', "")


@pytest.mark.parametrize(("method", "path"), OF_A_CLASSIFIER)
def test_a_hostile_image_name_is_shown_as_text(client, bucket, method, path):
    bucket.add(HOSTILE)
    address = path.replace("{classifier}", "cats")
    body = {} if method in READING else {"json": {}}

    answer = client("editor").request(
        method, address, params={**KEY, "key": f"cats/incoming/{HOSTILE}", "label": HOSTILE}, **body
    )

    assert answer.status_code < 500
    if answer.headers["content-type"].startswith("text/html"):
        assert "<script>alert" not in answer.text
        assert "\"'&.png" not in answer.text


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_answer_forbids_scripts_of_others(client, bucket, method, path):
    bucket.add("a.png")

    policy = ask(client("editor"), method, path).headers["content-security-policy"]

    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy


@pytest.mark.parametrize(("method", "path"), [pair for pair in OF_A_CLASSIFIER if pair[0] in READING])
def test_the_image_of_another_classifier_is_not_found(client, bucket, method, path):
    bucket.put("dogs/incoming/secret.png", b"\x89PNG\r\n\x1a\nsecret")

    answer = client("editor").get(
        path.replace("{classifier}", "cats"), params={**KEY, "key": "dogs/incoming/secret.png"}
    )

    assert "secret" not in answer.text.replace("secret.png", "")


@pytest.mark.parametrize(("method", "path"), CHANGES)
def test_who_may_look_only_is_refused_every_change(client, bucket, method, path):
    bucket.add("a.png")
    before = bucket.keys("")

    assert ask(client("viewer"), method, path).status_code == 403
    assert bucket.keys("") == before


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize(
    ("header", "value", "status"),
    [
        (access.HEADER, None, 403),
        ("Sec-Fetch-Site", "cross-site", 403),
        ("Origin", "https://evil.example", 403),
        ("Content-Type", "text/plain", 415),
    ],
)
def test_every_change_that_a_foreign_page_could_send_is_refused(client, bucket, method, path, header, value, status):
    bucket.add("a.png")
    before, person = bucket.keys(""), client("editor")
    if value is None:
        del person.headers[header]

    answer = ask(person, method, path, headers={header: value} if value else None)

    assert (answer.status_code, bucket.keys("")) == (status, before)


class Silent:
    """An S3 client that never gets an answer."""

    def __getattr__(self, _):
        def call(**_):
            raise ConnectTimeoutError(endpoint_url="https://s3.example")

        return call

    def get_paginator(self, _):
        return SimpleNamespace(paginate=self.list_objects_v2)


@pytest.mark.parametrize(("method", "path"), [pair for pair in OF_A_CLASSIFIER if pair[0] in READING])
def test_while_s3_does_not_answer_every_page_says_so(client, bucket, monkeypatch, method, path):
    monkeypatch.setattr(storage, "s3", lambda _: Silent())

    key = "cats/dataset/test/cat/a.jpg" if path.endswith("/prepared") else KEY["key"]
    answer = client("viewer").request(method, path.replace("{classifier}", "cats"), params={**KEY, "key": key})

    assert answer.status_code == (200 if path.endswith("/upload") else 503)
    assert "Traceback" not in answer.text
    assert answer.status_code == 200 or "S3 does not answer in time" in answer.text


def test_a_page_lists_only_the_classifiers_of_the_user(client):
    text = client("other").get("/").text

    assert "dogs/overview" in text
    assert "cats" not in text


def test_the_description_of_the_app_is_not_published(client):
    assert {client("editor").get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}


def changing(request_headers, **values):
    """A request as Starlette has it, for the check that stands before every change."""
    from fastapi import Request

    headers = {"content-type": "application/json", "host": "airflow.example", **request_headers, **values}
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items() if value is not None]
    return Request({"type": "http", "method": "POST", "headers": pairs})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {access.HEADER: "1", "content-type": "text/plain"},
        {access.HEADER: "1", "content-type": "application/x-www-form-urlencoded"},
        {access.HEADER: "1", "origin": "https://evil.example"},
        {access.HEADER: "1", "sec-fetch-site": "cross-site"},
        {access.HEADER: "1", "sec-fetch-site": "same-site", "origin": "https://airflow.example"},
        {access.HEADER: "1", "origin": "null"},
    ],
)
def test_a_change_that_a_foreign_page_could_send_is_refused(headers):
    with pytest.raises(access.HTTPException) as refused:
        access.refuse_foreign(changing(headers))

    assert refused.value.status_code in (403, 415)


@pytest.mark.parametrize(
    "headers",
    [
        {access.HEADER: "1", "sec-fetch-site": "same-origin"},
        {access.HEADER: "1", "origin": "https://airflow.example"},
        {access.HEADER: "1"},
    ],
)
def test_a_change_of_our_own_pages_and_of_programs_is_taken(headers):
    access.refuse_foreign(changing(headers))

    with pytest.raises(access.HTTPException):
        access.refuse_foreign(changing({**headers, "sec-fetch-site": "cross-site"}))


@pytest.mark.parametrize(
    ("origin", "is_taken"),
    [
        ("https://public.example", True),
        ("https://public.example:8443", False),
        ("https://evil.example", False),
        ("null", False),
    ],
)
def test_behind_a_proxy_airflows_base_url_is_an_origin_of_ours(monkeypatch, origin, is_taken):
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "https://public.example/airflow")
    request = changing({access.HEADER: "1", "host": "10.0.0.7:8080", "origin": origin})

    if is_taken:
        assert access.refuse_foreign(request) is None
    else:
        with pytest.raises(access.HTTPException, match="another origin"):
            access.refuse_foreign(request)


@pytest.mark.parametrize("address", ["/cats", "/cats/", "/cats/nothing", "/cats/nothing/"])
def test_the_page_of_an_error_has_its_style_at_every_address(client, address):
    text = client("viewer").get(address).text
    link = re.search(r'href="([^"]*static/pages.css)"', text)[1]

    assert (
        urljoin(f"http://airflow/image-classifier{address}", link) == "http://airflow/image-classifier/static/pages.css"
    )
