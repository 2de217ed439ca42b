"""Checks which evaluation and which decision are shown of a model, and the order of the models."""

from datetime import UTC, datetime

import pytest
from tests.pages.written import Written

from image_classifier.aws.names import Keys
from image_classifier.gallery import models as module
from image_classifier.gallery.models import Models

JOBS = ["image-classifier-cats-1a2b3c4d-00000001", "image-classifier-cats-1a2b3c4d-00000002"]
VERSION = "1a2b3c4d" + "0" * 56


@pytest.fixture
def written(s3):
    """Two evaluated models; the second is registered, and was decided about in two runs."""
    made = Written(s3, "pictures", "cats", labels=("cat", "dog"))
    reports = [made.model(job, fingerprint=VERSION, right=0.8, of_each=5) for job in JOBS]
    for day in (20, 24):
        made.decision(reports[1], champion=None, at=datetime(2026, 11, day, tzinfo=UTC))
    return made


@pytest.fixture
def models(s3, written):
    return Models(s3, "pictures", Keys("cats"))


def test_the_decision_of_the_last_run_is_shown(models):
    found = {one.training_job: one for one in models.versions(seen=None, champion=JOBS[1])}

    assert found[JOBS[1]].decided.time == "20261124T000000Z"
    assert [one.time for one in models.decisions()] == ["20261124T000000Z", "20261120T000000Z"]
    assert [found[job].is_champion for job in JOBS] == [False, True]
    assert found[JOBS[0]].decided is None


def test_a_champion_without_an_evaluation_is_listed_last(models):
    assert [one.training_job for one in models.versions(seen=None, champion="imported")][-1] == "imported"


def test_of_many_models_the_newest_are_read(models, s3, monkeypatch):
    monkeypatch.setattr(module, "MOST_VERSIONS", 1)
    evaluated_last(s3, JOBS[1])

    assert [one.training_job for one in models.versions(seen=None, champion=None)] == [JOBS[1]]


def test_of_several_evaluations_the_newest_is_shown(models, s3):
    prefix = models.place(JOBS[0]).prefix
    other = prefix.replace(prefix.split("/")[-2], "00000000")
    body = s3.get_object(Bucket="pictures", Key=f"{prefix}report.json")["Body"].read()
    s3.put_object(Bucket="pictures", Key=f"{other}report.json", Body=body)
    evaluated_last(s3, other)

    assert models.place(JOBS[0]).prefix == other


def evaluated_last(s3, name):
    """Let S3 list the reports whose keys contain the name as written on a later day."""

    def later(parsed, **_):
        for found in parsed.get("Contents", []):
            if name in found["Key"]:
                found["LastModified"] = datetime(2099, 1, 1, tzinfo=UTC)

    s3.meta.events.register("after-call.s3.ListObjectsV2", later)
