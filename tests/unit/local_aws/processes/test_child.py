"""Checks with small real processes that a child ends with its parent, whatever ends the parent."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.waiting import until

from local_aws.processes import child as child_module
from local_aws.processes.child import start_child

ENV = {"PATH": os.environ["PATH"]}
INCLUDE = str(Path(child_module.__file__).parents[2])
FOREVER = [sys.executable, "-S", "-c", "import time; print('up', flush=True); time.sleep(600)"]
IGNORES_SIGTERM = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
FAMILY = (
    "import subprocess, sys, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)"
)
PARENT = """
import os, pathlib, sys, threading, time
from local_aws.processes.child import start_child
def start():
    log_file = pathlib.Path(sys.argv[1])
    child = start_child([sys.executable, "-S", "-c", sys.argv[2]], env=dict(os.environ), log_file=log_file)
    print(child.pid, flush=True)
thread = threading.Thread(target=start); thread.start(); thread.join()
time.sleep(600)
"""


def start_parent(log, *, program):
    command = [sys.executable, "-c", PARENT, log, program]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENV | {"PYTHONPATH": INCLUDE})


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:  # an orphan whose new parent does not reap stays as a zombie
        with Path(f"/proc/{pid}/stat").open() as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children_of(pid):
    """The processes that the threads of a process started, as Linux tells them; none on another system."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return {int(child) for children in lists for child in children.read_text().split()}


def wait_for_output(log):
    until(lambda: log.exists() and log.read_text().endswith("\n"))
    return log.read_text()


def test_output_goes_to_the_log_file_and_the_exit_status_comes_back(tmp_path):
    child = start_child(
        [sys.executable, "-S", "-c", "print('hello'); raise SystemExit(3)"], env=ENV, log_file=tmp_path / "a" / "log"
    )

    assert child.wait(timeout_s=10) == 3
    assert (tmp_path / "a" / "log").read_text() == "hello\n"


def test_a_child_outlives_the_thread_that_asked_for_it(tmp_path):
    parent = start_parent(tmp_path / "log", program=FOREVER[-1])
    pid = int(parent.stdout.readline())
    wait_for_output(tmp_path / "log")

    assert alive(pid)
    parent.kill()
    parent.wait()


def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(tmp_path):
    child = start_child([sys.executable, "-S", "-c", IGNORES_SIGTERM], env=ENV, log_file=tmp_path / "log")
    wait_for_output(tmp_path / "log")

    assert child.stop(0.1) == -signal.SIGKILL
    assert not child.running


def test_what_a_child_left_behind_ends_with_it(tmp_path):
    child = start_child([sys.executable, "-S", "-c", FAMILY], env=ENV, log_file=tmp_path / "log")
    grandchild = int(wait_for_output(tmp_path / "log"))

    child.stop(5)

    until(lambda: not alive(grandchild))


def test_child_and_grandchild_end_when_the_parent_is_killed(tmp_path):
    parent = start_parent(tmp_path / "log", program=FAMILY)
    child = int(parent.stdout.readline())
    grandchild = int(wait_for_output(tmp_path / "log"))

    parent.kill()
    parent.wait()

    until(lambda: not alive(child))
    until(lambda: not alive(grandchild))


def test_linux_ends_a_child_even_when_the_guard_is_gone(tmp_path):
    parent = start_parent(tmp_path / "log", program=FOREVER[-1])
    child = int(parent.stdout.readline())
    wait_for_output(tmp_path / "log")
    for guard in children_of(parent.pid) - {child}:
        os.kill(guard, signal.SIGKILL)

    parent.kill()
    parent.wait()

    until(lambda: not alive(child) or sys.platform != "linux")


@pytest.mark.parametrize("value", ["x\0y", "\ud800"])
def test_an_environment_that_no_process_can_have_affects_no_other_child(tmp_path, value):
    other = start_child(["sleep", "60"], env=ENV, log_file=tmp_path / "other")

    with pytest.raises(OSError, match="The arguments or the environment cannot be passed on"):
        start_child(["true"], env={**ENV, "A": value}, log_file=tmp_path / "log")

    assert start_child(["true"], env=ENV, log_file=tmp_path / "log").wait(timeout_s=30) == 0
    assert other.running
    other.stop(0)


def test_a_program_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="no-such-program"):
        start_child(["no-such-program"], env=ENV, log_file=tmp_path / "log")
