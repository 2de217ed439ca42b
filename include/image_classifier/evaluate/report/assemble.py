"""Assembles a model's report from its scored test and validation images and the facts about its training."""

from collections.abc import Sequence
from dataclasses import dataclass

from image_classifier.contracts.errors import PredictionError
from image_classifier.evaluate.report import measures
from image_classifier.evaluate.report.calibration import calibration
from image_classifier.evaluate.report.can_show import what_it_can_show
from image_classifier.evaluate.report.mistakes import label_mistakes, most_confident_mistakes
from image_classifier.evaluate.report.model import DatasetVersion, Report, Training, TuningFigures
from image_classifier.evaluate.report.scored import Table
from image_classifier.evaluate.report.segments import segments
from image_classifier.evaluate.report.thresholds import unsure


@dataclass(frozen=True)
class Subject:
    """The model and test set of a report, and how the classifier uses confidences.

    Attributes:
        labels: the labels by class index.
        unsure_below: the classifier's present threshold; None if it uses the report's proposal.
        wanted_accuracy: the accuracy, from 0 to 1, of the predictions above the threshold that the report proposes.
        calibrate: whether the inference function applies the fitted temperature.
        tuning: the hyperparameter search in which the model was chosen; None if it was trained alone.

    """

    classifier: str
    labels: tuple[str, ...]
    training: Training
    dataset: DatasetVersion
    unsure_below: float | None
    wanted_accuracy: float
    calibrate: bool
    tuning: TuningFigures | None = None


def make_report(subject: Subject, *, test: Table, validation: Table | None, missing: Sequence[str] = ()) -> Report:
    """Compute the report; it imports numpy and scikit-learn.

    Args:
        subject: the model, its labels and settings.
        test: the scored test images.
        validation: the scored validation images, on which the temperature is fitted.
        missing: S3 keys of the test images that have no answer.

    Raises:
        PredictionError: no test image has an answer.

    """
    if not test.images:
        message = f"No test image of {subject.training.training_job} has an answer, so nothing can be reported."
        raise PredictionError(message)
    matrix, labels = measures.confusion_matrix(test), subject.labels
    calibrated, tempered = calibration(test, validation)
    support = dict(zip(labels, map(sum, matrix), strict=True))
    return Report(
        schema=1,
        classifier=subject.classifier,
        labels=labels,
        training=subject.training,
        dataset=subject.dataset,
        images=len(test.images),
        missing=tuple(missing),
        accuracy=measures.accuracy(test),
        top_k=measures.top_k(test),
        log_loss=measures.log_loss(test.labels, test.probabilities),
        classes=measures.per_class(test, labels),
        confusion_matrix=matrix,
        most_confused=measures.most_confused(matrix, labels),
        calibration=calibrated,
        unsure=unsure(
            test,
            tempered=tempered,
            calibrate=subject.calibrate,
            present=subject.unsure_below,
            wanted_accuracy=subject.wanted_accuracy,
        ),
        mistakes=most_confident_mistakes(test, labels),
        label_mistakes=label_mistakes(test, labels),
        segments=segments(test),
        can_show=what_it_can_show(len(test.images), of_class=support),
        tuning=subject.tuning,
    )
