"""Checks the keys of an image's record, thumbnail and log entry, which are computed from the image's key."""

import pytest

from image_classifier.contracts import predictions, record_keys
from image_classifier.contracts.errors import PredictionError
from image_classifier.contracts.predictions import Image, Times


def key(image_key):
    return record_keys.record_key(image_key, incoming_prefix="pets/incoming/", predictions_prefix="pets/predictions/")


def test_a_record_lies_below_predictions_under_the_images_own_name():
    assert key("pets/incoming/2026/ü (1).jpg") == "pets/predictions/2026/ü (1).jpg.json"


def test_two_images_never_share_a_record():
    assert key("pets/incoming/a") != key("pets/incoming/a.json")


def test_the_longest_key_that_fits_keeps_its_name():
    record = key("pets/incoming/" + "é" * 501)

    assert record == "pets/predictions/" + "é" * 501 + ".json"
    assert len(record.encode()) == 1024


@pytest.mark.parametrize("name", ["x" * 1003, "é" * 502])
def test_the_record_of_a_longer_key_is_found_by_the_hash_of_the_image_key(name):
    record = key(f"pets/incoming/{name}")

    assert record.startswith("pets/predictions/.long/")
    assert len(record) == len("pets/predictions/.long/") + 64 + len(".json")


def test_an_image_outside_incoming_has_no_record():
    with pytest.raises(PredictionError, match=r"pets/predictions/a\.jpg\.json"):
        key("pets/predictions/a.jpg.json")


def test_a_thumbnail_has_the_images_name_and_jpg():
    def thumbnail(image_key):
        return record_keys.thumbnail_key(
            image_key, incoming_prefix="pets/incoming/", thumbnails_prefix="pets/thumbnails/"
        )

    assert thumbnail("pets/incoming/a/b.png") == "pets/thumbnails/a/b.png.jpg"
    assert thumbnail("pets/incoming/" + "x" * 1008).startswith("pets/thumbnails/.long/")


def logged(predicted, *, version="v1"):
    image = Image("bucket", "pets/incoming/a", version, None, bytes=0, sequencer=None)
    times = Times("2026-01-01T00:00:00.000Z", predicted, endpoint_ms=None, total_ms=1.0)
    record = predictions.rejected(image, code="empty", sentence="The file is empty.", times=times)
    return record_keys.log_key(record, log_prefix="pets/predictions-log/")


def test_a_log_entry_is_named_by_the_time_of_the_prediction_in_utc():
    assert logged("2026-01-01T00:30:05.070+01:00").startswith("pets/predictions-log/2025-12-31/23/3005.070-")


def test_records_of_one_millisecond_have_log_entries_of_their_own():
    at = "2026-01-01T00:00:01.000Z"

    assert logged(at) == logged(at)
    assert logged(at) != logged(at, version="v2")
