"""Starts Airflow's API server with the Dags of two classifiers and four users, without a scheduler."""

import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from laptop.airflow_settings import API_SERVER, airflow_environment
from laptop.place import AIRFLOW_PYTHON, Place

USERS = {"admin": "admin", "anna": "user", "ben": "user", "vera": "viewer"}
START_LIMIT_S = 600


@dataclass(frozen=True)
class Airflow:
    """A running API server."""

    url: str
    passwords: dict[str, str]
    pid: int

    def api(self, method: str, path: str, *, user: str = "admin", **request: Any) -> Any:
        """Airflow's answer to a program."""
        token = httpx.post(
            f"{self.url}/auth/token", json={"username": user, "password": self.passwords[user]}, timeout=60
        ).json()["access_token"]
        answer = httpx.request(
            method, self.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=60, **request
        )
        answer.raise_for_status()
        return answer.json()


@contextlib.contextmanager
def running(
    folder: Path, ready: dict[str, Any], *, port: int, classifiers: tuple[str, ...] = ("pets", "plants")
) -> Iterator[Airflow]:
    """Airflow with some classifiers, on the local AWS of a ready.json."""
    place = Place(folder, airflow_port=port)
    place.airflow_home.mkdir(parents=True)
    write_classifiers(place, *classifiers)
    env, passwords = environment(place, ready)
    prepare(env)
    log = folder / "api-server.log"
    process = start(env, log=log)
    try:
        wait_for(process, place.airflow_url, log=log)
        yield Airflow(place.airflow_url, passwords, process.pid)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def environment(place: Place, ready: dict[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    """The variables of every Airflow process, and the users' passwords."""
    env = airflow_environment(place, ready, component=API_SERVER)
    passwords = {user: f"{user}-secret" for user in USERS}
    file = place.airflow_home / "users.json"
    file.write_text(json.dumps(passwords))
    return {
        **env,
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(file),
        "IMAGE_CLASSIFIER_CLASSIFIERS": str(place.classifiers),
    }, passwords


def write_classifiers(place: Place, *names: str) -> None:
    place.classifiers.mkdir(parents=True, exist_ok=True)
    for name in names:
        (place.classifiers / f"{name}.yaml").write_text("source: pictures\nhyperparameters: {num_layers: 18}\n")


def prepare(env: dict[str, str]) -> None:
    """Make Airflow's database, with the Dags as the scheduler would know them."""
    for command in (("db", "migrate"), ("dags", "reserialize")):
        subprocess.run(
            [AIRFLOW_PYTHON, "-m", "airflow", *command], env=env, check=True, capture_output=True, timeout=START_LIMIT_S
        )


def start(env: dict[str, str], *, log: Path) -> "subprocess.Popen[bytes]":
    """Start the API server."""
    with log.open("wb") as output:
        return subprocess.Popen(
            [AIRFLOW_PYTHON, "-m", "airflow", "api-server"], env=env, stdout=output, stderr=subprocess.STDOUT
        )


def wait_for(process: "subprocess.Popen[bytes]", url: str, *, log: Path) -> None:
    """Wait until the API server answers."""
    deadline = time.monotonic() + START_LIMIT_S
    while not _answers(url):
        assert process.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.3)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v2/version", timeout=5).is_success
    except httpx.HTTPError:
        return False
