"""Stores S3's objects, or refuses the request, as on a full disk: MiniStack logged the error and answered 200."""

import contextlib
import json
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import NotRequired, TypedDict

from local_aws.ministack import object_files
from local_aws.ministack.modules import Answer, s3

log = logging.getLogger(__name__)

_SIDECAR = ".meta.json"
_undelivered: ContextVar[sqlite3.Error | None] = ContextVar("undelivered", default=None)


class StoredObject(TypedDict):
    """What MiniStack keeps of an object; its body only until it is in a file."""

    body: NotRequired[bytes | None]
    version_id: NotRequired[str]


class StoredVersion(TypedDict):
    """A version or a delete marker of a key, the last of its list being the latest."""

    version_id: NotRequired[str]
    last_modified: NotRequired[str]
    is_latest: NotRequired[bool]


def request(original: Callable[..., Answer | None]) -> Callable[..., Answer | None]:
    """Wrap the dispatch of every request to S3: an object that cannot be stored is as it was, with AWS's error."""

    def checked(method: str, bucket: str, key: str, *rest: object) -> Answer | None:
        if method in ("GET", "HEAD"):
            return original(method, bucket, key, *rest)
        try:
            with _restored_on_error(bucket, key):
                return original(method, bucket, key, *rest)
        except (OSError, sqlite3.Error) as error:
            log.error("S3 cannot store %s/%s: %s", bucket, key, error)
            refused: Answer = s3._error(
                "InternalError", f"The local AWS cannot store it ({error}). Free some space.", 500
            )
            return refused

    return checked


def record_delete_marker(original: Callable[..., str]) -> Callable[..., str]:
    """Wrap the creation of a delete marker, of which one request may ask for a thousand."""

    def record(bucket: str, key: str, prior: StoredObject | None) -> str:
        with _restored_on_error(bucket, key):
            return original(bucket, key, prior)

    return record


@contextlib.contextmanager
def _restored_on_error(bucket: str, key: str) -> Iterator[None]:
    objects: dict[str, StoredObject] = (s3._buckets.get(bucket) or {}).get("objects", {})
    record, versions = objects.get(key), list(s3._object_versions.get((bucket, key)) or [])
    try:
        yield
    except (OSError, sqlite3.Error):
        objects.pop(key, None)
        if record is not None:
            objects[key] = record
        _restore_versions(bucket, key, versions)
        raise


def _restore_versions(bucket: str, key: str, versions: list[StoredVersion]) -> None:
    s3._object_versions.pop((bucket, key), None)
    if versions:
        s3._object_versions[(bucket, key)] = versions
        for version in versions:
            version["is_latest"] = version is versions[-1]


def persist_object(bucket: str, key: str, record: StoredObject) -> None:
    """Write the two files of an object, or neither.

    Raises:
        OSError: they cannot be written.

    """
    path = _made(s3._object_disk_path(bucket, key))
    document = {**s3._object_meta_from_record(record), **s3._key_history_meta(bucket, key), "key": key}
    body = record.get("body")
    written = [] if body is None else [(path, object_files.write_beside(path, body))]
    try:
        sidecar = path + _SIDECAR
        written.append((sidecar, object_files.write_beside(sidecar, json.dumps(document))))
    except OSError:
        for _, temporary in written:
            os.remove(temporary)  # noqa: PTH107  as object_files
        raise
    for final, temporary in written:
        os.replace(temporary, final)  # noqa: PTH105
    record["body"] = None  # it is read from its file
    s3._remove_key_files(s3._other_key_disk_path(_folder(bucket), key, path))


def persist_delete_marker(bucket: str, key: str, marker: StoredVersion) -> None:
    """Write the file of a delete marker.

    Raises:
        OSError: it cannot be written.

    """
    document = {
        "is_delete_marker": True,
        "version_id": marker.get("version_id"),
        "last_modified": marker.get("last_modified", ""),
        **s3._key_history_meta(bucket, key),
        "key": key,
    }
    object_files.write(_made(s3._object_disk_path(bucket, key)) + _SIDECAR, json.dumps(document))


def persist_displaced_version(bucket: str, key: str, prior: StoredObject | None, versioning: str) -> None:
    """Keep the content of the version that a write or a delete marker follows.

    Raises:
        OSError: it cannot be written.

    """
    if versioning == "Suspended":
        s3._delete_version_file(bucket, key, "null")
    version = (prior or {}).get("version_id") or "null"
    path = s3._version_disk_path(bucket, key, version) if prior is not None else None
    if path is not None and (versioning, version) != ("Suspended", "null"):
        object_files.write(_made(path), s3._read_body(bucket, key, prior))


def _made(path: str) -> str:
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
    return path


def _folder(bucket: str) -> str:
    return os.path.join(s3.DATA_DIR, s3.get_account_id(), bucket)  # noqa: PTH118


@contextlib.contextmanager
def noted_if_undelivered() -> Iterator[None]:
    """Keep the error of an event that cannot be stored, which MiniStack only logs, for `fail_if_undelivered`."""
    try:
        yield
    except sqlite3.Error as error:
        _undelivered.set(error)
        raise


@contextlib.contextmanager
def fail_if_undelivered() -> Iterator[None]:
    """Run the delivery of events.

    Raises:
        sqlite3.Error: an event could not be stored.

    """
    _undelivered.set(None)
    yield
    if (error := _undelivered.get()) is not None:
        raise error
