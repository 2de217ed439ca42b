"""Checks that everything made from one image is deleted, in all versions, and nothing else."""

import gzip
import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from image_classifier.aws.names import Keys
from image_classifier.contracts.errors import PredictionError, ResourceBusyError
from image_classifier.contracts.predictions import Image, Model, Times, predicted
from image_classifier.contracts.record_keys import log_key
from image_classifier.gallery import deletion as deletions
from image_classifier.gallery.deletion import Deletion
from image_classifier.watch import record_index
from image_classifier.watch.record_index import compact

BUCKET = "pictures"
PART = "cats/predictions-index/2026-11-28/part-1.jsonl.gz"


def record(name, *, version="v1", at=datetime(2026, 11, 28, 5, tzinfo=UTC)):
    image = Image(bucket=BUCKET, key=f"cats/incoming/{name}", version_id=version, etag=None, bytes=1, sequencer=None)
    at = at.isoformat(timespec="milliseconds")
    return predicted(image, probabilities=[0.9, 0.1], labels=["cat", "dog"], unsure_below=0.5,
                     model=Model("job-1", "e", None, "x"), times=Times(at, at, 1.0, 2.0))  # fmt: skip


@pytest.fixture
def s3(s3):
    """Two images in a bucket with versions, each object stored twice."""
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for _ in range(2):
        lines = b""
        for name in ("a.jpg", "a.jpg.jpg"):
            body = record(name).as_json()
            lines += json.dumps(json.loads(body)).encode() + b"\n"
            for key in (
                f"cats/incoming/{name}",
                f"cats/thumbnails/{name}.jpg",
                f"cats/corrections/{name}.json",
                f"cats/dataset/train/cat/{name}",
                f"cats/dataset/test/dog/{name}",
                log_key(record(name), log_prefix="cats/predictions-log/"),
            ):
                s3.put_object(Bucket=BUCKET, Key=key, Body=b"picture")
            s3.put_object(Bucket=BUCKET, Key=f"cats/predictions/{name}.json", Body=body)
        s3.put_object(Bucket=BUCKET, Key=PART, Body=gzip.compress(lines))
    return s3


def delete(s3):
    return Deletion(s3, BUCKET, Keys("cats")).delete("cats/incoming/a.jpg", prepared=["a.jpg"])


def versions(s3):
    found = s3.list_object_versions(Bucket=BUCKET)
    return sorted(one["Key"] for kind in ("Versions", "DeleteMarkers") for one in found.get(kind, []))


def test_every_version_of_an_images_objects_goes_and_other_images_stay(s3):
    others = [key for key in versions(s3) if "a.jpg.jpg" in key and key[5:] != "thumbnails/a.jpg.jpg"]

    assert delete(s3) == 7 * 2 + 2

    left = versions(s3)
    log_of_other = log_key(record("a.jpg.jpg"), log_prefix="cats/predictions-log/")
    assert log_key(record("a.jpg"), log_prefix="cats/predictions-log/") not in left
    marks = [key for key in left if key.startswith("cats/predictions-index/deleted-")]
    assert len(marks) == 1
    assert sorted(key for key in left if key not in (PART, log_of_other, *marks)) == others
    assert left.count(log_of_other) == 2


def test_the_index_keeps_the_other_image_and_no_earlier_version(s3):
    delete(s3)

    body = gzip.decompress(s3.get_object(Bucket=BUCKET, Key=PART)["Body"].read())
    assert [json.loads(line)["image"]["key"] for line in body.splitlines()] == ["cats/incoming/a.jpg.jpg"]
    assert versions(s3).count(PART) == 1


def test_a_merged_part_keeps_no_version_of_the_image(s3):
    merged = PART.replace("part-1", "part-2")
    s3.copy_object(Bucket=BUCKET, Key=merged, CopySource={"Bucket": BUCKET, "Key": PART})
    s3.delete_object(Bucket=BUCKET, Key=PART)

    delete(s3)

    found = s3.list_object_versions(Bucket=BUCKET, Prefix="cats/predictions-index/2026")
    assert [one["Key"] for one in found["Versions"]] == [merged]


def test_the_index_of_a_day_whose_record_has_expired_loses_the_image_too(s3):
    earlier = PART.replace("2026-11-28", "2025-01-01")
    others = record('a "b\\.jpg').as_json()
    for _ in range(2):
        s3.put_object(Bucket=BUCKET, Key=earlier, Body=gzip.compress(record("a.jpg").as_json() + b"\n" + others))

    delete(s3)

    found = s3.list_object_versions(Bucket=BUCKET, Prefix=earlier)
    assert len(found["Versions"]) == 1
    assert gzip.decompress(s3.get_object(Bucket=BUCKET, Key=earlier)["Body"].read()) == others


def test_the_watch_dag_moves_no_log_entry_behind_the_deletion(s3, monkeypatch):
    entry, leave = log_key(record("a.jpg"), log_prefix="cats/predictions-log/"), Deletion._leave_index
    s3.put_object(Bucket=BUCKET, Key=entry, Body=record("a.jpg").as_json())

    def compact_after(*arguments):
        deleted = leave(*arguments)
        compact(s3, bucket=BUCKET, classifier="cats", now=datetime.now(UTC) + timedelta(hours=1), is_over=lambda: False)
        return deleted

    monkeypatch.setattr(Deletion, "_leave_index", compact_after)
    delete(s3)

    assert kept_in_index(s3) == {"cats/incoming/a.jpg.jpg"}


def kept_in_index(s3):
    """The images in any version of any part."""
    found = s3.list_object_versions(Bucket=BUCKET, Prefix="cats/predictions-index/2026")["Versions"]
    bodies = (s3.get_object(Bucket=BUCKET, Key=one["Key"], VersionId=one["VersionId"])["Body"] for one in found)
    return {json.loads(line)["image"]["key"] for body in bodies for line in gzip.decompress(body.read()).splitlines()}


def test_a_large_version_is_not_read_into_memory(s3):
    s3.put_object(Bucket=BUCKET, Key="cats/incoming/a.jpg", Body=b"a long film")
    contents = Deletion(s3, BUCKET, Keys("cats")).versions_of("cats/incoming/a.jpg", most_bytes=10)

    assert list(contents) == [b"picture", b"picture"]


def compact_now(s3):
    compact(s3, bucket=BUCKET, classifier="cats", now=datetime.now(UTC) + timedelta(hours=1), is_over=lambda: False)


def delete_before_the_next_part_is_written(s3, monkeypatch):
    """What the watch Dag has read by then it still writes."""
    put, waiting = record_index._put_part, [1]

    def put_after_deletion(*arguments, **values):
        if waiting and waiting.pop():
            delete(s3)
        return put(*arguments, **values)

    monkeypatch.setattr(record_index, "_put_part", put_after_deletion)


def test_an_entry_that_the_watch_dag_has_read_leaves_no_line(s3, monkeypatch):
    for name in ("a.jpg", "a.jpg.jpg"):
        entry = log_key(record(name), log_prefix="cats/predictions-log/")
        s3.put_object(Bucket=BUCKET, Key=entry, Body=record(name).as_json())
    delete_before_the_next_part_is_written(s3, monkeypatch)

    compact_now(s3)

    assert kept_in_index(s3) == {"cats/incoming/a.jpg.jpg"}


def test_parts_that_the_watch_dag_merges_meanwhile_leave_no_line(s3, monkeypatch):
    monkeypatch.setattr(record_index, "MOST_PARTS", 1)
    for number in range(3):
        lines = b"".join(
            json.dumps(json.loads(record(name).as_json())).encode() + b"\n" for name in ("a.jpg", f"{number}.jpg")
        )
        key = f"cats/predictions-index/2026-11-28/part-05000000{number}-2-0123456789abcdef.jsonl.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(lines))
    entry = log_key(record("new.jpg"), log_prefix="cats/predictions-log/")
    s3.put_object(Bucket=BUCKET, Key=entry, Body=record("new.jpg").as_json())
    merge = record_index._merge_parts
    monkeypatch.setattr(
        record_index,
        "_merge_parts",
        lambda *arguments, **values: (
            delete_before_the_next_part_is_written(s3, monkeypatch),
            merge(*arguments, **values),
        ),
    )

    compact_now(s3)

    assert "cats/incoming/a.jpg" not in kept_in_index(s3)
    assert "cats/incoming/2.jpg" in kept_in_index(s3)


def test_an_image_that_is_uploaded_again_is_in_the_index(s3):
    delete(s3)
    later = record("a.jpg", at=datetime.now(UTC) + timedelta(minutes=1))
    s3.put_object(Bucket=BUCKET, Key=log_key(later, log_prefix="cats/predictions-log/"), Body=later.as_json())

    compact_now(s3)

    assert "cats/incoming/a.jpg" in {
        json.loads(line)["image"]["key"]
        for key in {key for key in versions(s3) if "/part-" in key}
        for line in gzip.decompress(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()).splitlines()
    }


def test_a_mark_is_removed_after_a_day(s3):
    delete(s3)

    compact(s3, bucket=BUCKET, classifier="cats", now=datetime.now(UTC) + timedelta(days=2), is_over=lambda: False)

    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="cats/predictions-index/deleted-")
    assert found["KeyCount"] == 0


def test_a_key_with_a_quote_leaves_the_index(s3):
    key = 'cats/incoming/a "b\\.jpg'
    s3.put_object(Bucket=BUCKET, Key=PART, Body=gzip.compress(record('a "b\\.jpg').as_json()))

    Deletion(s3, BUCKET, Keys("cats")).delete(key)

    assert gzip.decompress(s3.get_object(Bucket=BUCKET, Key=PART)["Body"].read()) == b""


def test_deleting_again_deletes_nothing(s3):
    delete(s3)

    assert delete(s3) == 0


def test_what_an_upload_deleted_by_a_person_left_behind_goes_too(s3):
    s3.delete_object(Bucket=BUCKET, Key="cats/incoming/a.jpg")

    assert delete(s3) == 7 * 2 + 2 + 1


def test_the_record_stays_while_the_index_cannot_be_changed(s3, monkeypatch):
    def refuse(*_, **__):
        raise ResourceBusyError("changed meanwhile")

    monkeypatch.setattr(deletions, "write_if_unchanged", refuse)

    with pytest.raises(ResourceBusyError):
        delete(s3)
    assert versions(s3).count("cats/predictions/a.jpg.json") == 2


def test_versions_that_s3_did_not_delete_are_reported(s3, monkeypatch):
    failed = {"Errors": [{"Key": "cats/incoming/a.jpg", "Message": "Access Denied"}]}
    monkeypatch.setattr(s3, "delete_objects", lambda **_: failed)

    told = r"not delete 1 object versions of s3://pictures, such as cats/incoming/a\.jpg: Access Denied"
    with pytest.raises(ResourceBusyError, match=told):
        delete(s3)


def test_a_part_without_the_image_is_not_written_again(s3):
    other = PART.replace("part-1", "part-2")
    body = gzip.compress(record("b.jpg").as_json())
    before = s3.put_object(Bucket=BUCKET, Key=other, Body=body)["VersionId"]

    delete(s3)

    assert s3.head_object(Bucket=BUCKET, Key=other)["VersionId"] == before


def test_possible_copies_are_looked_for_at_once(s3, monkeypatch):
    both = threading.Barrier(2, timeout=10)
    monkeypatch.setattr(deletions, "versions_of", lambda *_, **__: [both.wait()][1:])

    assert Deletion(s3, BUCKET, Keys("cats"))._delete_all(["a", "b"]) == 0


def test_only_an_upload_can_be_deleted(s3):
    with pytest.raises(PredictionError):
        Deletion(s3, BUCKET, Keys("cats")).delete("dogs/incoming/a.jpg")
