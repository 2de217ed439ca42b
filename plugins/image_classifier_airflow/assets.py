"""Defines a classifier's Airflow Assets, which other Dags can depend on: its data set, its model and its endpoint.

The tasks' outlet is an alias, to which they add an asset's event only when its version has changed. If the outlet were
the asset itself, it would have an event after every run.
"""

from typing import TYPE_CHECKING, Any, Literal

from airflow.sdk import Asset, AssetAlias, AssetAny, AssetOrTimeSchedule, CronTriggerTimetable

from image_classifier.aws.settings import Settings
from image_classifier.classifier import Classifier
from image_classifier.classifier.schedule import OWN_ASSETS, own_asset
from image_classifier_airflow.steps import clients

if TYPE_CHECKING:
    from image_classifier.connect.deployment import Deployment

Kind = Literal["dataset", "model", "endpoint"]
NO_CRON = ("@once", "@continuous")  # presets of Airflow that name no times
CHANGES = AssetAlias(name=OWN_ASSETS, group=OWN_ASSETS)


def asset(classifier: str, kind: Kind) -> Asset:
    """Return the Asset; the extra of its events holds ``version`` and the figures of that version."""
    return Asset(name=own_asset(classifier, kind), group=OWN_ASSETS)


def announce(outlet_events: Any, classifier: Classifier, *, kind: Kind, version: str, figures: dict[str, Any]) -> None:
    """Add an event to the Asset if the version differs from the last one's."""
    from image_classifier.promote import announced

    if outlet_events is None:  # not called by Airflow
        return
    s3, bucket = clients.s3(classifier.aws_conn_id), Settings.from_env().bucket
    if announced.is_new(s3, bucket=bucket, classifier=classifier.name, kind=kind, version=version):
        outlet_events[CHANGES].add(asset(classifier.name, kind), extra={"version": version, **figures})
        announced.remember(s3, bucket=bucket, classifier=classifier.name, kind=kind, version=version)


def announce_endpoint(outlet_events: Any, classifier: Classifier, deployment: "Deployment") -> None:
    """Add an event of the endpoint if its endpoint config, which is its version, has changed."""
    figures = deployment.model_dump(mode="json", include={"training_job", "function_version", "instance_count"})
    announce(outlet_events, classifier, kind="endpoint", version=deployment.endpoint_config, figures=figures)


def schedule_of(classifier: Classifier) -> Any:
    """Return the classifier's schedule for Airflow's DAG."""
    if classifier.schedule is None:
        return None
    cron, named = classifier.schedule.cron, classifier.schedule.assets
    if cron in NO_CRON and not named:
        return cron
    # A text would be read in Airflow's `default_timezone`, and the file's times are in UTC.
    times = CronTriggerTimetable(cron, timezone="UTC") if cron else None
    if not named:
        return times
    followed = AssetAny(*(Asset.ref(uri=one) if "://" in one else Asset.ref(name=one) for one in named))
    return AssetOrTimeSchedule(timetable=times, assets=followed) if times else followed
