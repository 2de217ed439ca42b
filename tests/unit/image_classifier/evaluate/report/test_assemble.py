import json

import pytest

from image_classifier.contracts.errors import PredictionError
from image_classifier.evaluate.report.assemble import Subject, make_report
from image_classifier.evaluate.report.can_show import what_it_can_show
from image_classifier.evaluate.report.model import DatasetVersion, Report, Training
from image_classifier.evaluate.report.scored import scored_table


def subject(classes=6):
    return Subject(
        classifier="pets",
        labels=tuple(f"class {index}" for index in range(classes)),
        training=Training(training_job="image-classifier-pets-1", hyperparameters={"epochs": "3"}),
        dataset=DatasetVersion(fingerprint="f00", test_manifest="0badcafe", train=900, validation=200, test=400),
        unsure_below=0.5,
        wanted_accuracy=0.95,
        calibrate=False,
    )


def test_a_report_can_be_read_back_from_its_bytes(table, make_table):
    report = make_report(subject(), test=table, validation=make_table(2, classes=6, images=200), missing=("k",))

    assert Report.model_validate_json(report.document()) == report
    assert json.loads(report.document())["schema"] == 1


def test_the_same_answers_give_the_same_bytes(make_table):
    made = [
        make_report(subject(), test=make_table(1, classes=6, images=400), validation=None).document() for _ in range(2)
    ]

    assert made[0] == made[1]


def test_the_parts_of_a_report_agree(table):
    report = make_report(subject(), test=table, validation=None)

    assert report.images == 400 == sum(map(sum, report.confusion_matrix)) == sum(one.support for one in report.classes)
    assert report.accuracy.right == sum(report.confusion_matrix[index][index] for index in range(6))
    assert report.calibration.fitted_on == 0
    assert report.log_loss == report.calibration.before.log_loss


def test_a_model_without_an_answer_has_no_report():
    with pytest.raises(PredictionError, match="No test image of image-classifier-pets-1 has an answer"):
        make_report(subject(), test=scored_table([], num_classes=6), validation=None)


def test_what_a_set_can_show_is_said_in_figures():
    accuracy, margin, needed, few = what_it_can_show(200, of_class={"cat": 190, "dog": 10})

    assert "from 91.0% to 97.3%" in accuracy
    assert "not worse by 4.3 points" in margin
    assert "2 points takes 928 images, and an improvement of 1 point takes 4,707" in needed
    assert few.endswith("uncertain: dog.")
    assert len(what_it_can_show(200, of_class={"cat": 180, "dog": 20})) == 3


def test_an_empty_set_shows_nothing():
    assert what_it_can_show(0, of_class={}) == ("There is no test image, so nothing can be shown.",)
