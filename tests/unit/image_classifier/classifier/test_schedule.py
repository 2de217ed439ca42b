"""Checks schedules of times, of assets and of both."""

import pytest

from image_classifier.classifier import Classifier
from image_classifier.contracts.errors import ClassifierFileError


def classifier(tmp_path, schedule):
    file = tmp_path / "pets.yaml"
    file.write_text(f"source: pets\nschedule: {schedule}\n")
    return Classifier.from_file(file)


def test_a_cron_expression_alone_is_a_schedule(tmp_path):
    assert classifier(tmp_path, '"0 3 * * 1"').schedule.cron == "0 3 * * 1"


def test_assets_may_stand_beside_it(tmp_path):
    schedule = classifier(tmp_path, '{cron: "@daily", assets: [raw-pets, "s3://b/pets"]}').schedule

    assert (schedule.cron, schedule.assets) == ("@daily", ("raw-pets", "s3://b/pets"))


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        ("{}", "neither cron nor assets"),
        ("{assets: []}", "neither cron nor assets"),
        ("every day", "Use a cron expression"),
        ('{assets: ["Bilder/ü"]}', "in ASCII"),
        ("{assets: [image-classifier/pets/dataset]}", "which its own runs change"),
        ("{assets: [image-classifier/pets/model]}", "which its own runs change"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(tmp_path, schedule, words):
    with pytest.raises(ClassifierFileError, match=words):
        classifier(tmp_path, schedule)


def test_the_model_of_another_classifier_may_be_followed(tmp_path):
    assert classifier(tmp_path, "{assets: [image-classifier/cats/model]}").schedule.assets


def test_a_run_that_changes_something_else_keeps_the_schedule(tmp_path):
    pets = classifier(tmp_path, '{cron: "@daily", assets: [raw]}')

    assert pets.revised({"max_cost_usd": 3}).schedule == pets.schedule
