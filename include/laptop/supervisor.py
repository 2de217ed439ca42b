"""Runs the process that starts and watches the local AWS and Airflow; however it ends, they end with it."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType
from typing import IO, Any

from laptop.airflow_settings import COMPONENTS, airflow_environment, configuration
from laptop.place import AIRFLOW_PYTHON, LOCAL_AWS_PYTHON, ROOT, LaptopError, Place
from local_aws.children import Child, start_child
from local_aws.state_folder import OTHERS, make_private

START_LIMIT_S = 240
STOP_GRACE_S = 20
LOCAL_AWS = "local-aws"


class Supervisor:
    """Starts the child processes in order and stops them in the reverse order."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.children: dict[str, Child] = {}
        self.stopping = False

    def run(self) -> None:
        """Start everything, write status.json, and watch until a stop is requested or a child ends."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        try:
            self.start_children()
            write_atomically(self.place.state / "status.json", {"pid": os.getpid(), "ready": True})
            while not self.stopping:
                self._check_children()
                time.sleep(0.5)
        except LaptopError as error:
            if not self.stopping:
                write_atomically(self.place.state / "status.json", {"pid": os.getpid(), "stopped": str(error)})
        finally:
            self.stop_children()
        if self.stopping:
            (self.place.state / "status.json").unlink(missing_ok=True)

    def stop_children(self) -> None:
        """Stop all of Airflow first, then the local AWS: tasks still call the local AWS while they end."""
        airflow = [child for name, child in self.children.items() if name != LOCAL_AWS]
        for child in airflow:
            child.terminate()
        for child in airflow:
            child.stop(grace_s=STOP_GRACE_S)
        if LOCAL_AWS in self.children:
            self.children[LOCAL_AWS].stop(grace_s=STOP_GRACE_S)

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def start_children(self) -> None:
        """Start the local AWS, then Airflow's components.

        Raises:
            LaptopError: a process ended, or was not ready in time.

        """
        aws = self.place.aws_state
        (aws / "ready.json").unlink(missing_ok=True)
        ports = ["--port", str(self.place.aws_port), "--sagemaker-port", str(self.place.sagemaker_port)]
        command = [str(LOCAL_AWS_PYTHON), "-m", "local_aws", "--state", str(aws), *ports]
        self._spawn(LOCAL_AWS, command, env={**os.environ, "PYTHONPATH": str(ROOT / "include")})
        self._migrate_database(configuration(self.place))
        self._await("the local AWS", lambda: (aws / "ready.json").exists())
        for component in COMPONENTS:
            self.start_component(component)
        self._await("Airflow", lambda: airflow_is_healthy(self.place))

    def start_component(self, component: str) -> None:
        """Start one component of Airflow."""
        env = self.environment(component)
        self._spawn(f"airflow-{component}", [str(AIRFLOW_PYTHON), "-m", "airflow", component], env=env)

    def environment(self, component: str) -> dict[str, str]:
        """Return the environment of one of Airflow's components; the local AWS must be ready."""
        ready = json.loads((self.place.aws_state / "ready.json").read_text())
        return airflow_environment(self.place, ready, component=component)

    def _migrate_database(self, env: dict[str, str]) -> None:
        """Create or upgrade Airflow's tables; does nothing if this release of Airflow made them."""
        stamp = self.place.airflow_home / "migrated"
        release = (ROOT / "requirements.txt").read_text()
        if stamp.exists() and stamp.read_text() == release:
            return
        self._spawn("airflow-db-migrate", [str(AIRFLOW_PYTHON), "-m", "airflow", "db", "migrate"], env=env)
        migration = self.children["airflow-db-migrate"]
        self._await(
            "Airflow's database", lambda: migration.wait(timeout_s=0) is not None, ended_well="airflow-db-migrate"
        )
        del self.children["airflow-db-migrate"]
        stamp.write_text(release)

    def _spawn(self, name: str, command: list[str], *, env: dict[str, str]) -> None:
        self.place.logs.mkdir(parents=True, exist_ok=True)
        self.children[name] = start_child(command, env=env, log_file=self._log(name), cwd=ROOT)

    def _log(self, name: str) -> Path:
        return self.place.logs / f"{name}.log"

    def _await(self, what: str, is_ready: Any, *, ended_well: str = "") -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while not is_ready():
            self._check_children(may_end=ended_well)
            if self.stopping:
                raise LaptopError("stopped while starting")
            if time.monotonic() > deadline:
                raise LaptopError(f"{what} was not ready within {START_LIMIT_S} s; see the logs in {self.place.logs}.")
            time.sleep(0.2)
        self._check_children(may_end=ended_well)

    def _check_children(self, *, may_end: str = "") -> None:
        for name, child in self.children.items():
            code = child.wait(timeout_s=0)
            if code is None or (name == may_end and code == 0):
                continue
            raise LaptopError(f"{name} ended with exit code {code}; its last words:\n{tail(self._log(name))}")


def airflow_is_healthy(place: Place) -> bool:
    """Whether the API server answers and the scheduler, the Dag processor and the triggerer have sent a heartbeat."""
    return not unhealthy_airflow(place)


def unhealthy_airflow(place: Place) -> list[str]:
    """What Airflow's health endpoint says of its parts, but for the healthy ones: ``["triggerer is unhealthy"]``."""
    try:
        with urllib.request.urlopen(f"{place.airflow_url}/api/v2/monitor/health", timeout=5) as answer:  # noqa: S310 - our own address
            health = json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return ["Airflow's API server does not answer"]
    parts = {name: part.get("status") for name, part in health.items() if name != "metadatabase"}
    return [f"{name.replace('_', ' ')} is {status}" for name, status in parts.items() if status != "healthy"]


def unhealthy_parts(place: Place) -> list[str]:
    """What does not work of all that the supervisor started, one phrase each."""
    ready = (place.aws_state / "ready.json").exists()
    return [*([] if ready else ["the local AWS is not ready"]), *unhealthy_airflow(place)]


def status(place: Place) -> dict[str, Any]:
    """What the last supervisor said: ``pid`` and ``ready``, or ``stopped`` with the reason; may be empty."""
    try:
        said: dict[str, Any] = json.loads((place.state / "status.json").read_text())
    except FileNotFoundError:
        return {}
    return said


def tail(file: Path, *, lines: int = 8) -> str:
    """Return the last lines of a log, or a note that there are none and how many MB its disk has free."""
    said = file.read_text(errors="replace").strip().splitlines()[-lines:] if file.exists() else []
    free_mb = shutil.disk_usage(file.parent if file.parent.exists() else ROOT).free / 1e6
    nothing = f"({file} is empty; its disk has {free_mb:,.0f} MB free)"
    return "\n".join(f"  {line}" for line in said or [nothing])


def write_atomically(file: Path, document: dict[str, Any]) -> None:
    """Replace a JSON file so that a reader sees the old or the new one, never half of it."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(document))
    part.replace(file)


def lock(place: Place, *, kind: int = fcntl.LOCK_EX) -> IO[str] | None:
    """Take the lock that a supervisor holds while it runs; return None if another supervisor holds it.

    A process that only tests the lock takes it shared, so that two such processes do not block each other.
    """
    make_private(place.state)
    handle = (place.state / "supervisor.lock").open("a+")
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        return None
    return handle


def start(place: Place) -> None:
    """Start a supervisor in the background and wait until everything is ready; do nothing if one is ready.

    Raises:
        LaptopError: a port is in use, or a process did not start; the message has the last lines of its log.

    """
    deadline = time.monotonic() + START_LIMIT_S
    while (held := lock(place)) is None:
        # Another supervisor runs, or one that was killed is still ending: then it has ended after the stop request.
        if airflow_is_healthy(place) and is_running(place) is not None:
            return
        if time.monotonic() > deadline:
            raise LaptopError("What runs here is not ready; `make down` stops it, then run this again.")
        time.sleep(0.2)
    (place.state / "supervisor.pid").unlink(missing_ok=True)  # of a killed supervisor
    (place.state / "status.json").unlink(missing_ok=True)
    place.check_ports()
    held.close()
    _await_ready(place, _start_in_background(place))


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
        said = status(place)
        if said.get("ready"):
            return
        if "stopped" in said:
            raise LaptopError(f"The services did not start: {said['stopped']}")
        if started.poll() is not None:
            told = tail(place.logs / "supervisor.log")
            raise LaptopError(f"The services did not start; the supervisor's last words:\n{told}")
        time.sleep(0.2)
    raise LaptopError(f"The services were not ready in time; see the logs in {place.logs}.")


def stop(place: Place) -> bool:
    """Stop the supervisor and everything it started; return False if none was running."""
    if is_running(place) is None:
        return False
    deadline = time.monotonic() + 3 * STOP_GRACE_S
    while (pid := is_running(place)) is not None:
        try:
            os.kill(pid, signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL)
        except ProcessLookupError:
            break
        for _ in range(20):
            if is_running(place) is None:
                break
            time.sleep(0.1)
    (place.state / "status.json").unlink(missing_ok=True)
    return True


def is_running(place: Place) -> int | None:
    """Return the running supervisor's process id, or None."""
    held = lock(place, kind=fcntl.LOCK_SH)
    if held is not None:
        held.close()
        return None
    pid = place.state / "supervisor.pid"
    return int(pid.read_text()) if pid.exists() else None  # no id yet: the supervisor is starting


def main() -> None:
    os.umask(OTHERS)
    place = Place.from_env()
    deadline = time.monotonic() + 2  # another process may be testing the lock at this moment
    while (held := lock(place)) is None:
        if time.monotonic() > deadline:
            sys.exit("Another supervisor runs in this folder.")
        time.sleep(0.1)
    part = place.state / "supervisor.pid.part"
    part.write_text(str(os.getpid()))
    part.replace(place.state / "supervisor.pid")
    with held:
        Supervisor(place).run()


if __name__ == "__main__":
    main()
