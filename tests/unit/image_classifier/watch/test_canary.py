"""Checks that a canary image measures the time to its prediction, and is a finding if that is too long."""

import dataclasses
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError

from image_classifier.classify_existing.missing_records import Counter, Position, compare
from image_classifier.classify_existing.records import Target
from image_classifier.contracts import predictions
from image_classifier.contracts.pixels import PixelParameters, prepare
from image_classifier.contracts.predictions import Image, Times
from image_classifier.teardown.inventory import Teardown
from image_classifier.watch import classifier_watch
from image_classifier.watch.canary import CanaryCheck
from image_classifier.watch.classifier_watch import Watch
from image_classifier.watch.state import read_state

KEY, RECORD = "pets/incoming/.check/canary.jpg", "pets/predictions/.check/canary.jpg.json"
TARGET, LIMIT_S = Target("pets", "pictures"), 120
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def bucket(s3):
    s3.put_bucket_versioning(Bucket="pictures", VersioningConfiguration={"Status": "Enabled"})
    return s3


@pytest.fixture
def look(bucket):
    """Look at the canary so many minutes after the start."""
    check = CanaryCheck(bucket, TARGET, LIMIT_S)
    return lambda canary, minutes: check.run(canary, now=START + timedelta(minutes=minutes))


def classify(s3, *, took_s, version=None, status="rejected"):
    """Write the record that the function writes for the canary's present version."""
    head = s3.head_object(Bucket="pictures", Key=KEY)
    image = Image("pictures", KEY, version or head["VersionId"], None, bytes=1, sequencer="0A")
    times = Times("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", endpoint_ms=None, total_ms=took_s * 1000)
    record = getattr(predictions, status)(image, code="a", sentence="A sentence.", times=times)
    s3.put_object(Bucket="pictures", Key=RECORD, Body=record.as_json())


def versions(s3):
    return len(s3.list_object_versions(Bucket="pictures", Prefix=KEY)["Versions"])


def test_the_first_run_uploads_an_image_that_every_model_takes(bucket, look):
    canary, finding = look(None, 0)

    assert (canary.sent, canary.took_s, finding) == (START, None, None)
    body = bucket.get_object(Bucket="pictures", Key=KEY)["Body"].read()
    assert prepare(body, PixelParameters(32)).width == 64


def test_a_prediction_in_time_is_measured_and_the_next_canary_uploaded(bucket, look):
    canary, _ = look(None, 0)
    classify(bucket, took_s=0.8)

    canary, finding = look(canary, 10)

    assert (canary.took_s, finding, canary.sent) == (0.8, None, START + timedelta(minutes=10))
    assert versions(bucket) == 2


def test_a_prediction_that_took_too_long_is_a_finding(bucket, look):
    canary, _ = look(None, 0)
    classify(bucket, took_s=300)

    assert "300 s after the upload; canary_s is 120" in look(canary, 10)[1]


def test_a_missing_prediction_is_a_finding_and_one_canary_is_waiting(bucket, look):
    canary, _ = look(None, 0)

    assert look(canary, 1) == (canary, None)
    for minutes in (10, 20, 60):
        same, finding = look(canary, minutes)
        assert same == canary
        assert "has no prediction after" in finding
    assert versions(bucket) == 1
    after, finding = look(canary, 70)
    assert (after.sent, versions(bucket)) == (START + timedelta(minutes=70), 2)
    assert finding


@pytest.mark.parametrize("change", [{"version": "v0"}, {"status": "failed"}])
def test_a_record_of_an_earlier_canary_or_of_a_failure_does_not_count(bucket, look, change):
    canary, _ = look(None, 0)
    classify(bucket, took_s=1, **change)

    assert look(canary, 10)[1]


def test_a_record_that_may_not_be_read_fails_the_check(bucket, look, monkeypatch):
    canary, _ = look(None, 0)
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")
    monkeypatch.setattr(bucket, "get_object", Mock(side_effect=refused))

    with pytest.raises(ClientError, match="AccessDenied"):
        look(canary, 1)


def test_without_versions_the_time_of_the_upload_tells_the_canary(s3):
    check = CanaryCheck(s3, TARGET, LIMIT_S)
    canary, _ = check.run(None, now=START)
    image = Image("pictures", KEY, None, None, bytes=1, sequencer="0A")
    for seconds, took_s in ((-60, None), (0, 3.0)):
        uploaded = (START + timedelta(seconds=seconds)).isoformat()
        times = Times(uploaded, uploaded, endpoint_ms=None, total_ms=3000.0)
        record = predictions.rejected(image, code="a", sentence="A sentence.", times=times)
        s3.put_object(Bucket="pictures", Key=RECORD, Body=record.as_json())
        assert check.run(canary, now=START + timedelta(minutes=10))[0].took_s == took_s


@pytest.fixture
def watch(bucket, monkeypatch):
    """One run of all checks, with a canary or without; returns what is open and what was sent."""
    deployed = {"training_job": "job-1", "trigger_mode": "direct"}
    monkeypatch.setattr(classifier_watch, "read_deployment", lambda *_, **__: SimpleNamespace(**deployed))
    monkeypatch.setattr(classifier_watch, "differences", lambda *_: [])
    monkeypatch.setattr(classifier_watch, "keep_seen", lambda *_, **__: None)
    checks = Watch(SimpleNamespace(s3=bucket, functions=None, sagemaker=None), TARGET, "report", lambda: False)

    def run(minutes, trigger_mode="direct", **changes):
        deployed["trigger_mode"], told = trigger_mode, []
        now = START + timedelta(minutes=minutes)
        found = dataclasses.replace(checks, **changes).run(
            tell=lambda sentences: told.extend(sentences) or True, now=now
        )
        return found, told

    return run


def test_the_watch_dag_reports_a_canary_and_remembers_it(bucket, watch):
    assert watch(0, canary_s=LIMIT_S) == ({}, [])
    findings, new = watch(10, canary_s=LIMIT_S)

    assert new == [findings["canary"]]
    assert read_state(bucket, bucket="pictures", classifier="pets")[0].canary.sent == START


@pytest.mark.parametrize("change", [{"canary_s": None}, {"canary_s": LIMIT_S, "trigger_mode": "paused"}])
def test_without_the_setting_or_while_paused_no_canary_is_left(bucket, watch, change):
    watch(0, canary_s=LIMIT_S)
    classify(bucket, took_s=1)

    assert watch(10, **change) == ({}, [])
    assert "Contents" not in bucket.list_objects_v2(Bucket="pictures", Prefix="pets/incoming/")
    assert "Contents" not in bucket.list_objects_v2(Bucket="pictures", Prefix="pets/predictions/")


def test_a_canary_is_no_image_that_waits_for_a_record(bucket, look):
    look(None, 0)

    found = compare(bucket, bucket="pictures", classifier="pets", start=Position(), counter=Counter())
    assert list(found) == []


def test_a_teardown_that_keeps_images_and_predictions_keeps_no_canary():
    teardown = Teardown("pets", "pictures", keep_images=True, keep_predictions=True)

    kept = ["pets/incoming/a.jpg", "pets/predictions/a.jpg.json"]
    assert [key for key in (*kept, KEY, RECORD) if teardown.keeps(key)] == kept
