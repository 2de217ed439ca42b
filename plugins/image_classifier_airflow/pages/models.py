"""Shows the models of a classifier: the list, one with its evaluation report, and two compared."""

import itertools
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query, Response

from image_classifier.aws.names import Keys
from image_classifier.aws.s3 import read
from image_classifier.aws.settings import bucket_from_env
from image_classifier.connect.deployment import read_deployment
from image_classifier.evaluate.report.model import Report
from image_classifier.evaluate.report.page import weakest_first
from image_classifier.gallery.models import MOST_TEST_IMAGES, Models, Place, between
from image_classifier.watch.seen import read_seen
from image_classifier_airflow.classifiers import train_and_deploy_dag_id
from image_classifier_airflow.pages import storage
from image_classifier_airflow.pages.access import Looking, Visitor
from image_classifier_airflow.pages.charts import polyline
from image_classifier_airflow.pages.rendering import page

router = APIRouter()

PAGE = 60
MOST_MATRIX_CLASSES = 25  # a larger matrix is not readable; the most confused pairs are listed anyway
ROLL_BACK = "image_classifier_roll_back"

Job = Annotated[str, Query(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9-]{0,62}$")]
Label = Annotated[str, Query(max_length=255)]


@router.get("/{classifier}/models")
def show_models(visitor: Looking) -> Response:
    """Show every model, the newest first, with its possible actions."""
    models, champion = _models(visitor), _champion(visitor)
    seen = read_seen(models.s3, bucket=models.bucket, classifier=visitor.classifier.name)
    return page(
        "models.html",
        visitor=visitor,
        active="models",
        versions=models.versions(seen=seen, champion=champion),
        seen=seen,
        dag_id=train_and_deploy_dag_id(visitor.classifier.name),
        roll_back=ROLL_BACK,
    )


@router.get("/{classifier}/model")
def show_model(visitor: Looking, job: Job) -> Response:
    """Show one model's evaluation report, its training, and the decisions about it."""
    models = _models(visitor)
    place = models.place(job)
    report = models.report(place) if place else None
    decisions = [one for one in models.decisions() if one.decision.candidate == job]
    if report is None and not decisions and job != _champion(visitor):
        raise HTTPException(404, f"Nothing is known of a model {job}: it has no evaluation and no decision.")
    return page(
        "model.html",
        visitor=visitor,
        active="models",
        job=job,
        report=report,
        decisions=decisions,
        is_champion=job == _champion(visitor),
        classes=weakest_first(report) if report else [],
        curves=_curves(report) if report else None,
        show_matrix=report is not None and len(report.labels) <= MOST_MATRIX_CLASSES,
    )


@router.get("/{classifier}/compare")
def compare_models(visitor: Looking, one: Job, other: Job) -> Response:
    """Show two models side by side, and the decision that compared them."""
    models = _models(visitor)
    reports = [_report(models, job) for job in (one, other)]
    return page(
        "compare.html",
        visitor=visitor,
        active="models",
        jobs=(one, other),
        reports=reports,
        settings=_settings(reports),
        classes=_classes(reports),
        same_images=reports[0].dataset.test_manifest == reports[1].dataset.test_manifest,
        decided=between(models.decisions(), one, other),
        champion=_champion(visitor),
    )


@router.get("/{classifier}/test-images")
def show_test_images(
    visitor: Looking,
    job: Job,
    label: Label = "",
    predicted: Label = "",
    right: Literal["", "yes", "no"] = "",
    start: Annotated[int, Query(ge=0, le=MOST_TEST_IMAGES)] = 0,
) -> Response:
    """Show the test images of a cell of the confusion matrix, or the right or wrong ones of a class."""
    models = _models(visitor)
    place = _place(models, job)
    wanted = models.test_images(place, label=label, predicted=predicted, right=right)
    found = sorted(itertools.islice(wanted, MOST_TEST_IMAGES), key=lambda image: image.confidence, reverse=True)
    return page(
        "test_images.html",
        visitor=visitor,
        active="models",
        job=job,
        query={"job": job, "label": label, "predicted": predicted, "right": right},
        label=label,
        predicted=predicted,
        right=right,
        found=len(found),
        images=found[start : start + PAGE],
        start=start,
        page_size=PAGE,
    )


@router.get("/{classifier}/report.html")
def send_report(visitor: Looking, job: Job) -> Response:
    """Send the report as one HTML file."""
    models = _models(visitor)
    found = read(models.s3, bucket=models.bucket, key=_place(models, job).page)
    if found is None:
        raise HTTPException(404, f"The report of {job} is gone.")
    return Response(
        found[0],
        media_type="text/html; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{job}.html"'},
    )


def _models(visitor: Visitor) -> Models:
    return Models(storage.s3_of_page(visitor.classifier), bucket_from_env(), Keys(visitor.classifier.name))


def _champion(visitor: Visitor) -> str | None:
    name, s3 = visitor.classifier.name, storage.s3_of_page(visitor.classifier)
    deployment = read_deployment(s3, bucket=bucket_from_env(), classifier=name)
    return deployment.training_job if deployment else None


def _place(models: Models, job: str) -> Place:
    place = models.place(job)
    if place is None:
        raise HTTPException(404, f"The model {job} has no evaluation.")
    return place


def _report(models: Models, job: str) -> Report:
    report = models.report(_place(models, job))
    if report is None:
        raise HTTPException(404, f"The report of {job} is gone, or was written by another release.")
    return report


def _curves(report: Report) -> dict[str, object] | None:
    """Return the accuracies by epoch as polylines, and the range of their axis; None without epochs."""
    train = [epoch.train_accuracy for epoch in report.training.epochs]
    validation = [epoch.validation_accuracy for epoch in report.training.epochs]
    known = [value for value in (*train, *validation) if value is not None]
    if not known:
        return None
    low, high = min(known), max(known)
    lines = {
        name: polyline(values, low=low, high=high) for name, values in (("train", train), ("validation", validation))
    }
    return {"low": low, "high": high, "last": report.training.epochs[-1].epoch, **lines}


def _settings(reports: list[Report]) -> list[tuple[str, list[str]]]:
    """Return each hyperparameter of either model with both values."""
    first, second = (report.training.hyperparameters for report in reports)
    return [(name, [first.get(name, ""), second.get(name, "")]) for name in sorted({*first, *second})]


def _classes(reports: list[Report]) -> list[tuple[str, list[float | None]]]:
    """Return the recall of each class with both models, the largest loss of the second model first."""
    recalls = [{one.label: one.recall.value if one.recall else None for one in report.classes} for report in reports]
    rows = [(label, [found.get(label) for found in recalls]) for label in dict.fromkeys([*recalls[0], *recalls[1]])]
    return sorted(rows, key=lambda row: (row[1][1] or 0.0) - (row[1][0] or 0.0))
