"""The supervisor: who holds the lock runs, and nobody else is taken for it."""

import fcntl

import pytest

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
    (place.state / "supervisor.pid").write_text("4711")

    with supervisor.lock(place):
        assert supervisor.is_running(place) == 4711


def test_those_who_ask_do_not_take_each_other_for_a_supervisor(place):
    with supervisor.lock(place, kind=fcntl.LOCK_SH):
        assert supervisor.is_running(place) is None


def test_only_one_supervisor_gets_the_lock(place):
    with supervisor.lock(place):
        assert supervisor.lock(place) is None
