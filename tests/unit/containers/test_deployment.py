"""Airflow's containers find their AWS: a named one, or the local one."""

import json

import pytest

from containers.__main__ import with_deployment

READY = {
    "endpoint_url": "http://aws.localhost:4566",
    "sagemaker_endpoint_url": "http://aws.localhost:4567",
    "region": "us-east-1",
    "account": "000000000000",
    "settings": {"IMAGE_CLASSIFIER_BUCKET": "local-bucket"},
    "aws": {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"},
}


@pytest.fixture
def ready(tmp_path):
    file = tmp_path / "ready.json"
    file.write_text(json.dumps(READY))
    return file


def test_an_environment_that_names_a_bucket_is_left_alone(ready):
    environ = {"IMAGE_CLASSIFIER_BUCKET": "mine", "AIRFLOW_CONN_AWS_DEFAULT": "{}"}

    assert with_deployment(environ, ready=ready) == environ


def test_without_a_bucket_the_local_aws_gives_settings_and_connection(ready):
    environ = {"IMAGE_CLASSIFIER_BUCKET": "", "AIRFLOW_CONN_AWS_DEFAULT": "{}", "PATH": "/bin"}

    found = with_deployment(environ, ready=ready)

    assert found["IMAGE_CLASSIFIER_BUCKET"] == "local-bucket"
    assert json.loads(found["AIRFLOW_CONN_AWS_DEFAULT"])["extra"]["endpoint_url"] == "http://aws.localhost:4566"
    assert found["PATH"] == "/bin"


def test_buckets_are_never_in_the_host_name_which_nobody_would_resolve(ready):
    connection = json.loads(with_deployment({}, ready=ready)["AIRFLOW_CONN_AWS_DEFAULT"])

    assert connection["extra"]["config_kwargs"] == {"s3": {"addressing_style": "path"}}


def test_neither_is_said_in_one_sentence(tmp_path):
    with pytest.raises(SystemExit, match="IMAGE_CLASSIFIER_BUCKET is not set, and no local AWS"):
        with_deployment({}, ready=tmp_path / "ready.json", patience_s=0)
