"""Checks that S3 refuses what it cannot store, as on a full disk, and leaves everything as it was."""

from __future__ import annotations

import errno
import os
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from local_aws.ministack import object_files, stored_objects
from local_aws.ministack.modules import s3

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET = "image-classifier-full-disk"


class Bucket:
    """A bucket of MiniStack in this process, and the disk that it is on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def ask(self, method: str, key: str, body: bytes = b"", **query: str) -> tuple[int, bytes]:
        status, _, answer = s3._dispatch(method, BUCKET, key, {}, body, {name: [text] for name, text in query.items()})
        return status, answer

    def read(self, key: str) -> bytes | None:
        status, body = self.ask("GET", key)
        return body if status == 200 else None

    def fill_the_disk(self, *, free_bytes: int = 0) -> None:
        really, free = os.write, [free_bytes]

        def write(file: int, data: memoryview) -> int:
            if len(data) > free[0]:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            free[0] -= len(data)
            return really(file, data)

        self._monkeypatch.setattr(object_files.os, "write", write)

    def restart(self) -> None:
        for store in (s3._buckets, s3._object_versions, s3._object_tags):
            store._data.clear()
        s3._bucket_versioning._data.clear()
        s3._load_persisted_data()


@pytest.fixture(params=["", "Enabled"], ids=["unversioned", "versioned"])
def bucket(request: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    monkeypatch.setattr(s3, "DATA_DIR", str(tmp_path))
    monkeypatch.setattr(s3, "S3_PERSIST", True)
    monkeypatch.setattr(s3, "_atomic_write", object_files.write)
    for name in ("persist_object", "persist_delete_marker", "persist_displaced_version"):
        monkeypatch.setattr(s3, f"_{name}", getattr(stored_objects, name))
    monkeypatch.setattr(s3, "_record_delete_marker", stored_objects.record_delete_marker(s3._record_delete_marker))
    monkeypatch.setattr(s3, "_dispatch", stored_objects.request(s3._dispatch))
    s3._buckets[BUCKET] = {"created": "2026-11-29T00:00:00.000Z", "objects": {}, "region": None}
    if request.param:
        s3._bucket_versioning[BUCKET] = request.param
    yield Bucket(monkeypatch)
    for store in (s3._buckets, s3._object_versions, s3._bucket_versioning):
        store._data.clear()


def test_what_is_stored_is_read_before_and_after_a_restart(bucket: Bucket) -> None:
    assert bucket.ask("PUT", "a/b", b"first")[0] == 200
    assert bucket.ask("PUT", "a/b", b"second")[0] == 200
    assert bucket.read("a/b") == b"second"
    bucket.restart()
    assert bucket.read("a/b") == b"second"


def test_an_object_that_has_no_space_is_refused_and_the_earlier_stays(bucket: Bucket) -> None:
    bucket.ask("PUT", "a", b"first")
    bucket.fill_the_disk()

    for key in ("a", "new"):
        status, answer = bucket.ask("PUT", key, b"second")
        assert status == 500
        assert b"InternalError" in answer
        assert b"No space left on device" in answer

    assert (bucket.read("a"), bucket.read("new")) == (b"first", None)
    bucket.restart()
    assert (bucket.read("a"), bucket.read("new")) == (b"first", None)


def test_content_without_space_for_its_sidecar_is_refused(bucket: Bucket, tmp_path: Path) -> None:
    bucket.ask("PUT", "a", b"first")
    bucket.fill_the_disk(free_bytes=20)

    assert bucket.ask("PUT", "a", b"second")[0] == 500

    assert bucket.read("a") == b"first"
    assert not list(tmp_path.rglob("*.tmp"))
    bucket.restart()
    assert bucket.read("a") == b"first"


def test_an_object_whose_event_has_no_space_is_refused(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    def deliver(*_: object, **__: object) -> None:
        with pytest.raises(sqlite3.OperationalError), stored_objects.noted_if_undelivered():  # MiniStack only logs it
            raise sqlite3.OperationalError("database or disk is full")

    def fire(*_: object, **__: object) -> None:
        with stored_objects.fail_if_undelivered():
            deliver()

    bucket.ask("PUT", "a", b"first")
    monkeypatch.setattr(s3, "_fire_s3_event_async", fire)

    assert bucket.ask("PUT", "a", b"second")[0] == 500
    assert bucket.read("a") == b"first"


def test_a_deletion_that_has_no_space_leaves_the_object(bucket: Bucket) -> None:
    bucket.ask("PUT", "a", b"first")
    bucket.fill_the_disk()
    status, _ = bucket.ask("DELETE", "a")

    assert (status, bucket.read("a")) in ((500, b"first"), (204, None))  # without versions it needs no space
    before = bucket.read("a")
    bucket.restart()
    assert bucket.read("a") == before
