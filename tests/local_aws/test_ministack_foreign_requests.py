"""Checks with raw sockets that MiniStack refuses what a web page could send."""

import contextlib
import stat

import httpx
import pytest

LIST_ROLES = b"Action=ListRoles&Version=2010-05-08"
FORM = "Content-Type: application/x-www-form-urlencoded"
KEY = "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/iam/aws4_request, Signature=0"


def is_closed(headers):
    return not [name for name in headers if name.startswith("access-control-")]


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "GET"])
def test_a_foreign_request_is_refused(ministack, raw_answer, foreign_headers, method):
    status, found, content = raw_answer(
        ministack.port, f"{method} / HTTP/1.1", [*foreign_headers, KEY], body=LIST_ROLES
    )

    assert status == 403
    assert b"RoleName" not in content
    assert is_closed(found)


def test_the_same_request_of_a_program_is_answered_without_cors_headers(ministack, raw_answer):
    status, found, content = raw_answer(ministack.port, "POST / HTTP/1.1", ["Host: {own}", FORM, KEY], body=LIST_ROLES)

    assert status == 200
    assert b"<ListRolesResult>" in content
    assert is_closed(found)


def test_a_preflight_and_an_error_allow_no_origin(ministack, raw_answer):
    asked = ["Host: {own}", "Access-Control-Request-Method: PUT"]
    _, preflight, _ = raw_answer(ministack.port, "OPTIONS /bucket/key HTTP/1.1", asked)
    status, missing, _ = raw_answer(ministack.port, "GET /no-such-bucket/key HTTP/1.1", ["Host: {own}"])

    assert status == 404
    assert is_closed(preflight)
    assert is_closed(missing)


def test_a_whole_url_and_two_hosts_are_refused(ministack, raw_answer):
    whole = raw_answer(ministack.port, "GET http://evil.example/ HTTP/1.1", ["Host: {own}"])
    twice = raw_answer(ministack.port, "GET / HTTP/1.1", ["Host: {own}", "Host: evil.example"])

    assert whole[0] == 403
    assert twice[0] in {400, 403}


def test_a_web_socket_of_another_origin_is_refused(ministack, raw_answer):
    upgrade = ["Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"]
    headers = ["Host: {own}", "Origin: http://evil.example", *upgrade]

    assert raw_answer(ministack.port, "GET /_aws/execute-api/a/b HTTP/1.1", headers)[0] == 403


def test_an_html_file_in_a_bucket_runs_no_script(ministack, raw_answer):
    s3 = ministack.client("s3")
    s3.put_object(Bucket=ministack.bucket, Key="page.html", Body=b"<script>1</script>", ContentType="text/html")

    for path in (f"/{ministack.bucket}/page.html", f"/_console/objects/{ministack.bucket}/page.html"):
        status, found, content = raw_answer(ministack.port, f"GET {path} HTTP/1.1", ["Host: {own}"])
        assert status == 200
        assert b"<script>" in content
        assert found["content-security-policy"].startswith("sandbox")


def test_what_it_keeps_belongs_to_its_owner_alone(ministack):
    ministack.client("s3").put_object(Bucket=ministack.bucket, Key="private.txt", Body=b"1")
    modes = {}
    for path in (ministack.state, *ministack.state.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # a file that MiniStack writes first and then renames
            modes[path] = path.lstat().st_mode

    assert len(modes) > 3
    assert [path for path, mode in modes.items() if not stat.S_ISLNK(mode) and mode & 0o077] == []


@pytest.mark.parametrize(
    "line",
    [
        "POST /_ministack/reset",
        "POST /%5Fministack/reset?init=1",
        "POST /_ministack/config",
        "GET /_ministack/sqs/messages",
        "POST /_localstack/state/reset",
    ],
)
def test_nobody_resets_or_reads_everything_without_a_key(ministack, raw_answer, line):
    assert raw_answer(ministack.port, f"{line} HTTP/1.1", ["Host: {own}"])[0] == 403
    assert ministack.client("s3").head_bucket(Bucket=ministack.bucket)


@pytest.mark.parametrize("path", ["/_ministack/health", "/_ministack/ready", "/_localstack/health"])
def test_everyone_may_ask_whether_it_is_ready(ministack, raw_answer, path):
    assert raw_answer(ministack.port, f"GET {path} HTTP/1.1", ["Host: {own}"])[0] == 200


def test_the_code_of_a_function_is_where_getfunction_says(ministack):
    ministack.create_function("image-classifier-location", ministack.copy_event)
    location = ministack.client("lambda").get_function(FunctionName="image-classifier-location")["Code"]["Location"]

    assert b"app.py" in httpx.get(location, trust_env=False).content
