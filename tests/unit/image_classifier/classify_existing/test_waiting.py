"""Checks that an image counts as waiting once its event has had time to be handled."""

from datetime import UTC, datetime, timedelta

import pytest

from image_classifier.classify_existing import waiting
from image_classifier.classify_existing.waiting import Waiting, waiting_images

BUCKET = "pictures"


@pytest.fixture
def uploaded(s3):
    def put(*names, recorded=()):
        for name in names:
            s3.put_object(Bucket=BUCKET, Key=f"pets/incoming/{name}", Body=b"x")
        for name in recorded:
            s3.put_object(Bucket=BUCKET, Key=f"pets/predictions/{name}.json", Body=b"{}")

    return put


def found(s3, *, after=timedelta(hours=1)):
    return waiting_images(s3, bucket=BUCKET, classifier="pets", now=datetime.now(UTC) + after)


def test_images_without_a_record_are_counted_and_the_first_are_named(s3, uploaded):
    uploaded("a.png", "b.png", "c.png", "d/e.png", "f.png", recorded=["b.png"])

    assert found(s3) == Waiting(4, 5, tuple(f"pets/incoming/{name}" for name in ("a.png", "c.png", "d/e.png")))
    assert str(found(s3)) == "4 of 5"


def test_an_image_of_the_last_ten_minutes_does_not_wait_yet(s3, uploaded):
    uploaded("a.png")

    assert found(s3, after=timedelta(minutes=9)) == Waiting(0, 1)
    assert found(s3, after=timedelta(minutes=11)).images == 1
    [listed] = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    now = listed["LastModified"] + timedelta(minutes=10)
    assert waiting_images(s3, bucket=BUCKET, classifier="pets", now=now).images == 1


def test_images_of_a_pause_wait_from_its_end_on(s3, uploaded):
    uploaded("a.png")
    now = datetime.now(UTC) + timedelta(hours=1)
    images = [
        waiting_images(s3, bucket=BUCKET, classifier="pets", now=now, resumed_at=now - timedelta(minutes=ago)).images
        for ago in (9, 11)
    ]

    assert images == [0, 1]


def test_of_many_images_only_the_first_are_compared(s3, uploaded, monkeypatch):
    monkeypatch.setattr(waiting, "MOST_IMAGES", 2)
    uploaded("a.png", "b.png", "c.png")

    assert found(s3).compared == 2
