"""Checks the environment of Airflow's components."""

import os

import boto3
import pytest
from sqlalchemy import make_url
from tests.unit.laptop.ready import READY

from laptop.airflow_settings import (
    COMPONENTS,
    airflow_environment,
    deployment_variables,
    leave_own_aws_alone,
    made_secrets,
)
from laptop.place import LaptopError, Place


def test_the_own_algorithm_is_an_image_of_the_local_account():
    told = deployment_variables(READY, component="scheduler")

    image = "000000000000.dkr.ecr.us-east-1.amazonaws.com/image-classification:1"
    assert told["IMAGE_CLASSIFIER_ALGORITHM_IMAGE"] == image
    assert told["IMAGE_CLASSIFIER_BUCKET"] == "a-bucket"


def test_links_lead_to_the_pages_of_the_local_aws():
    told = deployment_variables(READY, component="scheduler")

    assert told["IMAGE_CLASSIFIER_CONSOLE_URL"] == "http://127.0.0.1:4566/_console"


def test_other_components_wait_longer_for_a_locked_database(tmp_path):
    place = Place(state=tmp_path, aws_port=0, sagemaker_port=0, airflow_port=0)

    waits_s = {component: lock_wait_s(place, component) for component in COMPONENTS}

    assert waits_s.pop("api-server") == 5
    assert min(waits_s.values()) >= 60


def lock_wait_s(place: Place, component: str) -> float:
    """As SQLAlchemy tells Python's sqlite3, whose own default is five seconds."""
    url = make_url(airflow_environment(place, READY, component=component)["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"])
    _, options = url.get_dialect()().create_connect_args(url)
    return float(options.get("timeout", 5))


@pytest.mark.parametrize(
    ("name", "value"), [("AWS_PROFILE", "no-such"), ("AWS_MAX_ATTEMPTS", "abc"), ("AWS_RETRY_MODE", "foo")]
)
def test_no_aws_setting_of_the_persons_own_reaches_a_client(monkeypatch, tmp_path, name, value):
    (tmp_path / "config").write_text("[default]\nretry_mode = foo\n")
    environ = {**os.environ, "AWS_CONFIG_FILE": str(tmp_path / "config"), name: value}
    monkeypatch.setattr(os, "environ", environ)

    leave_own_aws_alone(os.environ)

    assert boto3.Session("a", "b", region_name="us-east-1").client("s3").meta.config.retries["mode"] == "legacy"


def test_secrets_are_made_once_for_their_owner_alone(tmp_path):
    made = made_secrets(Place(tmp_path))

    assert made_secrets(Place(tmp_path)) == made
    assert (tmp_path / "airflow/secrets.json").stat().st_mode & 0o777 == 0o600


def test_secrets_that_a_power_cut_left_empty_are_named(tmp_path):
    made_secrets(Place(tmp_path))
    (tmp_path / "airflow/secrets.json").write_text("")

    with pytest.raises(LaptopError, match=r"secrets\.json is damaged .* Remove it"):
        made_secrets(Place(tmp_path))
