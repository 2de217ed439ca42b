"""Checks how the supervisor process is found, and what `make status` prints."""

import contextlib
import dataclasses
import json
import os
import threading
from unittest import mock

import pytest
from tests.ports import free_port
from tests.waiting import until

from laptop import __main__ as commands
from laptop import supervisor
from laptop.place import Place
from laptop.services import Services
from local_aws.errors import ChildEndedError
from local_aws.processes.supervisor import Supervisor


@pytest.fixture
def place(tmp_path):
    return Place(state=tmp_path, aws_port=free_port(), sagemaker_port=free_port(), airflow_port=free_port())


@pytest.fixture
def services(monkeypatch):
    """Services that are ready, without their processes."""
    fake = mock.create_autospec(Services, instance=True, supervisor=mock.create_autospec(Supervisor, instance=True))
    monkeypatch.setattr(supervisor, "Services", lambda *_, **__: fake)
    monkeypatch.setattr(supervisor, "remove_old_runs", lambda _: None)
    return fake


@pytest.fixture
def running_supervisor(place, services):
    stop_requested = threading.Event()
    thread = threading.Thread(target=supervisor.supervise, args=[place], kwargs={"stop_requested": stop_requested})
    with supervisor.lock(place).held():
        thread.start()
        yield
        stop_requested.set()
        thread.join()


@pytest.fixture
def new_supervisor(tmp_path, monkeypatch):
    """A program in place of the interpreter that runs a new supervisor: it is ready at once, and ends."""
    program = tmp_path / "python"
    program.write_text("""#!/bin/sh\necho '{"pid": 4711, "ready": true}' > "$LAPTOP_STATE/status.json"\n""")
    program.chmod(0o700)
    monkeypatch.setattr(supervisor.sys, "executable", str(program))


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


def killed(place):
    """What services leave that were ready and were killed with their supervisor, such as by a restart."""
    place.remember_ports()
    (place.state / "status.json").write_text(json.dumps({"pid": 4711, "ready": True}))
    return {"LAPTOP_STATE": str(place.state)}


def test_status_says_that_services_were_killed_and_start_again_where(place, capsys):
    commands.print_status(Place.from_env(killed(place)))

    output = capsys.readouterr().out
    assert output.startswith("It ended without `make down`: it was killed")
    assert f"starts it again at {place.airflow_url} with" in output
    assert "Nothing is running here." in output


@pytest.mark.parametrize("status", [{"ready": True}, {"stopped": "airflow-triggerer ended"}])
def test_down_forgets_services_that_ended_without_it(place, capsys, status):
    environ = killed(place)
    (place.state / "status.json").write_text(json.dumps({"pid": 4711, **status}))

    assert supervisor.stop(Place.from_env(environ)) is False

    commands.print_status(Place.from_env(environ))
    assert capsys.readouterr().out.startswith("Nothing is running here.")
    assert Place.from_env(environ).airflow_port == Place.airflow_port


def test_services_that_were_killed_start_again_where_they_were(place, new_supervisor):
    environ = killed(place)

    supervisor.start(Place.from_env(environ))

    assert Place.from_env(environ) == place


def test_a_start_on_other_ports_than_what_runs_is_refused(place, running_supervisor):
    place.remember_ports()
    other = dataclasses.replace(place, airflow_port=free_port())
    while not supervisor.status(place).get("ready"):
        pass

    with pytest.raises(supervisor.LaptopError, match=f"other ports, Airflow {place.airflow_port}, .*`make down`"):
        supervisor.start(other)


def test_status_shows_the_ports_of_what_runs_and_not_the_variables(place, capsys, monkeypatch):
    monkeypatch.setattr(commands, "unhealthy_services", lambda asked: [] if asked == place else ["asked elsewhere"])
    killed(place)

    with supervisor.lock(place).held():
        commands.print_status(dataclasses.replace(place, airflow_port=1))

    assert f"http://127.0.0.1:{place.airflow_port} " in capsys.readouterr().out


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


def test_a_start_does_nothing_when_everything_is_ready(place, monkeypatch, running_supervisor):
    monkeypatch.setattr(supervisor, "airflow_is_healthy", lambda _: True)

    supervisor.start(place)

    assert not (place.logs / "supervisor.log").exists()


def test_a_start_waits_until_a_killed_supervisor_has_ended(place, monkeypatch, new_supervisor):
    killed = contextlib.ExitStack()
    killed.enter_context(supervisor.lock(place).held())
    monkeypatch.setattr(supervisor, "ANSWER_LIMIT_S", 0)
    looks = iter([lambda: None, killed.close])  # its lock and its services outlive it by a moment

    def healthy(_):
        next(looks)()
        return True

    monkeypatch.setattr(supervisor, "airflow_is_healthy", healthy)

    supervisor.start(place)

    assert supervisor.status(place) == {"pid": 4711, "ready": True}


def test_a_supervisor_of_a_service_that_ended_does_not_answer(place, services):
    services.supervisor.check.side_effect = ChildEndedError("airflow-triggerer ended")
    question = place.state / "supervisor.question"
    question.touch()

    supervisor.supervise(place, stop_requested=threading.Event())

    assert question.exists()
    assert supervisor.status(place)["stopped"] == "airflow-triggerer ended"


def test_status_finds_the_running_services_without_the_variables(place, services, new_supervisor):
    environ = {"LAPTOP_STATE": str(place.state)}

    supervisor.start(place)

    assert Place.from_env(environ) == place
    stop_requested = threading.Event()
    stop_requested.set()
    supervisor.supervise(place, stop_requested=stop_requested)
    assert Place.from_env(environ) == Place(state=place.state)


def test_a_status_that_a_power_cut_left_empty_is_none(place):
    (place.state / "status.json").write_text("")

    assert supervisor.status(place) == {}


def test_old_logs_and_runs_of_airflow_are_removed_while_it_runs(place, services, monkeypatch):
    stop_requested, cleaned = threading.Event(), []
    monkeypatch.setattr(supervisor, "_remove_old_records", lambda of: (cleaned.append(of), stop_requested.set()))

    supervisor.supervise(place, stop_requested=stop_requested)

    assert cleaned == [place]
    services.supervisor.limit_logs.assert_called_once_with()


def test_the_removal_of_many_old_logs_does_not_delay_the_checks(place, monkeypatch):
    begun, may_end, cleaned = threading.Event(), threading.Event(), []

    def remove_old_logs(folder):
        begun.set()
        may_end.wait(10)
        cleaned.append(folder)

    def remove_old_runs(of):
        cleaned.append(of)

    monkeypatch.setattr(supervisor, "remove_old_logs", remove_old_logs)
    monkeypatch.setattr(supervisor, "remove_old_runs", remove_old_runs)

    supervisor._remove_old_records(place)

    assert begun.wait(10)
    until(lambda: cleaned == [place])
    may_end.set()
    until(lambda: cleaned == [place, place.airflow_home / "logs"])
