"""Checks that what was written about an image during its deletion is deleted by the next run of the watch Dag."""

from datetime import UTC, datetime, timedelta

import pytest

from image_classifier.aws.names import Keys
from image_classifier.contracts.predictions import Image, Model, Times, instant, predicted
from image_classifier.contracts.record_keys import log_key
from image_classifier.watch import deleted
from image_classifier.watch.deleted import mark
from image_classifier.watch.record_index import compact

BUCKET, KEY = "pictures", "pets/incoming/a.jpg"
KEYS = Keys("pets")


def record(version, *, minutes):
    """A record of an upload, as many minutes from now."""
    at = (datetime.now(UTC) + timedelta(minutes=minutes)).isoformat(timespec="milliseconds")
    image = Image(bucket=BUCKET, key=KEY, version_id=version, etag=None, bytes=1, sequencer=None)
    return predicted(image, probabilities=[0.9, 0.1], labels=["cat", "dog"], unsure_below=0.5,
                     model=Model("job-1", "e", None, "x"), times=Times(at, at, 1.0, 2.0))  # fmt: skip


def write(s3, found):
    """What the function writes."""
    body = found.as_json()
    s3.put_object(Bucket=BUCKET, Key="pets/predictions/a.jpg.json", Body=body)
    s3.put_object(Bucket=BUCKET, Key="pets/thumbnails/a.jpg.jpg", Body=found.image.version_id.encode())
    s3.put_object(Bucket=BUCKET, Key=log_key(found, log_prefix=KEYS.predictions_log), Body=body)


def run_the_watch_dag(s3):
    compact(s3, bucket=BUCKET, classifier="pets", now=datetime.now(UTC) + timedelta(hours=1), is_over=lambda: False)


def kept(s3, prefix):
    """The contents of all versions."""
    found = s3.list_object_versions(Bucket=BUCKET, Prefix=prefix).get("Versions", [])
    return [s3.get_object(Bucket=BUCKET, Key=one["Key"], VersionId=one["VersionId"])["Body"].read() for one in found]


@pytest.fixture
def s3(s3):
    """A bucket with versions, in which a deleted image is marked."""
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    mark(s3, bucket=BUCKET, keys=KEYS, key=KEY)
    return s3


def test_what_is_written_while_an_image_is_deleted_goes_in_all_versions(s3):
    for _ in range(2):
        write(s3, record("v1", minutes=-9))

    run_the_watch_dag(s3)

    assert [kept(s3, f"pets/{folder}/") for folder in ("predictions", "thumbnails", "predictions-log")] == [[], [], []]


def test_a_later_upload_keeps_its_record_and_thumbnail(s3):
    write(s3, record("v1", minutes=-9))
    later = record("v2", minutes=9)
    write(s3, later)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"picture")

    run_the_watch_dag(s3)

    assert kept(s3, "pets/predictions/") == [later.as_json()]
    assert kept(s3, "pets/thumbnails/") == [b"v2"]


def test_an_image_that_is_being_deleted_is_left_to_its_deletion(s3, monkeypatch):
    found = record("v1", minutes=-9)
    write(s3, found)
    monkeypatch.setattr(deleted.storage, "modified", lambda *_, **__: instant(found.times.uploaded))

    run_the_watch_dag(s3)

    assert kept(s3, "pets/predictions/") == [found.as_json()]


def test_an_entry_that_is_no_record_is_left_out(s3):
    entry = b'{"image": {"key": "pets/incoming/a.jpg"}, "times": {"uploaded": "2026-01-01T00:00:00.000Z"}}'
    s3.put_object(Bucket=BUCKET, Key="pets/predictions-log/2026-01-01/00/0000.000-0.json", Body=entry)

    run_the_watch_dag(s3)

    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="pets/predictions-log/")["KeyCount"] == 0
