"""Runs the laptop's services in the background: one supervisor process starts, watches and stops them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TypedDict

from laptop.health import airflow_is_healthy
from laptop.old_logs import remove_old_logs
from laptop.old_runs import remove_old_runs
from laptop.place import ROOT, LaptopError, Place
from laptop.services import START_LIMIT_S, STOP_GRACE_S, Services
from local_aws.errors import LocalAwsError, StateInUseError
from local_aws.processes.state_folder import OTHERS, StateLock, write_atomically
from local_aws.processes.supervisor import StopRequested, log_end

_POLL_S = 0.2
_CLEAN_INTERVAL_S = 6 * 3600
_LOCK_WAIT_S = 2  # another process may be testing the lock
ANSWER_LIMIT_S = 10 * _POLL_S


class Status(TypedDict, total=False):
    """The content of status.json."""

    pid: int
    ready: bool  # every service is ready
    stopped: str  # why the supervisor ended without a stop request


def supervise(place: Place, *, stop_requested: threading.Event) -> None:
    """Run the services until a stop is requested or one of them ends; status.json has the state.

    A requested stop also forgets the ports.
    """
    services = Services(place, stop_requested=stop_requested)
    file = _status_file(place)
    try:
        services.start()
        _write_status(file, {"pid": os.getpid(), "ready": True})
        clean_at_s = time.monotonic()
        while not stop_requested.wait(_POLL_S):
            services.supervisor.check()
            services.supervisor.limit_logs()
            if time.monotonic() >= clean_at_s:
                clean_at_s += _CLEAN_INTERVAL_S
                _remove_old_records(place)
            _question_file(place).unlink(missing_ok=True)  # the answer that `start` waits for
    except StopRequested:
        pass
    except (LaptopError, LocalAwsError) as error:
        if not stop_requested.is_set():
            _write_status(file, {"pid": os.getpid(), "stopped": str(error)})
    finally:
        services.stop()
    if stop_requested.is_set():
        file.unlink(missing_ok=True)
        place.forget_ports()


def _remove_old_records(place: Place) -> None:
    """Remove old logs and runs in threads: a month has 100,000 logs, and neither they nor an error delay the checks.

    An error is in the supervisor's log.
    """
    for remove, of in ((remove_old_logs, place.airflow_home / "logs"), (remove_old_runs, place)):
        threading.Thread(target=remove, args=(of,), name=remove.__name__, daemon=True).start()


def status(place: Place) -> Status:
    """Return the last supervisor's status; empty if there is none."""
    try:
        found: Status = json.loads(_status_file(place).read_text())
    except (FileNotFoundError, ValueError):  # a power cut may leave an empty file
        return {}
    return found


def _status_file(place: Place) -> Path:
    return place.state / "status.json"


def _question_file(place: Place) -> Path:
    """Return the file that `start` creates, and that a supervisor deletes while every service is ready."""
    return place.state / "supervisor.question"


def _write_status(file: Path, content: Status) -> None:
    write_atomically(file, json.dumps(content))


def lock(place: Place) -> StateLock:
    """Return the lock that the supervisor of this state folder holds while it runs."""
    return StateLock(place.state, name="supervisor")


def is_running(place: Place) -> int | None:
    """Return the running supervisor's process id, or None."""
    return lock(place).holder()


def start(place: Place) -> None:
    """Start a supervisor in the background and wait until everything is ready; do nothing if one is ready.

    Waits for another supervisor that is starting, or that is ending because it was stopped or killed.

    Raises:
        LaptopError: a port is in use, what runs here uses other ports, or a process did not start; then the message
            has the last lines of its log.

    """
    deadline = time.monotonic() + START_LIMIT_S
    while not _may_start(place):
        if status(place).get("ready") and (running := place.last_start()) != place:
            raise LaptopError(
                f"What runs here uses other ports, Airflow {running.airflow_port}, the local AWS {running.aws_port}, "
                f"SageMaker {running.sagemaker_port}: `make down` stops it, then run this again."
            )
        if airflow_is_healthy(place) and _answers(place):
            return
        if time.monotonic() > deadline:
            raise LaptopError("What runs here did not become ready; `make down` stops it, then run this again.")
        time.sleep(_POLL_S)
    _await_ready(place, _start_in_background(place))


def _may_start(place: Place) -> bool:
    """Return False if another supervisor holds the lock; otherwise check the ports and remember them.

    Raises:
        LaptopError: a port is in use.

    """
    try:
        with lock(place).held():
            _status_file(place).unlink(missing_ok=True)
            place.check_ports()
            place.remember_ports()
    except StateInUseError:
        return False
    return True


def _answers(place: Place) -> bool:
    """Return whether the supervisor that holds the lock answers that every service is ready.

    One that was killed holds the lock, and its services answer requests, until the kernel has ended it.
    """
    question = _question_file(place)
    question.touch()
    deadline = time.monotonic() + ANSWER_LIMIT_S
    while question.exists() and time.monotonic() < deadline:
        time.sleep(_POLL_S / 2)
    return not question.exists()


def _start_in_background(place: Place) -> "subprocess.Popen[bytes]":
    place.logs.mkdir(parents=True, exist_ok=True)
    with (place.logs / "supervisor.log").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "laptop.supervisor"],
            cwd=ROOT,
            env={**os.environ, **place.as_env(), "PYTHONPATH": str(ROOT / "include")},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # keeps running when the terminal closes
        )


def _await_ready(place: Place, started: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_LIMIT_S + 30
    while time.monotonic() < deadline:
        found = status(place)
        if found.get("ready"):
            return
        if "stopped" in found:
            raise LaptopError(f"The services did not start: {found['stopped']}")
        if started.poll() is not None:
            end = log_end(place.logs / "supervisor.log")
            raise LaptopError(f"The services did not start. The end of the supervisor's log:\n{end}")
        time.sleep(_POLL_S)
    raise LaptopError(f"The services were not ready in time; see the logs in {place.logs}.")


def stop(place: Place) -> bool:
    """Stop the supervisor and everything it started, and forget the ports; return False if none was running.

    The supervisor is killed if it still runs after three times the time that one service has to end.
    """
    was_running = is_running(place) is not None
    deadline = time.monotonic() + 3 * STOP_GRACE_S
    while (pid := is_running(place)) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
        for _ in range(20):
            if is_running(place) is None:
                break
            time.sleep(0.1)
    _status_file(place).unlink(missing_ok=True)
    place.forget_ports()
    return was_running


def main() -> None:
    os.umask(OTHERS)
    place = Place.from_env()
    stop_requested = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop_requested.set())
    try:
        with lock(place).held(wait_s=_LOCK_WAIT_S):
            supervise(place, stop_requested=stop_requested)
    except StateInUseError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
