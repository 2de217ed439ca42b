"""Checks that Airflow's containers use the AWS account of .env, or else the local AWS."""

import json
import os
import sys

import pytest
from tests.unit.laptop import ready as ready_file

from laptop.containers.__main__ import main, with_deployment

CONNECTION = "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID"

READY = {
    **ready_file.READY,
    "endpoint_url": "http://aws.localhost:4566",
    "sagemaker_endpoint_url": "http://aws.localhost:4567",
    "settings": {"IMAGE_CLASSIFIER_BUCKET": "local-bucket"},
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


@pytest.mark.parametrize(("component", "login"), [("api-server", "c"), ("scheduler", "a"), ("worker", "a")])
def test_the_api_server_works_with_a_key_of_its_own(ready, component, login):
    found = with_deployment({}, ready=ready, component=component)

    assert json.loads(found["AIRFLOW_CONN_AWS_DEFAULT"])["login"] == login


def test_buckets_are_never_in_the_host_name_which_nobody_would_resolve(ready):
    connection = json.loads(with_deployment({}, ready=ready)["AIRFLOW_CONN_AWS_DEFAULT"])

    assert connection["extra"]["config_kwargs"] == {"s3": {"addressing_style": "path"}}


def test_neither_is_said_in_one_sentence(tmp_path):
    with pytest.raises(SystemExit, match="IMAGE_CLASSIFIER_BUCKET is not set, and no local AWS"):
        with_deployment({}, ready=tmp_path / "ready.json", patience_s=0)


def test_airflows_own_variables_count_before_what_the_short_ones_stand_for(monkeypatch):
    started = []
    monkeypatch.setattr(
        os, "environ", {"IMAGE_CLASSIFIER_BUCKET": "b", "REMOTE_LOGS": "s3://logs/airflow", CONNECTION: "mine"}
    )
    monkeypatch.setattr(os, "execvpe", lambda *arguments: started.append(arguments))
    monkeypatch.setattr(sys, "argv", ["containers", "airflow", "scheduler"])

    main()

    [(program, command, environ)] = started
    assert (program, command) == ("airflow", ["airflow", "scheduler"])
    assert environ[CONNECTION] == "mine"
    assert environ["AIRFLOW__LOGGING__REMOTE_LOGGING"] == "True"


def test_a_place_for_logs_that_is_none_is_said_in_one_sentence(monkeypatch):
    monkeypatch.setattr(os, "environ", {"IMAGE_CLASSIFIER_BUCKET": "b", "REMOTE_LOGS": "logs"})
    monkeypatch.setattr(sys, "argv", ["containers", "airflow", "scheduler"])

    with pytest.raises(SystemExit, match="REMOTE_LOGS is 'logs'; write s3://bucket/prefix"):
        main()
