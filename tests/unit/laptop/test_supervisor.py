"""Checks how the supervisor process is found, and what `make status` prints."""

import json
import os

import pytest

from laptop import __main__ as commands
from laptop import supervisor
from laptop.place import Place


@pytest.fixture
def place(tmp_path):
    return Place(state=tmp_path)


def test_without_a_lock_nothing_runs(place):
    (place.state / "supervisor.pid").write_text("1")

    assert supervisor.is_running(place) is None
    assert supervisor.stop(place) is False


def test_the_process_that_holds_the_lock_runs(place):
    with supervisor.lock(place).held():
        assert supervisor.is_running(place) == os.getpid()


def test_status_prints_why_a_service_ended_while_the_rest_is_being_stopped(place, capsys):
    (place.state / "status.json").write_text(json.dumps({"pid": 4711, "stopped": "airflow-triggerer ended"}))

    with supervisor.lock(place).held():
        commands.print_status(place)

    assert "It ended: airflow-triggerer ended\nNothing is running here." in capsys.readouterr().out


def test_status_names_the_services_that_are_not_healthy(place, capsys, monkeypatch):
    monkeypatch.setattr(commands, "unhealthy_services", lambda _: ["triggerer is unhealthy"])

    with supervisor.lock(place).held():
        commands.print_status(place)

    assert capsys.readouterr().out.startswith(f"Not ready: triggerer is unhealthy (process {os.getpid()})")


def test_a_start_is_refused_while_another_supervisor_is_not_ready(place, monkeypatch):
    monkeypatch.setattr(supervisor, "START_LIMIT_S", 0)
    monkeypatch.setattr(supervisor, "airflow_is_healthy", lambda _: False)

    with supervisor.lock(place).held(), pytest.raises(supervisor.LaptopError, match="`make down` stops it"):
        supervisor.start(place)


def test_a_start_does_nothing_when_everything_is_ready(place, monkeypatch):
    monkeypatch.setattr(supervisor, "airflow_is_healthy", lambda _: True)

    with supervisor.lock(place).held():
        supervisor.start(place)

    assert not (place.logs / "supervisor.log").exists()
