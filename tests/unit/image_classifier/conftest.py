"""A bucket in memory, and calls to AWS that are repeated without a pause."""

import base64
from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws

BUCKET = "pictures"
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")  # one: it reads botocore's models once


@pytest.fixture(autouse=True)
def pauses(monkeypatch):
    """The pauses between repeated calls, in seconds; nothing waits."""
    pauses_s = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=pauses_s.append))
    return pauses_s


@pytest.fixture
def s3():
    with mock_aws():
        client = SESSION.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture(autouse=True)
def _boto3_uploads(monkeypatch):
    """obstore is not stopped by moto: it would ask AWS itself."""
    monkeypatch.setattr("image_classifier.prepare.stores.object_store", lambda s3, *, bucket: None)


# 80 x 64 pixels in four colours, made with libheif and x265.
HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAVZtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9j"
    "AAAAAERAAAEAAQAAAAABegABAAAAAAAAAXUAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA1mlw"
    "cnAAAAC3aXBjbwAAAHhodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQArQgEBA3AA"
    "AAMAkAAAAwAAAwAeoCiBBZbqSSmubgIaDAgAAAMAyAAAAwAIQGIAAQAHRAHBcrAiQAAAABNjb2xybmNseAABAA0ABoAAAAAUaXNwZQAAAAAA"
    "AABQAAAAQAAAABBwaXhpAAAAAAMICAgAAAAXaXBtYQAAAAAAAAABAAEEgQIDBAAAAX1tZGF0AAABcSgBrwT47KXpOu3/4F3///2UY7L+6IoK"
    "61HOrr3g4uzYlkgD1nwJ6ItVq4h6uzwb/x+z9flpVjt8E2FK5fV4fxUFXstXdVLuG9oGvicr5TnI/SGqZpztriLXNiLwA4ID05KBgIi7y0OZ"
    "EWlblXnbouqs9a8ymBCM7fqzgKUCOgEulaD/CPqjfvpO3/9hV2NC/ervdz4PihRZmzYYLFgjuyWgAIxdNtB2DoO+8mv/9uXHUwTdY/qarnB8"
    "A2qLtIZw1siEw9zNBkG3LIpnyZ+XxmKybCYz/Nf5v+Y/+Ddt3XB9E2ylNEa+Tms260W7oLseB+GkD6g9qrvnPggCSTXuqwRrtzwvHnXBy4QL"
    "QoDqSW4Vo7+UmjwFzriF4GPcd60F7kXve8CAFDikZ1FvetPaTEPUbcefyKSJ1Yu0IVaGDUpy/ouPBc1ErthaD8UxwYcDx7Xb7Cs/ELkz5mU2"
    "3O/Lv5/OkjQDpCfZNazCDJreKrCKQA=="
)


@pytest.fixture
def heic() -> bytes:
    """An image as telephones make it."""
    return HEIC
