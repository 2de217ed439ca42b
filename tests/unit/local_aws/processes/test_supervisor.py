"""Checks with small real processes what a supervisor does when a child is ready, ends or must be stopped."""

import os
import sys
import threading
from pathlib import Path

import pytest

from local_aws.errors import ChildEndedError, NotReadyError
from local_aws.processes import supervisor as module
from local_aws.processes.supervisor import StopRequested, Supervisor, log_end

ENV = {"PATH": os.environ["PATH"]}
RUNS = ["sleep", "600"]


def python(program: str) -> list[str]:
    return [sys.executable, "-S", "-c", program]


@pytest.fixture
def supervisor(tmp_path: Path):
    supervisor = Supervisor(tmp_path / "logs", stop_requested=threading.Event(), stop_grace_s=5)
    yield supervisor
    supervisor.stop(list(supervisor.children))


def test_it_waits_until_a_child_is_ready(supervisor, tmp_path):
    supervisor.start("server", python(f"open({str(tmp_path / 'ready')!r}, 'w'); import time; time.sleep(600)"), env=ENV)

    supervisor.wait_until((tmp_path / "ready").exists, what="server", limit_s=30)

    assert (tmp_path / "ready").exists()
    assert supervisor.children["server"].running


def test_a_child_that_is_not_ready_in_time_is_named(supervisor):
    supervisor.start("server", RUNS, env=ENV)

    with pytest.raises(NotReadyError, match="the server was not ready within 0 s; see the logs in"):
        supervisor.wait_until(lambda: False, what="the server", limit_s=0)


def test_a_child_that_ends_while_another_starts_is_named_with_its_log(supervisor):
    supervisor.start("server", python("print('no licence'); raise SystemExit(3)"), env=ENV)

    with pytest.raises(ChildEndedError, match=r"server ended with exit code 3, so everything .*\n  no licence"):
        supervisor.wait_until(lambda: False, what="the other", limit_s=30)


def test_a_child_that_was_killed_is_reported_with_the_signal(supervisor):
    supervisor.start("server", python("import os; os.kill(os.getpid(), 9)"), env=ENV)

    with pytest.raises(ChildEndedError, match="server was killed by signal 9"):
        supervisor.watch()


def test_a_requested_stop_ends_every_wait(supervisor):
    supervisor.start("server", RUNS, env=ENV)
    supervisor.stop_requested.set()

    supervisor.watch()
    with pytest.raises(StopRequested):
        supervisor.wait_until(lambda: False, what="server", limit_s=30)


def test_a_program_may_end_with_status_0(supervisor):
    supervisor.run_to_end("migration", python("print('done')"), env=ENV, limit_s=30)

    supervisor.check()
    assert (supervisor.logs / "migration.log").read_text() == "done\n"


def test_a_program_that_fails_is_named(supervisor):
    with pytest.raises(ChildEndedError, match="migration ended with exit code 1"):
        supervisor.run_to_end("migration", python("raise SystemExit(1)"), env=ENV, limit_s=30)


def test_a_program_does_not_outlive_a_requested_stop(supervisor):
    supervisor.stop_requested.set()
    parked = python("import time; time.sleep(600)")

    with pytest.raises(StopRequested):
        supervisor.run_to_end("migration", parked, env=ENV, limit_s=30)


def test_only_the_named_children_are_stopped(supervisor):
    first = supervisor.start("first", RUNS, env=ENV)
    second = supervisor.start("second", RUNS, env=ENV)

    supervisor.stop(["first", "never started"])

    assert (first.running, second.running) == (False, True)


def test_an_empty_or_absent_log_is_reported_with_its_disks_free_space(tmp_path):
    (tmp_path / "a.log").touch()

    for file in (tmp_path / "a.log", tmp_path / "absent" / "a.log"):
        assert f"{file} is empty; its disk has" in log_end(file)


def test_the_last_lines_of_a_log_are_returned(tmp_path):
    (tmp_path / "a.log").write_text("one\ntwo\nthree\n")

    assert log_end(tmp_path / "a.log", lines=2) == "  two\n  three"


def test_a_log_that_grows_too_large_begins_again_beside_its_older_lines(supervisor, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "MOST_LOG_BYTES", 5)
    program = "import time; print('older lines', flush=True); time.sleep(600)"
    supervisor.start("server", python(program), env=ENV)
    log = tmp_path / "logs/server.log"
    supervisor.wait_until(lambda: log.exists() and log.stat().st_size, what="the log", limit_s=30)

    supervisor.limit_logs()
    with log.open("a") as file:
        file.write("new\n")

    assert log.read_text() == "new\n"
    assert (tmp_path / "logs/server.log.1").read_text() == "older lines\n"

    log.unlink()
    supervisor.limit_logs()

    assert not log.exists()
