"""Provides the pages behind Airflow's real login check, with chosen permissions per Dag and a bucket in memory."""

import hashlib
import json

import boto3
import pytest
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from fastapi import HTTPException
from fastapi.testclient import TestClient
from moto import mock_aws

from image_classifier.corrections.store import CorrectionCache
from image_classifier.gallery.newest import RowCache
from image_classifier_airflow.pages import access, app, labels, storage

BUCKET = "pictures"
ORIGIN = "http://testserver"
SESSION = boto3.Session("testing", "testing", region_name="us-east-1")  # one: it reads botocore's models once
HOSTILE = "<script>alert(1)</script>\"'&.png"


class User(BaseUser):
    """A user of the test's Airflow: may read and edit the Dags of these classifiers."""

    def __init__(self, name, *, reads=(), edits=()):
        self.name, self.reads, self.edits = name, {*reads, *edits}, set(edits)

    def get_id(self):
        return self.name

    def get_name(self):
        return self.name


USERS = {
    "editor": User("editor", edits=["cats"]),
    "second": User("second", edits=["cats"]),
    "viewer": User("viewer", reads=["cats"]),
    "other": User("other", edits=["dogs"]),
}


class AuthManager:
    """Users by token, and permission on a Dag by its classifier."""

    async def get_user_from_token(self, token):
        if token not in USERS:
            raise HTTPException(403, "Invalid token")
        return USERS[token]

    def is_authorized_dag(self, *, method, details, user, access_entity=None):
        allowed = user.reads if method == "GET" else user.edits
        return details.id.removesuffix("_train_and_deploy") in allowed


def record(key, *, label="cat", confidence=0.9, second="dog", status="predicted", job="job-1", minute=0, **values):
    """A prediction record as the function writes it."""
    at = f"2026-11-28T05:{minute:02d}:00.000+00:00"
    answered = status in ("predicted", "unsure")
    top = [{"label": label, "probability": confidence}, {"label": second, "probability": 1 - confidence}]
    model = {"training_job": job, "endpoint": "e", "endpoint_config": None, "labels_sha256": "x"}
    image = {"bucket": BUCKET, "key": key, "version_id": None, "etag": None, "bytes": 3, "sequencer": None}
    return {
        "schema": 1,
        "status": status,
        "image": {**image, "width": 8, "height": 8},
        "times": {"uploaded": at, "predicted": at, "endpoint_ms": 5.0, "total_ms": 900.0},
        "label": label if answered else None,
        "confidence": confidence if answered else None,
        "top": top if answered else [],
        "reason": None if answered else {"code": "truncated", "sentence": "The file ends early."},
        "model": {**model, "model_package": None} if answered else None,
        **values,
    }


class Bucket:
    """What the function, the watch Dag and the deploy task wrote."""

    def __init__(self, s3):
        self.s3 = s3

    def put(self, key, body):
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def keys(self, prefix):
        return [found["Key"] for found in self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])]

    def add(self, name, **values):
        """An uploaded image and its record."""
        content = record(f"cats/incoming/{name}", **values)
        minute = content["times"]["predicted"][14:16]
        self.put(f"cats/incoming/{name}", b"\x89PNG\r\n\x1a\n" + name.encode())
        self.put(f"cats/predictions/{name}.json", json.dumps(content).encode())
        digest = hashlib.sha256(f"cats/incoming/{name}\nNone\n0".encode()).hexdigest()[:16]
        entry = f"2026-11-28/05/{minute}00.000-{digest}.json"
        self.put(f"cats/predictions-log/{entry}", json.dumps(content).encode())
        return content


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    for name in ("cats", "dogs"):
        (tmp_path / f"{name}.yaml").write_text("source: somewhere\n")
    monkeypatch.setenv("IMAGE_CLASSIFIER_CLASSIFIERS", str(tmp_path))
    monkeypatch.setenv("IMAGE_CLASSIFIER_BUCKET", BUCKET)
    monkeypatch.setattr(labels, "LABELS", {})
    monkeypatch.setattr(storage, "CORRECTIONS", CorrectionCache())
    monkeypatch.setattr(storage, "ROWS", RowCache())
    with mock_aws():
        s3 = SESSION.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        monkeypatch.setattr(storage, "s3", lambda _: s3)
        yield Bucket(s3)


@pytest.fixture(scope="session")
def pages():
    """The app; it holds nothing between requests."""
    return app.pages()


@pytest.fixture
def client(monkeypatch, bucket, pages):
    """A client that signs in as the user whose name it is given: ``client("viewer")``."""
    monkeypatch.setattr(access, "get_auth_manager", AuthManager)
    monkeypatch.setattr("airflow.api_fastapi.core_api.security.get_auth_manager", AuthManager)
    monkeypatch.setattr(access.DagModel, "get_team_name", staticmethod(lambda _: None))

    def sign_in(user):
        cookies = {"_token": user} if user else {}
        headers = {access.HEADER: "1", "Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
        return TestClient(pages, base_url=ORIGIN, cookies=cookies, headers=headers, raise_server_exceptions=False)

    return sign_in
