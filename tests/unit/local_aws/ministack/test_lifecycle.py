"""Checks which objects and versions expire by the lifecycle rules of a bucket."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from local_aws.ministack import lifecycle
from local_aws.ministack.modules import s3

NOW_S = 1_764_547_200.0  # 2025-12-01
OLD_VERSIONS = {
    "ID": "a",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "Expiration": {"ExpiredObjectDeleteMarker": True},
}
OLD_VERSIONS["NoncurrentVersionExpiration"] = {"NoncurrentDays": 30}
UPLOADS = {"ID": "b", "Status": "Enabled", "Filter": {"Prefix": "c/incoming/"}, "Expiration": {"Days": 7}}


def version(number: int, day: str, **more: Any) -> Any:
    return {"version_id": str(number), "last_modified": f"{day}T00:00:00.000Z", **more}


def ids(*versions: Any, rules: list[Any] | None = None) -> list[str]:
    found = lifecycle.expired_versions(versions, rules or [OLD_VERSIONS], now_s=NOW_S)
    return [item["version_id"] for item in found]


def test_a_version_expires_days_after_it_was_replaced() -> None:
    first, second, third = version(1, "2025-01-01"), version(2, "2025-11-01"), version(3, "2025-11-02")

    assert ids(first, second, third) == ["1"]


def test_the_current_version_does_not_expire() -> None:
    assert ids(version(1, "2020-01-01")) == []


def test_a_delete_marker_expires_once_it_hides_nothing() -> None:
    marker = version(2, "2025-11-30", is_delete_marker=True)

    assert ids(marker) == ["2"]
    assert ids(version(1, "2025-11-29"), marker) == []


def test_a_rule_that_keeps_a_number_of_versions_deletes_none() -> None:
    rule = {**OLD_VERSIONS, "NoncurrentVersionExpiration": {"NoncurrentDays": 1, "NewerNoncurrentVersions": 5}}

    assert ids(version(1, "2025-01-01"), version(2, "2025-01-02"), rules=[rule]) == []


@pytest.mark.parametrize(
    ("change", "meant"),
    [
        ({}, True),
        ({"Status": "Disabled"}, False),
        ({"Filter": {"Prefix": "d/"}}, False),
        ({"Filter": {"Prefix": "c/", "Tag": {"Key": "a", "Value": "b"}}}, False),
        ({"Filter": {}}, False),
    ],
)
def test_a_rule_acts_on_keys_with_its_prefix_alone(change: dict[str, Any], meant: bool) -> None:
    assert lifecycle.is_for("c/incoming/a.png", {**UPLOADS, **change}) is meant


def test_what_has_expired_is_deleted_through_s3(monkeypatch: pytest.MonkeyPatch) -> None:
    objects = {
        "c/incoming/new.png": version(0, "2025-11-30"),
        "c/incoming/old.png": version(0, "2025-11-01"),
        "c/predictions/old.json": version(2, "2025-01-02"),
    }
    history = [version(1, "2025-01-01"), version(2, "2025-01-02")]
    monkeypatch.setattr(lifecycle.time, "time", lambda: NOW_S)
    monkeypatch.setattr(s3, "_buckets", {"b": {"objects": objects}})
    monkeypatch.setattr(s3, "_object_versions", {("b", "c/predictions/old.json"): history, ("z", "k"): history})
    monkeypatch.setattr(s3, "_bucket_lifecycle", {"b": [OLD_VERSIONS, UPLOADS], "gone": [UPLOADS], "raw": "<x/>"})
    client = mock.Mock(spec_set=["delete_objects"])

    lifecycle.expire_objects(client)

    expired = [{"Key": "c/incoming/old.png"}, {"Key": "c/predictions/old.json", "VersionId": "1"}]
    client.delete_objects.assert_called_once_with(Bucket="b", Delete={"Objects": expired, "Quiet": True})
