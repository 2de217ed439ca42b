"""The supervisor: who holds the lock runs, and nobody else is taken for it."""

import fcntl
import io
import json

import pytest

from laptop import supervisor
from laptop.__main__ import tell_status
from laptop.place import Place


@pytest.fixture
def place(tmp_path):
    return Place(state=tmp_path)


def test_without_a_lock_nothing_runs(place):
    (place.state / "supervisor.pid").write_text("1")

    assert supervisor.is_running(place) is None
    assert supervisor.stop(place) is False


def test_the_process_that_holds_the_lock_runs(place):
    (place.state / "supervisor.pid").write_text("4711")

    with supervisor.lock(place):
        assert supervisor.is_running(place) == 4711


def test_those_who_ask_do_not_take_each_other_for_a_supervisor(place):
    with supervisor.lock(place, kind=fcntl.LOCK_SH):
        assert supervisor.is_running(place) is None


def test_only_one_supervisor_gets_the_lock(place):
    with supervisor.lock(place):
        assert supervisor.lock(place) is None


def test_an_empty_log_is_told_with_the_room_on_its_disk(place):
    (place.state / "supervisor.log").touch()

    for file in (place.state / "supervisor.log", place.state / "absent" / "a.log"):
        assert f"{file} is empty; its disk has" in supervisor.tail(file)


def test_the_last_lines_of_a_log_are_shown(place):
    (place.state / "a.log").write_text("one\ntwo\nthree\n")

    assert supervisor.tail(place.state / "a.log", lines=2) == "  two\n  three"


def test_status_tells_why_a_part_ended_while_the_rest_is_being_stopped(place, capsys):
    (place.state / "supervisor.pid").write_text("4711")
    supervisor.write_atomically(place.state / "status.json", {"pid": 4711, "stopped": "airflow-triggerer ended"})

    with supervisor.lock(place):
        tell_status(place)

    assert "It stopped by itself: airflow-triggerer ended\nNothing is running here." in capsys.readouterr().out


def test_status_names_the_parts_that_do_not_work(place, capsys, monkeypatch):
    (place.state / "supervisor.pid").write_text("4711")
    monkeypatch.setattr(supervisor, "unhealthy_airflow", lambda _: ["triggerer is unhealthy"])

    with supervisor.lock(place):
        tell_status(place)

    told = capsys.readouterr().out
    assert told.startswith("Not ready: the local AWS is not ready, triggerer is unhealthy (process 4711)")


def test_each_unhealthy_part_of_airflow_is_named(place, monkeypatch):
    health = {"metadatabase": {"status": None}, "scheduler": {"status": "healthy"}, "dag_processor": {"status": None}}
    monkeypatch.setattr(supervisor.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(json.dumps(health).encode()))

    assert supervisor.unhealthy_airflow(place) == ["dag processor is None"]
    assert not supervisor.airflow_is_healthy(place)
