"""Checks `python -m laptop airflow`, which becomes Airflow's command line."""

import json
import os
import sys

import pytest
from tests.ports import free_port
from tests.unit.laptop.ready import READY

from laptop import __main__ as commands
from laptop import supervisor
from laptop.place import AIRFLOW_PYTHON, Place


@pytest.fixture
def place(tmp_path, monkeypatch):
    place = Place(state=tmp_path, aws_port=free_port(), sagemaker_port=free_port(), airflow_port=free_port())
    place.aws_state.mkdir()
    (place.aws_state / "ready.json").write_text(json.dumps(READY))
    monkeypatch.setenv("LAPTOP_STATE", str(tmp_path))
    monkeypatch.setenv("AIRFLOW_HOME", "/of/another")
    monkeypatch.setattr(commands, "leave_own_aws_alone", lambda environ: None)
    monkeypatch.setattr(os, "umask", lambda mask: None)
    return place


@pytest.fixture
def airflow(monkeypatch):
    """Give words to the command; returns the command line and the environment of what it becomes."""
    became = []
    monkeypatch.setattr(os, "execve", lambda program, words, environ: became.append((words, environ)))

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["laptop", "airflow", *words])
        commands.main()
        return became[-1]

    return run


def ready(place):
    place.remember_ports()
    (place.state / "status.json").write_text(json.dumps({"pid": 4711, "ready": True}))
    return supervisor.lock(place).held()


@pytest.mark.parametrize("words", [("dags", "trigger", "a", "--conf", '{"epochs": 3}'), ()])
def test_airflow_gets_the_words_as_they_are(place, airflow, words):
    with ready(place):
        command, _ = airflow(*words)

    assert command == [str(AIRFLOW_PYTHON), "-m", "airflow", *words]


def test_airflow_gets_the_settings_of_what_runs_here(place, airflow):
    with ready(place):
        _, environ = airflow("dags", "list")

    assert environ["AIRFLOW_HOME"] == str(place.airflow_home)
    assert environ["AIRFLOW__API__BASE_URL"] == place.airflow_url
    assert environ["IMAGE_CLASSIFIER_BUCKET"] == "a-bucket"


def test_airflow_needs_the_services(place, airflow):
    with pytest.raises(SystemExit, match="`make up` starts them"):
        airflow("dags", "list")
