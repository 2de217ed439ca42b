"""Shows the overview of one classifier: figures of its predictions, endpoint, cost, and the watch Dag's findings."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from fastapi import APIRouter, Response

from image_classifier.aws.names import Keys, endpoint_name
from image_classifier.aws.s3 import modified
from image_classifier.aws.settings import bucket_from_env
from image_classifier.connect.deployment import Deployment, read_deployment
from image_classifier.evaluate.live_accuracy import live_accuracy
from image_classifier.evaluate.proportions import Proportion
from image_classifier.gallery.models import Models
from image_classifier.gallery.newest import MOST_RECORDS
from image_classifier.gallery.overview import overview
from image_classifier.plan.plan import HOURS_A_DAY
from image_classifier.watch.seen import Seen, read_seen
from image_classifier_airflow.pages import storage
from image_classifier_airflow.pages.access import Looking
from image_classifier_airflow.pages.charts import stacked_bars
from image_classifier_airflow.pages.rendering import page

router = APIRouter()

STACKED = ("predicted", "unsure", "rejected", "failed")
DAYS_IN_TABLE = 14
LABELS_IN_TABLE = 8


@router.get("/{classifier}/overview")
def show_overview(visitor: Looking) -> Response:
    """Show the figures of the newest predictions, and the state of the endpoint."""
    name, bucket, s3 = visitor.classifier.name, bucket_from_env(), storage.s3_of_page(visitor.classifier)
    with ThreadPoolExecutor(4) as readers:
        newest = readers.submit(storage.records(visitor.classifier).newest, MOST_RECORDS)
        deployed = readers.submit(read_deployment, s3, bucket=bucket, classifier=name)
        watched = readers.submit(read_seen, s3, bucket=bucket, classifier=name)
        recorded = readers.submit(modified, s3, bucket=bucket, key=Keys(name).deployment)
        corrected = readers.submit(storage.corrections(visitor.classifier).all)
        records, deployment, seen = newest.result(), deployed.result(), watched.result()
    said = [stored.correction for stored in corrected.result().values()]
    figures = overview(records.rows)
    days = list(reversed(figures.days))
    return page(
        "overview.html",
        visitor=visitor,
        active="overview",
        figures=figures,
        is_all=records.is_all,
        most_records=MOST_RECORDS,
        bars=stacked_bars([(day.day, [day.statuses[status] for status in STACKED]) for day in days], names=STACKED),
        days=figures.days[:DAYS_IN_TABLE],
        columns=[one.label for one in figures.labels[:LABELS_IN_TABLE]],
        deployment=deployment,
        unseen_since=_unseen_since(recorded.result(), seen),
        endpoint=endpoint_name(name),
        usd_per_day=_usd_per_day(deployment),
        tested=_tested(Models(s3, bucket, Keys(name)), deployment),
        live=live_accuracy(said, training_job=deployment.training_job) if deployment else None,
        seen=seen,
        minutes_ago=(datetime.now(UTC) - seen.at).total_seconds() / 60 if seen else None,
        incoming=Keys(name).incoming,
    )


def _tested(models: Models, deployment: Deployment | None) -> Proportion | None:
    """Return the deployed model's accuracy on the test images; None if it was not evaluated."""
    place = models.place(deployment.training_job) if deployment else None
    report = models.report(place) if place else None
    return report.accuracy if report else None


def _unseen_since(recorded: datetime | None, seen: Seen | None) -> datetime | None:
    """Return when the deployment was recorded if the watch Dag has not run since; otherwise None."""
    return recorded if recorded and (seen is None or recorded > seen.at) else None


def _usd_per_day(deployment: Deployment | None) -> float | None:
    """Return the endpoint's cost per day; None if nothing is deployed or the price is unknown."""
    if deployment is None or deployment.usd_per_hour is None:
        return None
    return deployment.usd_per_hour * deployment.instance_count * HOURS_A_DAY
