"""Checks the newest records, which are read from the daily index and the log."""

import gzip
import json

from image_classifier.aws.names import Keys
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
    index(s3, 28, record("a", hour=6, version="v2", label="dog"), record("a", hour=5))

    assert [(row.label, row.other) for row in newest(s3).rows] == [("dog", None)]


def test_another_models_answer_for_the_same_upload_is_kept(s3):
    index(s3, 28, record("a"), record("a", job="job-2", label="dog", generation=9))

    (row,) = newest(s3).rows

    assert (row.label, row.other.label, row.other.training_job) == ("dog", "cat", "job-1")


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


def test_the_cache_forgets_the_rows_that_were_used_longest_ago():
    cache, loads = RowCache(most_rows=2), []

    for key in ("a", "b", "c", "a"):
        cache.get(("bucket", key, "etag"), lambda key=key: loads.append(key) or ("row",))

    assert loads == ["a", "b", "c", "a"]
