"""Checks the settings of remote logs and metrics."""

import pytest

from laptop.airflow_settings import configuration
from laptop.observability import observability
from laptop.place import LaptopError, Place


def test_what_is_not_asked_for_is_left_to_airflow():
    assert observability({}) == observability({"REMOTE_LOGS": "", "OTEL_EXPORTER_OTLP_ENDPOINT": ""}) == {}


def test_one_variable_puts_the_logs_into_s3():
    assert observability({"REMOTE_LOGS": "s3://my-bucket/airflow-logs/"}) == {
        "AIRFLOW__LOGGING__REMOTE_LOGGING": "True",
        "AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER": "s3://my-bucket/airflow-logs",
        "AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID": "aws_default",
    }


@pytest.mark.parametrize("folder", ["my-bucket/logs", "s3:/my-bucket", "s3://My_Bucket/logs", "/var/log", "s3://b/a b"])
def test_a_place_that_is_not_in_s3_is_named(folder):
    with pytest.raises(LaptopError, match=r"REMOTE_LOGS is .* write s3://bucket/prefix"):
        observability({"REMOTE_LOGS": folder})


def test_an_endpoint_switches_the_metrics_on():
    assert observability({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}) == {
        "AIRFLOW__METRICS__OTEL_ON": "True"
    }


def test_airflow_here_gets_both(tmp_path, monkeypatch):
    monkeypatch.setenv("REMOTE_LOGS", "s3://my-bucket/logs")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")

    settings = configuration(Place(state=tmp_path))

    assert settings["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"] == "s3://my-bucket/logs"
    assert settings["AIRFLOW__METRICS__OTEL_ON"] == "True"
    assert settings["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://collector:4318"
