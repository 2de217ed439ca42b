"""Halts a process and what it has started, so that it is killed in the midst of its work, on a busy machine, too."""

import subprocess
import time
from collections.abc import Callable

import psutil

MOMENT_S = 0.1  # in which some 30 images are prepared
PATIENCE_S = 240


def halt_once(
    process: subprocess.Popen[str], is_reached: Callable[[], bool], *, what: str, moment_s: float = MOMENT_S
) -> None:
    """Let a process go on for moments until a condition is true; it stands still while that is asked, and then."""
    tree, deadline = psutil.Process(process.pid), time.monotonic() + PATIENCE_S
    halted = halt(tree)
    while not is_reached():
        assert time.monotonic() < deadline, f"There were no {what} within {PATIENCE_S} s."
        go_on(halted)
        time.sleep(moment_s)
        halted = halt(tree)
        assert process.poll() is None, f"The process ended before there were {what}."


def halt(process: psutil.Process) -> list[psutil.Process]:
    """Suspend a process, then what it has started; returns all of them."""
    process.suspend()
    halted = family(process)
    for child in halted[1:]:
        child.suspend()
    return halted


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return a process and what it has started."""
    return [process, *process.children(recursive=True)]


def go_on(halted: list[psutil.Process]) -> None:
    """Resume processes."""
    for one in halted:
        one.resume()


def kill(process: psutil.Process) -> None:
    """Send SIGKILL, and wait for the end of what the process had started: it must not outlive it."""
    children = family(process)[1:]
    process.kill()
    go_on(children)
    assert not psutil.wait_procs(children, timeout=PATIENCE_S)[1]


def end(process: subprocess.Popen[str]) -> None:
    """Kill a process and what it has started, if it still runs."""
    if process.poll() is None:
        kill(psutil.Process(process.pid))
    process.communicate()
