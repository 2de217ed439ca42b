"""Where this laptop's services live: the state folder, the ports and the two environments' interpreters."""

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]
AIRFLOW_PYTHON = ROOT / ".venv/airflow/bin/python"
FREE_PORT_LIMIT_S = 5
HIGHEST_PORT = 65_535
LOCAL_AWS_PYTHON = ROOT / ".venv/local-aws/bin/python"


class LaptopError(Exception):
    """Something that the person at the keyboard has to change; the message says what."""


@dataclass(frozen=True)
class Place:
    """One set of services: its state and its ports. Two places do not touch each other."""

    state: Path
    aws_port: int = 4566
    sagemaker_port: int = 4567
    airflow_port: int = 8080

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The place that LAPTOP_STATE, LOCAL_AWS_PORT, LOCAL_SAGEMAKER_PORT and AIRFLOW_PORT name, or the default."""
        return cls(
            state=Path(environ.get("LAPTOP_STATE", ROOT / ".laptop")).resolve(),
            aws_port=_port(environ, "LOCAL_AWS_PORT", default=cls.aws_port),
            sagemaker_port=_port(environ, "LOCAL_SAGEMAKER_PORT", default=cls.sagemaker_port),
            airflow_port=_port(environ, "AIRFLOW_PORT", default=cls.airflow_port),
        )

    def as_env(self) -> dict[str, str]:
        """The variables from which `from_env` makes this place."""
        return {
            "LAPTOP_STATE": str(self.state),
            "LOCAL_AWS_PORT": str(self.aws_port),
            "LOCAL_SAGEMAKER_PORT": str(self.sagemaker_port),
            "AIRFLOW_PORT": str(self.airflow_port),
        }

    @property
    def images(self) -> Path:
        """Where a relative `source` of a classifier file starts."""
        return self.state / "images"

    @property
    def held_out(self) -> Path:
        """Images that no model is trained or selected on, by classifier and class."""
        return self.state / "held_out"

    @property
    def classifiers(self) -> Path:
        """Classifier files that `make demo DATA=...` writes."""
        return self.state / "classifiers"

    @property
    def airflow_home(self) -> Path:
        return self.state / "airflow"

    @property
    def aws_state(self) -> Path:
        return self.state / "aws"

    @property
    def logs(self) -> Path:
        return self.state / "logs"

    @property
    def airflow_url(self) -> str:
        return f"http://127.0.0.1:{self.airflow_port}"

    def check_ports(self, *, patience_s: float = FREE_PORT_LIMIT_S) -> None:
        """Refuse to start beside another program that holds one of the ports.

        Waits ``patience_s`` for a port: what ran here before and was killed needs a moment to end.

        Raises:
            LaptopError: names the port, what it is for and the variable that moves it.

        """
        ports = {
            "LOCAL_AWS_PORT": (self.aws_port, "the local AWS"),
            "LOCAL_SAGEMAKER_PORT": (self.sagemaker_port, "the local SageMaker"),
            "AIRFLOW_PORT": (self.airflow_port, "Airflow"),
        }
        deadline = time.monotonic() + patience_s
        for variable, (port, purpose) in ports.items():
            while is_busy := in_use(port):
                if time.monotonic() > deadline:
                    break
                time.sleep(0.1)
            if is_busy:
                message = (
                    f"Port {port}, for {purpose}, is in use by another program: stop it, or choose another port: "
                    f"{variable}={port + 1000} make ..."
                )
                raise LaptopError(message)


def _port(environ: Mapping[str, str], variable: str, *, default: int) -> int:
    given = environ.get(variable, str(default))
    if not given.isdecimal() or not 0 < int(given) <= HIGHEST_PORT:
        raise LaptopError(f"{variable} must be a port, a number from 1 to {HIGHEST_PORT}; found {given!r}.")
    return int(given)


def in_use(port: int) -> bool:
    """Whether someone listens on this port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
