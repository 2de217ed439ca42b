"""Provides a bucket in memory, and repeated calls to AWS without pauses."""

from types import SimpleNamespace

import boto3
import pytest
from moto import mock_aws
from tests.unit.odd_images.heic import HEIC

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


@pytest.fixture
def heic() -> bytes:
    """An image as telephones make it."""
    return HEIC
