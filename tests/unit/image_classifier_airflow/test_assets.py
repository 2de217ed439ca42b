"""Checks that a new version triggers other Dags, and an unchanged run does not."""

import pendulum
import pytest
from airflow.sdk import DAG, Asset, AssetAny, AssetOrTimeSchedule
from airflow.sdk.execution_time.context import OutletEventAccessors

from image_classifier.classifier import Classifier
from image_classifier_airflow.assets import CHANGES, announce, asset, schedule_of

PETS = Classifier(name="pets", source="pets")


def events_of(kind, version):
    """What a task that makes this version adds."""
    events = OutletEventAccessors()
    announce(events, PETS, kind=kind, version=version, figures={"value": 0.9})
    return [(event.dest_asset_key.name, event.extra) for event in events[CHANGES].asset_alias_events]


def test_a_new_version_has_an_event_with_version_and_figures(aws):
    assert events_of("model", "job-1") == [("image-classifier/pets/model", {"version": "job-1", "value": 0.9})]


def test_an_unchanged_version_has_none(aws):
    events_of("model", "job-1")
    events_of("dataset", "f00")

    assert (events_of("model", "job-1"), events_of("dataset", "f00")) == ([], [])
    assert len(events_of("model", "job-2")) == 1


def schedule(**changed):
    return schedule_of(Classifier(name="pets", source="pets", schedule=changed))


@pytest.fixture
def in_berlin(monkeypatch):
    """Airflow's default_timezone is not UTC."""
    monkeypatch.setattr("airflow.sdk.definitions.dag.settings.TIMEZONE", pendulum.timezone("Europe/Berlin"))


@pytest.mark.parametrize("cron", ["0 3 * * 1", "@weekly"])
def test_a_cron_expression_is_in_utc_whatever_airflows_time_zone_is(in_berlin, cron):
    timetable = DAG("pets", schedule=schedule(cron=cron)).timetable

    assert str(timetable.timezone) == "UTC"
    assert DAG("pets", schedule=cron).timetable.timezone.name == "Europe/Berlin"


def test_a_preset_without_times_and_none_stay_what_they_are():
    assert schedule_of(PETS) is None
    assert schedule(cron="@once") == "@once"


def test_assets_are_followed_by_name_or_uri_whichever_changes():
    followed = schedule(assets=["raw-pets", "s3://b/pets"])

    assert isinstance(followed, AssetAny)
    assert list(followed.objects) == [Asset.ref(name="raw-pets"), Asset.ref(uri="s3://b/pets")]


def test_times_and_assets_work_together():
    assert isinstance(schedule(cron="@daily", assets=["raw-pets"]), AssetOrTimeSchedule)


def test_an_asset_is_named_after_the_classifier():
    assert asset("pets", "endpoint").name == "image-classifier/pets/endpoint"
