"""Checks that the function's clients, which read the models of three operations, behave as botocore's own."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import botocore.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.useragent import UserAgentString

from image_classifier_inference import aws_clients
from image_classifier_inference.aws_clients import RUNTIME_CONFIG, S3_CONFIG, SERVICE_MODELS, make_clients
from laptop.service_models import service_models

ROOT = Path(__file__).parents[3]
KEY = "pets/incoming/my cat+ä.jpg"
CALLS = [
    ("s3", "get_object", {"Bucket": "pictures", "Key": KEY, "VersionId": "v1"}),
    ("s3", "get_object", {"Bucket": "dotted.bucket", "Key": KEY, "IfMatch": '"etag"'}),
    ("s3", "put_object", {"Bucket": "pictures", "Key": KEY, "Body": b"{}", "IfNoneMatch": "*", "ContentType": "a/b"}),
    ("s3", "put_object", {"Bucket": "pictures", "Key": KEY, "Body": b"{}", "IfMatch": '"etag"'}),
    ("runtime", "invoke_endpoint", {"EndpointName": "e", "ContentType": "application/x-image", "Body": b"jpeg"}),
]
READ = {"ETag", "InvokedProductionVariant", "ResponseMetadata"}  # and Body, which is compared before it is parsed
SURROUNDINGS = {
    "a region": {},
    "China": {"AWS_DEFAULT_REGION": "cn-north-1"},
    "GovCloud with FIPS endpoints": {"AWS_DEFAULT_REGION": "us-gov-west-1", "AWS_USE_FIPS_ENDPOINT": "true"},
    "IPv6": {"AWS_DEFAULT_REGION": "us-west-2", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
    "the first region": {"AWS_DEFAULT_REGION": "us-east-1"},
    "a region of the future": {"AWS_DEFAULT_REGION": "eu-north-7"},
    "a laptop": {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"},
    "one service elsewhere": {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": "http://127.0.0.1:4567"},
    "adaptive defaults": {"AWS_DEFAULTS_MODE": "in-region"},
    "a session token": {"AWS_SESSION_TOKEN": "token"},
}


@pytest.fixture
def lambda_environment(monkeypatch):
    for name in ("AWS_PROFILE", "AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    return monkeypatch


def plain_clients():
    session = botocore.session.get_session()
    runtime = session.create_client("sagemaker-runtime", config=RUNTIME_CONFIG)
    return aws_clients.Clients(session.create_client("s3", config=S3_CONFIG), runtime)


class Raw:
    """The body of a response, as urllib3 gives it."""

    def __init__(self, body):
        self.body = body

    def read(self, amount=None):
        return self.body

    def stream(self, *_, **__):
        yield self.body


def exchange(client, operation, arguments, *, status=200, headers=(), body=b""):
    """Send nothing; return the request as it would be sent, and the parsed answer to the given response."""
    sent = []

    def answer(request, **_):
        sent.append(request)
        return AWSResponse(request.url, status, dict(headers), Raw(body))

    client.meta.events.register("before-send", answer)
    try:
        parsed = getattr(client, operation)(**arguments)
    except ClientError as error:
        parsed = error.response
    finally:
        client.meta.events.unregister("before-send", answer)
    parsed.pop("Body", None)
    return described(sent[0]), parsed


def described(request):
    """What does not depend on the time, without the headers of which tests below say how they differ."""
    headers = {name: str(value) for name, value in request.headers.items()}
    scope = headers.pop("Authorization").partition("Signature=")[0]
    for name in ("X-Amz-Date", "amz-sdk-invocation-id", "amz-sdk-request", "User-Agent", "Expect"):
        headers.pop(name, None)
    body = request.body if isinstance(request.body, bytes | None) else request.body.read()
    return request.method, request.url, headers, scope.split("/")[2:], body


def headers_of_a_write(clients):
    headers = {}
    clients.s3.meta.events.register("before-sign", lambda request, **_: headers.update(request.headers.items()))
    exchange(clients.s3, *CALLS[2][1:])
    return headers


@pytest.mark.parametrize("surroundings", SURROUNDINGS)
def test_requests_are_those_of_botocores_own_clients(surroundings, lambda_environment, capsys):
    for name, value in SURROUNDINGS[surroundings].items():
        lambda_environment.setenv(name, value)
    ours, plain = make_clients(), plain_clients()

    for service, operation, arguments in CALLS:
        mine, _ = exchange(getattr(ours, service), operation, arguments)
        assert mine == exchange(getattr(plain, service), operation, arguments)[0]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("service", "operation", "status", "headers", "body"),
    [
        ("s3", "get_object", 200, {"ETag": '"e"', "x-amz-version-id": "v", "Content-Length": "0"}, b""),
        ("s3", "get_object", 404, {}, b"<Error><Code>NoSuchKey</Code><Message>no</Message></Error>"),
        ("s3", "put_object", 412, {}, b"<Error><Code>PreconditionFailed</Code></Error>"),
        ("runtime", "invoke_endpoint", 200, {"x-Amzn-Invoked-Production-Variant": "job-2"}, b""),
        (
            "runtime",
            "invoke_endpoint",
            424,
            {"x-amzn-errortype": "ModelError"},
            b'{"Message": "m", "OriginalStatusCode": 415, "OriginalMessage": "no image"}',
        ),
    ],
)
def test_answers_are_read_as_botocores_own_clients_read_them(
    service, operation, status, headers, body, lambda_environment
):
    arguments = next(arguments for name, called, arguments in CALLS if (name, called) == (service, operation))
    response = {"status": status, "headers": headers, "body": body}
    _, mine = exchange(getattr(make_clients(), service), operation, arguments, **response)
    _, expected = exchange(getattr(plain_clients(), service), operation, arguments, **response)

    if status == 200:
        assert mine == {name: value for name, value in expected.items() if name in READ}
    else:
        assert mine == expected


def test_settings_of_the_clients_are_those_of_botocores_own(lambda_environment):
    ours, plain = make_clients(), plain_clients()

    for service in ("s3", "runtime"):
        mine, expected = (dict(vars(getattr(clients, service).meta.config)) for clients in (ours, plain))
        # The last one names the features of botocore that were used.
        for name in ("user_agent", "_supplied_user_agent", "_user_provided_options"):
            del mine[name], expected[name]
        assert mine == expected


def test_a_write_does_not_wait_for_the_permission_to_send_its_body(lambda_environment):
    """If this fails after an upgrade of botocore: its handler that adds the header has another name."""
    assert "Expect" in headers_of_a_write(plain_clients())
    assert "Expect" not in headers_of_a_write(make_clients())


def test_requests_have_no_headers_about_retries(lambda_environment):
    """If this fails after an upgrade of botocore: its handler that adds the headers has another name."""
    for clients, expected in ((plain_clients(), 2), (make_clients(), 0)):
        for service in ("s3", "runtime"):
            sent = []
            client = getattr(clients, service)
            client.meta.events.register("before-send", lambda request, sent=sent, **_: sent.extend(request.headers))
            exchange(client, *next(call[1:] for call in CALLS if call[0] == service))
            assert len([name for name in sent if name.lower().startswith("amz-sdk-")]) == expected


def test_the_signature_of_a_write_contains_the_sha256_of_its_body(lambda_environment):
    """So S3 refuses a damaged body without the further checksum that botocore computes by default."""
    request, _ = exchange(make_clients().s3, *CALLS[2][1:])
    headers = {name.lower(): value for name, value in request[2].items()}

    assert headers["x-amz-content-sha256"] == str(hashlib.sha256(b"{}").hexdigest().encode())
    assert not [name for name in headers if "checksum" in name or name == "content-md5"]


def test_the_user_agent_is_built_once_and_names_botocore_and_lambda(lambda_environment):
    lambda_environment.setenv("AWS_EXECUTION_ENV", "AWS_Lambda_python3.13")
    clients = make_clients()
    lambda_environment.setattr(UserAgentString, "_build_sdk_metadata", None)  # would be called if it were built

    sent = headers_of_a_write(clients)["User-Agent"]

    assert f"Botocore/{botocore.__version__}" in sent
    assert "exec-env/AWS_Lambda_python3.13" in sent


def test_a_bucket_of_another_region_is_found(lambda_environment):
    """If the answer does not name the region, botocore asks with HeadBucket."""
    client, sent = make_clients().s3, []

    def answer(request, **_):
        sent.append((request.method, request.url))
        elsewhere = "us-west-2" not in request.url
        headers = {"x-amz-bucket-region": "us-west-2"} if request.method == "HEAD" else {}
        redirect = b"<Error><Code>PermanentRedirect</Code><Message>m</Message></Error>"
        return AWSResponse(request.url, 301 if elsewhere else 200, headers, Raw(redirect if elsewhere else b""))

    client.meta.events.register("before-send", answer)
    client.get_object(Bucket="pictures", Key="key")

    assert sent[-1] == ("GET", "https://pictures.s3.us-west-2.amazonaws.com/key")


def test_the_models_are_those_of_the_pinned_botocore():
    """If this fails after an upgrade of botocore: `make service-models` writes them anew."""
    stored = {
        path.relative_to(SERVICE_MODELS).as_posix().removesuffix(".json"): json.loads(path.read_text())
        for path in SERVICE_MODELS.rglob("*.json")
    }

    assert stored == service_models(Loader())


def test_models_that_do_not_fit_are_replaced_by_botocores_own(lambda_environment, tmp_path, capsys):
    clients = make_clients(tmp_path)

    assert json.loads(capsys.readouterr().out)["service_models"] == "botocore's"
    request, _ = exchange(clients.s3, *CALLS[0][1:])
    assert request == exchange(plain_clients().s3, *CALLS[0][1:])[0]


def test_a_cold_start_opens_none_of_botocores_models(lambda_environment):
    program = (
        "import sys, botocore\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "from image_classifier_inference.aws_clients import make_clients\n"
        "make_clients()\n"
        "print([name for name in opened if name.startswith(botocore.BOTOCORE_ROOT + '/data/')])"
    )
    path = {"PYTHONPATH": f"{ROOT}/lambda:{ROOT}/include", "AWS_DEFAULT_REGION": "eu-central-1"}
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    result = subprocess.run([sys.executable, "-c", program], env={**path, **keys}, capture_output=True, text=True)

    assert result.stdout == "[]\n", result.stderr
