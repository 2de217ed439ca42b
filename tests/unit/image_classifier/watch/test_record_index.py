"""Checks that log entries move into their day's index once, and that an interrupted run loses none."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from image_classifier.contracts.errors import DatasetError
from image_classifier.watch import record_index
from image_classifier.watch.record_index import compact


def entry(s3, name, *, key="pets/incoming/a.jpg"):
    body = json.dumps({"schema": 1, "image": {"key": key}}, indent=1).encode()
    s3.put_object(Bucket="pictures", Key=f"pets/predictions-log/{name}.json", Body=body)


def run(s3, *, minutes=5):
    now = datetime.now(UTC) + timedelta(minutes=minutes)
    return compact(s3, bucket="pictures", classifier="pets", now=now, is_over=lambda: False)


def keys(s3, prefix):
    return [item["Key"] for item in s3.list_objects_v2(Bucket="pictures", Prefix=prefix).get("Contents", [])]


def lines(s3, day):
    return [line for part in keys(s3, f"pets/predictions-index/{day}/") for line in lines_of(s3, part)]


def lines_of(s3, part):
    body = gzip.decompress(s3.get_object(Bucket="pictures", Key=part)["Body"].read())
    return [json.loads(line) for line in body.splitlines()]


def test_entries_move_to_the_index_of_their_day(s3):
    entry(s3, "2026-01-01/23/5959.999-a")
    entry(s3, "2026-01-02/00/0000.000-b")

    assert run(s3).entries == 2
    assert [len(lines(s3, day)) for day in ("2026-01-01", "2026-01-02")] == [1, 1]
    assert keys(s3, "pets/predictions-log/") == []


def test_a_fresh_entry_waits_for_the_next_run(s3):
    entry(s3, "2026-01-01/00/0000.000-a")

    assert run(s3, minutes=0).entries == 0
    assert len(keys(s3, "pets/predictions-log/")) == 1


def test_the_entry_of_a_runs_own_check_is_deleted_and_not_counted(s3):
    entry(s3, "2026-01-01/00/0000.000-a", key="pets/incoming/.check/run.jpg")

    run(s3)

    assert lines(s3, "2026-01-01") == []
    assert keys(s3, "pets/predictions-log/") == []


def test_a_run_that_ended_before_it_deleted_writes_the_same_part_again(s3, monkeypatch):
    entry(s3, "2026-01-01/00/0000.000-a")
    with monkeypatch.context() as interrupted:
        interrupted.setattr(s3, "delete_objects", lambda **_: {})
        run(s3)

    run(s3)

    assert len(lines(s3, "2026-01-01")) == 1


def test_entries_that_s3_does_not_delete_are_no_silent_success(s3, monkeypatch):
    entry(s3, "2026-01-01/00/0000.000-a")
    refused = {"Errors": [{"Key": "a", "Code": "AccessDenied", "Message": "Access Denied"}]}
    monkeypatch.setattr(s3, "delete_objects", lambda **_: refused)

    with pytest.raises(DatasetError, match="AccessDenied"):
        run(s3)


def test_many_parts_of_a_day_become_one(s3):
    for number in range(record_index.MOST_PARTS + 1):
        entry(s3, f"2026-01-01/00/00{number:02}.000-a", key=f"pets/incoming/{number}")
        run(s3)

    assert len(keys(s3, "pets/predictions-index/2026-01-01/")) == 1
    assert len(lines(s3, "2026-01-01")) == record_index.MOST_PARTS + 1


def test_parts_are_named_by_the_time_of_their_first_entry(s3):
    entry(s3, "2026-01-01/23/5959.999-a")
    entry(s3, "2026-01-01/07/0102.003-b")

    run(s3)

    [part] = keys(s3, "pets/predictions-index/2026-01-01/")
    assert part.rpartition("/")[2].startswith("part-070102003-2-")


def test_no_part_grows_beyond_the_limit(s3, monkeypatch):
    monkeypatch.setattr(record_index, "MOST_ENTRIES", 4)
    monkeypatch.setattr(record_index, "MOST_PARTS", 2)
    for number in range(10):
        entry(s3, f"2026-01-01/00/00{number:02}.000-a", key=f"pets/incoming/{number}")
        run(s3)

    parts = keys(s3, "pets/predictions-index/2026-01-01/")
    assert sorted(line["image"]["key"] for line in lines(s3, "2026-01-01")) == [f"pets/incoming/{n}" for n in range(10)]
    assert max(len(lines_of(s3, part)) for part in parts) <= 4
    assert len(parts) <= 5


def test_a_part_of_an_earlier_release_stays_as_it_is(s3, monkeypatch):
    monkeypatch.setattr(record_index, "MOST_PARTS", 1)
    old = "pets/predictions-index/2026-01-01/part-0123456789abcdef.jsonl.gz"
    s3.put_object(Bucket="pictures", Key=old, Body=gzip.compress(b'{"image": {"key": "pets/incoming/old"}}\n'))
    for number in range(3):
        entry(s3, f"2026-01-01/00/00{number:02}.000-a", key=f"pets/incoming/{number}")
        run(s3)

    assert old in keys(s3, "pets/predictions-index/2026-01-01/")
    assert len(lines(s3, "2026-01-01")) == 4


@pytest.mark.parametrize("body", [b"no JSON", b"[]"])
def test_what_is_no_record_does_not_stop_the_others(s3, body):
    s3.put_object(Bucket="pictures", Key="pets/predictions-log/2026-01-01/00/a.json", Body=body)
    entry(s3, "2026-01-01/00/0000.000-b")

    assert run(s3).unreadable == 1
    assert len(lines(s3, "2026-01-01")) == 1
