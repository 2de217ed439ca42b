"""Expires objects and versions by the lifecycle rules of their buckets, which MiniStack only stores."""

import itertools
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.client import BaseClient

from local_aws.ministack.modules import s3
from local_aws.ministack.version_lists import Version

log = logging.getLogger(__name__)

INTERVAL_S = 600  # AWS: once a day
_DAY_S = 86_400
_MOST_KEYS = 1000  # of one DeleteObjects

Rule = Mapping[str, Any]  # as MiniStack stores it


def expire_objects(client: BaseClient) -> None:
    """Delete what has expired in every bucket, as its owner would: through S3."""
    for bucket, rules in list(s3._bucket_lifecycle.items()):
        if isinstance(rules, str) or bucket not in s3._buckets:  # a text is one that MiniStack could not read
            continue
        found = list(_expired(bucket, rules, now_s=time.time()))
        for batch in (found[start : start + _MOST_KEYS] for start in range(0, len(found), _MOST_KEYS)):
            client.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
        if found:
            log.info("%d objects and versions in %s have expired", len(found), bucket)


def _expired(bucket: str, rules: Sequence[Rule], *, now_s: float) -> Iterator[dict[str, str]]:
    """Yield the keys and versions to delete, as DeleteObjects takes them."""
    objects: dict[str, Version] = s3._buckets[bucket]["objects"]
    histories = {key: versions for (name, key), versions in list(s3._object_versions.items()) if name == bucket}
    for key in {**objects, **histories}:
        meant = [rule for rule in rules if is_for(key, rule)]
        if not meant:
            continue
        if key in objects and any(
            _is_old(objects[key], rule.get("Expiration", {}).get("Days"), now_s) for rule in meant
        ):
            yield {"Key": key}
        for version in expired_versions(histories.get(key) or [], meant, now_s=now_s):
            yield {"Key": key, "VersionId": version["version_id"]}


def is_for(key: str, rule: Rule) -> bool:
    """Return whether a rule acts on a key; one that selects by more than a prefix acts on none here."""
    selection = rule.get("Filter") or {}
    return rule["Status"] == "Enabled" and set(selection) == {"Prefix"} and key.startswith(selection["Prefix"])


def expired_versions(versions: Sequence[Version], rules: Sequence[Rule], *, now_s: float) -> Iterator[Version]:
    """Yield a key's versions (the oldest first) that were replaced long enough ago, and a marker that hides nothing."""
    for rule in rules:
        noncurrent = rule.get("NoncurrentVersionExpiration", {})
        days = None if "NewerNoncurrentVersions" in noncurrent else noncurrent.get("NoncurrentDays")
        yield from (old for old, successor in itertools.pairwise(versions) if _is_old(successor, days, now_s))
        is_alone = len(versions) == 1 and versions[0].get("is_delete_marker")
        if is_alone and rule.get("Expiration", {}).get("ExpiredObjectDeleteMarker"):
            yield versions[0]


def _is_old(version: Version, days: int | None, now_s: float) -> bool:
    return days is not None and datetime.fromisoformat(version["last_modified"]).timestamp() <= now_s - days * _DAY_S
