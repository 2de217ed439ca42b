"""Checks what is replayed of an image, and that a failed record never takes the place of an answer."""

import json
from datetime import UTC, datetime

import pytest

from image_classifier.classify_existing import replays
from image_classifier.classify_existing.records import Target, store_record
from image_classifier.classify_existing.replays import current_image, replay_record, write_failed_record
from image_classifier.contracts.predictions import Model, Times, predicted

TARGET = Target("pets", "pictures")
KEY = "pets/incoming/a.png"


def log_of(s3):
    found = s3.list_objects_v2(Bucket="pictures", Prefix="pets/predictions-log/").get("Contents", [])
    bodies = [s3.get_object(Bucket="pictures", Key=one["Key"])["Body"].read() for one in found]
    return sorted(json.loads(body)["status"] for body in bodies)


def fail(s3):
    return write_failed_record(s3, TARGET, key=KEY, code="no_record", sentence="None came.")


@pytest.fixture
def answered(s3):
    """An image with an answer whose log entry is missing."""
    s3.put_object(Bucket="pictures", Key=KEY, Body=b"image")
    image, uploaded = current_image(s3, bucket="pictures", key=KEY)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    answer = predicted(
        image,
        probabilities=[0.9, 0.1],
        labels=["cat", "dog"],
        unsure_below=0.5,
        model=Model("job-1", "e", None, "x"),
        times=Times(uploaded, now, 1.0, 2.0),
    )
    store_record(s3, TARGET, answer)
    assert log_of(s3) == []
    return s3


def test_an_answer_stays_and_gets_the_log_entry_that_it_lacked(answered):
    assert fail(answered) is False

    assert log_of(answered) == ["predicted"]  # a failed one of another day would stay when the image is deleted
    stored = answered.get_object(Bucket="pictures", Key=f"{KEY.replace('incoming', 'predictions')}.json")
    assert json.loads(stored["Body"].read())["status"] == "predicted"


def test_an_answer_that_comes_at_the_same_moment_stays_and_is_logged(answered, monkeypatch):
    monkeypatch.setattr(replays, "record_that_stays", lambda *_: None)  # it comes just after this

    assert fail(answered) is False
    assert log_of(answered) == ["failed", "predicted"]


def test_an_image_that_was_deleted_gets_no_failed_record(s3):
    assert fail(s3) is False
    assert log_of(s3) == []


def test_an_upload_before_the_bucket_had_versions_is_replayed_without_one(s3):
    key = "pets/incoming/a b+c.png"
    s3.put_object(Bucket="pictures", Key=key, Body=b"image")
    s3.put_bucket_versioning(Bucket="pictures", VersioningConfiguration={"Status": "Enabled"})

    s3.meta.events.register("after-call.s3.HeadObject", lambda parsed, **_: parsed.update(VersionId="null"))  # as S3
    replayed = replay_record(*current_image(s3, bucket="pictures", key=key), generation=0)

    assert replayed["s3"]["object"].keys() == {"key", "size", "eTag"}
    assert replayed["s3"]["object"]["key"] == "pets/incoming/a+b%2Bc.png"
