"""Checks that a run starts after enough accepted corrections, and that each correction counts once."""

import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from image_classifier.contracts.corrections import Correction
from image_classifier.contracts.labels import labels_document
from image_classifier.corrections.due import corrections_due, remember

BUCKET = "pictures"
TRAINED = datetime(2026, 11, 1, tzinfo=UTC)
SAGEMAKER = SimpleNamespace(describe_training_job=lambda TrainingJobName: {"CreationTime": TRAINED})  # noqa: N803


@pytest.fixture
def deployed(s3):
    s3.put_object(Bucket=BUCKET, Key="pets/deployment.json", Body=json.dumps({"training_job": "job"}))
    s3.put_object(Bucket=BUCKET, Key="pets/models/job/model.json", Body=labels_document(["cat", "dog"]))
    return s3


def correct(s3, *minutes, answer="label", label="cat"):
    for minute in minutes:
        at = (TRAINED + timedelta(minutes=minute)).isoformat()
        made = Correction(
            f"pets/incoming/{minute}.jpg", None, "0" * 64, answer, label, "dog", "job", "search", "jo", at
        )
        s3.put_object(Bucket=BUCKET, Key=f"pets/corrections/{minute}.jpg.json", Body=made.as_json())


def due(s3, wanted=3, **more):
    return corrections_due(s3, SAGEMAKER, classifier="pets", bucket=BUCKET, wanted=wanted, **more)


def test_as_many_corrections_as_the_file_says_start_a_run(deployed):
    correct(deployed, 1, 2)
    assert due(deployed) is None

    correct(deployed, 3)
    assert due(deployed).count == 3


def test_a_proposed_class_counts_once_the_file_accepts_it(deployed):
    correct(deployed, 1, 2, 3, answer="proposed", label="emu")
    assert due(deployed) is None

    assert due(deployed, accepted_classes=("emu",)).count == 3


def test_corrections_to_a_class_that_the_file_renames_count(deployed):
    correct(deployed, 1, 2, 3, label="tabby")
    assert due(deployed) is None

    assert due(deployed, renamed={"tabby": "cat"}).count == 3


def test_they_start_one_run_and_later_ones_another(deployed):
    correct(deployed, 1, 2, 3)
    first = due(deployed)

    assert due(deployed) == first  # no run was started
    remember(deployed, classifier="pets", bucket=BUCKET, until=first.until)
    assert due(deployed) is None
    correct(deployed, 4, 5, 6)
    second = due(deployed)
    assert (second.count, second.until > first.until) == (3, True)


def test_corrections_from_before_the_training_are_in_the_model(deployed):
    correct(deployed, -3, -2, -1, 1)

    assert due(deployed) is None


def test_only_corrections_since_the_last_run_are_read(deployed, monkeypatch):
    """The watch Dag asks every ten minutes, and there may be thousands of earlier ones."""
    correct(deployed, 1, 2, 3)
    written = deployed.head_object(Bucket=BUCKET, Key="pets/corrections/1.jpg.json")["LastModified"]
    read, get_object = [], deployed.get_object
    monkeypatch.setattr(deployed, "get_object", lambda **asked: read.append(asked["Key"]) or get_object(**asked))
    until = (written + timedelta(hours=2)).isoformat()
    deployed.put_object(Bucket=BUCKET, Key="pets/corrections-run.json", Body=json.dumps({"counted_until": until}))

    assert due(deployed) is None
    assert [key for key in read if key.startswith("pets/corrections/")] == []


def test_answers_without_a_class_and_unknown_classes_do_not_count(deployed):
    correct(deployed, 1, 2, answer="unclear", label=None)
    correct(deployed, 3, 4, answer="withdrawn", label=None)
    correct(deployed, 5, 6, answer="proposed", label="parrot")
    correct(deployed, 7)

    assert due(deployed, wanted=2) is None


def test_a_classifier_that_was_never_deployed_has_none(s3):
    correct(s3, 1, 2, 3)

    assert due(s3) is None
