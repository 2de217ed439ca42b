"""Answers ListObjectVersions: MiniStack's pages repeated objects, skipped versions after a deletion, or had no end."""

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NotRequired, TypedDict
from xml.etree.ElementTree import Element, SubElement

from local_aws.ministack.modules import Answer, s3

Query = Mapping[str, list[str] | str]


class Version(TypedDict):
    """A version or a delete marker, as MiniStack keeps it."""

    version_id: str
    is_latest: bool
    last_modified: str
    etag: str
    size: int
    is_delete_marker: NotRequired[bool]
    storage_class: NotRequired[str]


@dataclass(frozen=True)
class Entry:
    """A version, or the common prefix of keys (without a version)."""

    key: str
    version: Version | None = None


def list_object_versions(bucket: str, query: Query) -> Answer:
    """Answer ListObjectVersions; a page ends after `max-keys` versions and common prefixes."""
    stored = s3._ensure_bucket(bucket)
    if stored is None:
        absent: Answer = s3._no_such_bucket(bucket)
        return absent
    most = int(s3._qp(query, "max-keys", "1000"))
    found = list(itertools.islice(_entries(bucket, stored["objects"], query), most + 1))
    entries, is_truncated = found[:most], 0 < most < len(found)
    is_encoded = s3._qp(query, "encoding-type") == "url"
    encoded: Callable[[str], str] = s3._url_encode if is_encoded else str
    root = Element("ListVersionsResult", xmlns=s3.S3_NS)
    values = {
        "Name": bucket,
        "Prefix": encoded(s3._qp(query, "prefix")),
        "KeyMarker": encoded(s3._qp(query, "key-marker")),
        "VersionIdMarker": s3._qp(query, "version-id-marker"),
        "MaxKeys": str(most),
        "IsTruncated": str(is_truncated).lower(),
        "Delimiter": encoded(s3._qp(query, "delimiter")) or None,
        "EncodingType": "url" if is_encoded else None,
    }
    if is_truncated:
        last = entries[-1]
        values["NextKeyMarker"] = encoded(last.key)
        values["NextVersionIdMarker"] = last.version["version_id"] if last.version else None
    _add(root, values)
    for entry in entries:
        _add_entry(root, entry, encoded=encoded)
    return 200, {"Content-Type": "application/xml"}, s3._xml_body(root)


def _entries(bucket: str, objects: Mapping[str, Version], query: Query) -> Iterator[Entry]:
    """Yield what follows the markers, in the order of the keys, the newest version of a key first."""
    prefix, delimiter, marker = (s3._qp(query, name) for name in ("prefix", "delimiter", "key-marker"))
    listed = {*objects, *(key for name, key in s3._object_versions if name == bucket)}
    group = ""
    for key in sorted(key for key in listed if key.startswith(prefix) and key >= marker):
        before, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else ("", "", "")
        if found:
            is_new, group = prefix + before + found != group, prefix + before + found
            if is_new and not marker.startswith(group):
                yield Entry(group)
            continue
        versions = _versions(bucket, key, objects.get(key))
        if key == marker:
            versions = _after(versions, s3._qp(query, "version-id-marker"))
        yield from (Entry(key, version) for version in versions)


def _versions(bucket: str, key: str, current: Version | None) -> list[Version]:
    history: list[Version] = s3._object_versions.get((bucket, key)) or []
    if history or current is None:
        return history[::-1]
    return [{**current, "version_id": current.get("version_id") or "null", "is_latest": True}]


def _after(versions: list[Version], marker: str) -> list[Version]:
    """Return the versions after the marker; all if it was deleted since, and none if the marker is only a key."""
    ids = [version["version_id"] for version in versions]
    if marker in ids:
        return versions[ids.index(marker) + 1 :]
    return versions if marker else []


def _add_entry(root: Element, entry: Entry, *, encoded: Callable[[str], str]) -> None:
    version = entry.version
    if version is None:
        _add(SubElement(root, "CommonPrefixes"), {"Prefix": encoded(entry.key)})
        return
    is_marker = bool(version.get("is_delete_marker"))
    element = SubElement(root, "DeleteMarker" if is_marker else "Version")
    values = {
        "Key": encoded(entry.key),
        "VersionId": version["version_id"],
        "IsLatest": str(version["is_latest"]).lower(),
        "LastModified": version["last_modified"],
    }
    content = {"ETag": version["etag"], "Size": str(version["size"])}
    stored = {"StorageClass": version.get("storage_class") or "STANDARD"}
    _add(element, values if is_marker else {**values, **content, **stored})
    _add(SubElement(element, "Owner"), {"ID": s3._canonical_owner_id(), "DisplayName": "ministack"})


def _add(element: Element, values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is not None:
            SubElement(element, name).text = value
