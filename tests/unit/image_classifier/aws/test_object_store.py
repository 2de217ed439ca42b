from datetime import UTC, datetime, timedelta
from urllib.parse import unquote

import boto3
import pytest
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError

from image_classifier.aws.object_store import ClientCredentials, address_of, object_store


@pytest.fixture
def session(monkeypatch):
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "HTTP_PROXY", "http_proxy", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    return boto3.Session("key", "secret", "token", region_name="eu-central-1")


@pytest.fixture
def put(session):
    def run(url, *, key="c/a.jpg", config=None):
        s3 = session.client("s3", endpoint_url=url, config=config)
        object_store(s3, bucket="pictures").put(key, b"data", attributes={"Content-Type": "image/jpeg"})

    return run


@pytest.mark.parametrize(
    "name", ["a b+ü", "50% of it", "%41", "a#b?c&d=e", "[x]{y}*~^|", "c:\\d", 'it\'s "so"', "日本", "-._!()@$,;"]
)
def test_an_object_is_put_where_the_client_would_put_it(s3_server, session, put, name):
    key = f"c/dataset/train/{name}/1.jpg"
    put(s3_server.url, key=key)
    session.client("s3", endpoint_url=s3_server.url).put_object(Bucket="pictures", Key=key)

    (ours, headers, body), (theirs, *_) = s3_server.requests
    assert unquote(ours) == unquote(theirs) == f"/pictures/{key}"
    assert (body, headers["content-type"]) == (b"data", "image/jpeg")


def test_requests_are_signed_with_the_sessions_credentials_and_region(s3_server, put):
    put(s3_server.url)

    headers = s3_server.requests[0][1]
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=key/")
    assert "/eu-central-1/s3/aws4_request" in headers["authorization"]
    assert headers["x-amz-security-token"] == "token"


def test_objects_carry_a_checksum(s3_server, put):
    put(s3_server.url)

    assert s3_server.requests[0][1]["x-amz-checksum-sha256"] == "Om6weQ85rIfJTzhWst0sXREOaBFgImGpqSPTuyOtyLc="


def test_the_environment_does_not_change_the_endpoint(s3_server, put, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_SKIP_SIGNATURE", "true")

    put(s3_server.url)

    assert "authorization" in s3_server.requests[0][1]


def test_a_server_error_is_tried_again(s3_server, put):
    s3_server.answers += [503, 500]

    put(s3_server.url)

    assert len(s3_server.requests) == 3


def test_a_proxy_of_the_client_is_used(s3_server, put):
    put("http://s3.nowhere.test", config=Config(proxies={"http": s3_server.url}, s3={"addressing_style": "path"}))

    assert s3_server.requests[0][0] == "http://s3.nowhere.test/pictures/c/a.jpg"


def test_a_proxy_of_the_environment_is_used(s3_server, put, monkeypatch):
    monkeypatch.setenv("http_proxy", s3_server.url)

    put("http://s3.nowhere.test", config=Config(s3={"addressing_style": "path"}))

    assert s3_server.requests[0][0] == "http://s3.nowhere.test/pictures/c/a.jpg"


@pytest.mark.parametrize(
    ("bucket", "region", "s3", "address"),
    [
        ("pictures", "eu-central-1", {}, "https://pictures.s3.eu-central-1.amazonaws.com"),
        ("my.pictures", "eu-central-1", {}, "https://s3.eu-central-1.amazonaws.com/my.pictures"),
        ("pictures", "cn-north-1", {}, "https://pictures.s3.cn-north-1.amazonaws.com.cn"),
        (
            "pictures",
            "us-gov-west-1",
            {"use_dualstack_endpoint": True},
            "https://pictures.s3.dualstack.us-gov-west-1.amazonaws.com",
        ),
        ("pictures", "eu-west-1", {"addressing_style": "path"}, "https://s3.eu-west-1.amazonaws.com/pictures"),
    ],
)
def test_the_address_of_a_bucket_is_botocores(session, bucket, region, s3, address):
    client = session.client("s3", region_name=region, config=Config(s3=s3))

    assert address_of(client, bucket=bucket).url == address


def test_temporary_credentials_are_replaced_before_they_expire(session):
    now, refreshed = datetime.now(UTC), []

    def refresh():
        refreshed.append(1)
        return metadata(f"key{len(refreshed)}", timedelta(hours=1))

    def metadata(key, lifetime):
        return {"access_key": key, "secret_key": "s", "token": "t", "expiry_time": (now + lifetime).isoformat()}

    nearly_expired = metadata("key0", timedelta(minutes=9))  # botocore replaces what has less than ten minutes left
    session._session._credentials = RefreshableCredentials.create_from_metadata(nearly_expired, refresh, "test")
    address = address_of(session.client("s3"), bucket="pictures")
    assert len(refreshed) == 1

    given = ClientCredentials(address.signer, address.region)()

    assert (given["access_key_id"], given["token"]) == ("key1", "t")
    assert given["expires_at"] < now + timedelta(minutes=7)  # long before that of the credentials


def test_a_bucket_with_other_signatures_is_not_opened(session):
    client = session.client("s3", region_name="us-east-1", config=Config(signature_version="s3"))

    assert object_store(client, bucket="pictures") is None


def test_finding_the_address_leaves_the_client_as_it_was(s3_server, session):
    client = session.client("s3", endpoint_url=s3_server.url)
    address_of(client, bucket="pictures")

    client.put_object(Bucket="pictures", Key="a")

    assert [path for path, *_ in s3_server.requests] == ["/pictures/a"]
    with pytest.raises(ClientError):
        client.head_object(Bucket="pictures", Key="x")  # which the server does not know


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_the_file_of_trusted_certificates_is_the_clients(session, tmp_path, monkeypatch, variable):
    monkeypatch.setenv(variable, str(tmp_path / "absent.pem"))
    authority = tmp_path / "ca.pem"
    authority.write_text("no certificate")

    with pytest.raises(FileNotFoundError, match=r"absent\.pem"):
        object_store(session.client("s3", endpoint_url="https://127.0.0.1:1"), bucket="pictures")
    with pytest.raises(ValueError, match="No certificates found"):
        object_store(session.client("s3", endpoint_url="https://127.0.0.1:1", verify=str(authority)), bucket="pictures")
    object_store(session.client("s3", endpoint_url="https://127.0.0.1:1", verify=False), bucket="pictures")
