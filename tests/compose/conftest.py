"""Runs a copy of this repository with docker compose, under its own project name."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.ports import free_port

from laptop.place import Place

ROOT = Path(__file__).parents[2]
PROJECT = "image-classifier-test"
RECOVERY_LIMIT_S = 900
FOR_THIS_MACHINE = ("PYTHON_IMAGE", "PYTHON_BUILD_IMAGE", "POSTGRES_IMAGE", "REDIS_IMAGE", "PIP_CONF")
PORTS = ("AIRFLOW_PORT", "LOCAL_AWS_PORT", "LOCAL_SAGEMAKER_PORT")


@dataclass(frozen=True)
class Stack:
    """What docker compose runs in `folder`."""

    folder: Path
    ports: dict[str, int]

    def compose(self, *arguments: str) -> str:
        """Run docker compose; returns what it printed."""
        done = self._compose(*arguments)
        assert done.returncode == 0, f"{' '.join(arguments)}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
        return done.stdout

    def _compose(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["docker", "compose", "--project-name", PROJECT, *arguments]
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AIRFLOW"))}
        return subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)

    def write_env(self, **changes: str) -> None:
        """An .env from the example: with what this machine needs for building, and `changes`."""
        needed = {name: os.environ[name] for name in FOR_THIS_MACHINE if name in os.environ}
        wanted = {"COMPOSE_FILE": "docker-compose.yaml", **needed, **self.ports, **changes}
        lines = (self.folder / ".env.example").read_text().splitlines()
        kept = [line for line in lines if line.split("=")[0] not in wanted]
        (self.folder / ".env").write_text("\n".join([*kept, *(f"{key}={value}" for key, value in wanted.items())]))

    def up(self, *arguments: str) -> None:
        """Start what is not running, and wait until all of it is healthy; what is not tells why."""
        done = self._compose("up", "--detach", "--wait", "--wait-timeout", "900", *arguments)
        if done.returncode != 0:
            logs = self._compose("logs", "--no-color", "--tail", "15").stdout
            pytest.fail(f"{done.stderr[-2000:]}\n{self._compose('ps', '--all').stdout}\n{logs}", pytrace=False)

    def restart(self, service: str) -> None:
        """Restart a service's containers and wait until everything that runs is healthy again."""
        self.compose("restart", service)
        deadline = time.monotonic() + RECOVERY_LIMIT_S
        while unwell := self._unwell():
            assert time.monotonic() < deadline, f"after the restart of {service}: {unwell}"
            time.sleep(2)

    def _unwell(self) -> list[str]:
        told = self.compose("ps", "--format", "{{.Name}}: {{.Status}}").splitlines()
        return [line for line in told if "(healthy)" not in line]

    def place(self) -> Place:
        """The services as a person at this machine reaches them, with what the containers tell of themselves."""
        port = self.ports
        place = Place(self.folder / "place", port["LOCAL_AWS_PORT"], port["LOCAL_SAGEMAKER_PORT"], port["AIRFLOW_PORT"])
        secret = self.compose("exec", "--no-TTY", "api-server", "cat", "secrets/password")
        ready = self.compose("exec", "--no-TTY", "local-aws", "cat", "ready.json")
        files = {
            place.airflow_home / "secrets.json": json.dumps({"password": secret}),
            place.aws_state / "ready.json": ready.replace("aws.localhost", "127.0.0.1"),
        }
        for file, content in files.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        return place

    def left(self, kind: str) -> list[str]:
        """Names of what the project still has: containers, volumes or networks."""
        every = ["--all"] if kind == "container" else []
        command = ["docker", kind, "ls", *every, "--quiet", "--filter", f"label=com.docker.compose.project={PROJECT}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A fresh start: what an earlier session left is gone. Nothing is left at the end, whatever happened."""
    folder = tmp_path_factory.mktemp("clone")
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    folder.chmod(0o755)
    stack = Stack(folder, {name: free_port() for name in PORTS})
    stack.write_env()
    down = ("--profile", "*", "down", "--volumes", "--remove-orphans")
    stack.compose(*down)
    yield stack
    stack.compose(*down)
