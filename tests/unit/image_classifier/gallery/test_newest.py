"""Checks the newest records, which are read from the daily index and the log."""

import gzip
import json

import pytest

from image_classifier.aws.names import Keys
from image_classifier.gallery import newest as module
from image_classifier.gallery.newest import Records, RowCache

BUCKET = "pictures"


def record(name, *, day=28, hour=5, version="v1", job="job-1", label="cat", generation=0):
    at = f"2026-11-{day:02d}T{hour:02d}:00:00+00:00"
    image = {"bucket": BUCKET, "key": f"cats/incoming/{name}", "version_id": version, "etag": None, "bytes": 1}
    return {
        "schema": 1,
        "status": "predicted",
        "image": {**image, "sequencer": None},
        "times": {"uploaded": at, "predicted": at, "endpoint_ms": 1.0, "total_ms": 2.0},
        "label": label,
        "confidence": 0.9,
        "top": [{"label": label, "probability": 0.9}],
        "reason": None,
        "model": {"training_job": job},
        "generation": generation,
    }


def index(s3, day, *records, part="000"):
    body = gzip.compress("".join(json.dumps(found) + "\n" for found in records).encode())
    s3.put_object(Bucket=BUCKET, Key=f"cats/predictions-index/2026-11-{day}/part-{part}.jsonl.gz", Body=body)


def log(s3, found):
    time = found["times"]["predicted"]
    key = f"cats/predictions-log/{time[:10]}/{time[11:13]}/0000.000-0123456789abcdef.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(found, indent=1).encode())


def newest(s3, limit=100, **values):
    return Records(s3, BUCKET, Keys("cats"), RowCache()).newest(limit, **values)


def names(found):
    return [row.key.rpartition("/")[2] for row in found.rows]


def test_log_and_index_are_one_list_newest_first(s3):
    index(s3, 27, record("old", day=27), record("older", day=27, hour=2))
    log(s3, record("new"))

    assert names(newest(s3)) == ["new", "old", "older"]
    assert newest(s3).is_all


def test_a_limit_leaves_earlier_days_unread(s3):
    index(s3, 26, record("older", day=26))
    index(s3, 27, record("old", day=27))

    found = newest(s3, 1)

    assert (names(found), found.is_all) == (["old"], False)


def test_a_part_with_more_rows_than_the_limit_is_not_all(s3):
    index(s3, 27, *(record(name, day=27) for name in "abc"))

    assert [(len(found.rows), found.is_all) for found in (newest(s3, 2), newest(s3, 3))] == [(2, False), (3, True)]


@pytest.mark.parametrize("is_cut", [False, True])
def test_the_newest_of_many_log_entries_are_read(s3, monkeypatch, is_cut):
    """S3 lists the oldest first; so of an hour with more entries than a page each minute is listed, the last first."""
    monkeypatch.setattr(module, "MOST_LOG_ENTRIES", 2)
    listing = s3.list_objects_v2
    monkeypatch.setattr(s3, "list_objects_v2", lambda **asked: {**listing(**asked), "IsTruncated": is_cut})
    found = []
    for minute in ("57", "58", "59"):
        body = json.dumps(record(minute)).encode()
        s3.put_object(Bucket=BUCKET, Key=f"cats/predictions-log/2026-11-28/05/{minute}00.000-a.json", Body=body)
        found.append(newest(s3))

    assert [sorted(names(one)) for one in found] == [["57"], ["57", "58"], ["58", "59"]]
    assert [one.unread_log for one in found] == [False, False, True]


def test_a_day_shows_its_own_records_alone(s3):
    index(s3, 26, record("older", day=26))
    index(s3, 27, record("old", day=27))

    assert names(newest(s3, day="2026-11-26")) == ["older"]


def test_images_of_checks_and_canaries_are_not_shown(s3):
    index(s3, 27, record("old", day=27))
    log(s3, record(".check/canary.jpg"))

    assert names(newest(s3)) == ["old"]


def test_a_record_in_the_log_and_in_the_index_is_shown_once(s3):
    index(s3, 28, record("a"))
    log(s3, record("a"))

    assert names(newest(s3)) == ["a"]


def test_the_later_upload_of_a_key_is_the_current_one(s3):
    index(s3, 28, record("a", hour=6, version="v2", label="dog", job="job-2"), record("a", hour=5))

    assert [(row.label, row.other) for row in newest(s3).rows] == [("dog", None)]


def test_another_models_answer_for_the_same_upload_is_kept(s3):
    index(s3, 28, record("a"), record("a", job="job-2", label="dog", generation=9))

    (row,) = newest(s3).rows

    assert (row.label, row.other.label, row.other.training_job) == ("dog", "cat", "job-1")


def test_an_earlier_answer_of_the_same_model_is_no_other_answer(s3):
    index(s3, 28, record("a"), record("a", label="dog", generation=9))

    assert [(row.label, row.other) for row in newest(s3).rows] == [("dog", None)]


def test_a_line_that_is_no_record_does_not_hide_the_others(s3, caplog):
    index(s3, 28, {"schema": 2}, record("a"), {})

    assert names(newest(s3)) == ["a"]
    assert "part-000" in caplog.text


def test_parts_that_were_read_are_not_read_again(s3):
    index(s3, 28, record("a"))
    records = Records(s3, BUCKET, Keys("cats"), RowCache())
    records.newest()
    reads = []
    s3.meta.events.register("before-call.s3.GetObject", lambda **_: reads.append(1))

    assert names(records.newest()) == ["a"]
    assert reads == []


def test_a_part_larger_than_the_cache_is_kept_until_the_next():
    cache, loads = RowCache(most_rows=2), []

    for key in ("a", "a", "b", "a"):
        cache.get(("bucket", key, "etag"), lambda key=key: loads.append(key) or ("row",) * 3)

    assert loads == ["a", "b", "a"]


def test_the_cache_forgets_the_rows_that_were_used_longest_ago():
    cache, loads = RowCache(most_rows=2), []

    for key in ("a", "b", "c", "a"):
        cache.get(("bucket", key, "etag"), lambda key=key: loads.append(key) or ("row",))

    assert loads == ["a", "b", "c", "a"]


def test_the_parts_of_a_month_are_listed_by_one_call(s3):
    for day in range(1, 29):
        index(s3, f"{day:02d}", record(f"of-{day:02d}", day=day))
    s3.put_object(Bucket=BUCKET, Key="cats/predictions-index/deleted-0123", Body=b"")
    calls = []
    s3.meta.events.register("before-call.s3.ListObjectsV2", lambda params, **_: calls.append(params))

    found = newest(s3)

    assert names(found) == [f"of-{day:02d}" for day in range(28, 0, -1)]
    assert len(calls) == 3  # the days of the log, those of the index, and the parts


def test_days_beyond_a_month_are_listed_too(s3, monkeypatch):
    monkeypatch.setattr(module, "DAYS_LISTED", 2)
    for day in range(21, 26):
        index(s3, str(day), record(f"of-{day}", day=day), part="1")
        index(s3, str(day), record(f"late-{day}", day=day, hour=6), part="2")

    expected = [f"{name}-{day}" for day in range(25, 20, -1) for name in ("late", "of")]
    assert names(newest(s3)) == expected
    assert names(newest(s3, 3)) == expected[:3]
