"""Checks that an image's earlier answers are found in the versions of its record and correction, and no others."""

import dataclasses

import pytest

from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.predictions import Image, Model, Times, predicted, rejected
from image_classifier.gallery import earlier_answers as module
from image_classifier.gallery.earlier_answers import earlier_answers

BUCKET = "pictures"
RECORD, CORRECTION = "cats/predictions/a.jpg.json", "cats/corrections/a.jpg.json"
IMAGE = Image(BUCKET, "cats/incoming/a.jpg", "v1", None, 1, None)


def times(hour):
    at = f"2026-11-28T{hour:02d}:00:00.000Z"
    return Times(at, at, 1.0, 2.0)


def record(hour, *, cat=0.9):
    return predicted(IMAGE, probabilities=[cat, 1 - cat], labels=["cat", "dog"], unsure_below=0.5,
                     model=Model(f"job-{hour}", "e", None, "x"), times=times(hour))  # fmt: skip


def correction(hour, *, by="ann"):
    at = f"2026-11-28T{hour:02d}:30:00+00:00"
    return Correction(IMAGE.key, "v1", "0" * 64, "label", "dog", "cat", "job-1", "search", by, at)


@pytest.fixture
def s3(s3):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    return s3


def put(s3, key, *bodies):
    for body in bodies:
        s3.put_object(Bucket=BUCKET, Key=key, Body=body)


def found(s3):
    return earlier_answers(s3, bucket=BUCKET, record=RECORD, correction=CORRECTION)


def test_the_present_answers_are_no_earlier_ones(s3):
    put(s3, RECORD, record(1).as_json())
    put(s3, CORRECTION, correction(2).as_json())

    assert found(s3) == []


def test_models_and_people_are_in_the_order_of_time_the_newest_first(s3):
    put(s3, RECORD, *(record(hour).as_json() for hour in (1, 3, 5)))
    put(s3, CORRECTION, correction(2).as_json(), correction(4, by="ben").as_json())

    assert [one.prediction.model.training_job if one.prediction else one.correction.by for one in found(s3)] == [
        "job-3",
        "ann",
        "job-1",
    ]


def test_a_rejected_upload_before_is_shown_with_its_reason(s3):
    earlier = rejected(IMAGE, code="truncated", sentence="The file ends early.", times=times(1))
    put(s3, RECORD, earlier.as_json(), record(2).as_json())

    assert [one.prediction for one in found(s3)] == [earlier]


def test_the_versions_of_a_longer_key_are_left_out(s3):
    put(s3, RECORD, record(1).as_json())
    put(s3, f"{RECORD}.json", record(2).as_json(), record(3).as_json())

    assert found(s3) == []


def test_an_invalid_version_is_left_out_and_logged(s3, caplog):
    put(s3, RECORD, b"{}", record(1).as_json(), record(2).as_json())

    assert [one.prediction for one in found(s3)] == [record(1)]
    assert f"An earlier version of s3://{BUCKET}/{RECORD} cannot be read" in caplog.text


def test_only_the_newest_of_many_versions_are_read(s3, monkeypatch):
    monkeypatch.setattr(module, "MOST", 2)
    put(s3, RECORD, *(record(hour).as_json() for hour in range(1, 6)))

    assert [one.at for one in found(s3)] == [times(4).predicted, times(3).predicted]


def test_a_bucket_without_versions_has_no_earlier_answers(s3):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    put(s3, RECORD, record(1).as_json(), record(2).as_json())

    assert found(s3) == []


def test_a_version_that_is_deleted_in_the_meantime_is_left_out(s3):
    put(s3, RECORD, record(1).as_json(), record(2).as_json(), record(3).as_json())
    listed = s3.list_object_versions(Bucket=BUCKET, Prefix=RECORD)
    s3.delete_object(Bucket=BUCKET, Key=RECORD, VersionId=listed["Versions"][1]["VersionId"])
    s3.list_object_versions = lambda **_: listed

    assert [one.prediction.model.training_job for one in found(s3)] == ["job-1"]


def test_a_withdrawn_answer_is_an_answer_too(s3):
    withdrawn = dataclasses.replace(correction(1), answer="withdrawn", label=None)
    put(s3, CORRECTION, withdrawn.as_json(), correction(2).as_json())

    assert [one.correction for one in found(s3)] == [withdrawn]
