"""Defines the state folder, the ports and the Python interpreters of the local services."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from local_aws.processes.ports import becomes_free, is_free
from local_aws.processes.state_folder import write_atomically

ROOT = Path(__file__).resolve().parents[2]
AIRFLOW_PYTHON = ROOT / ".venv/airflow/bin/python"
FREE_PORT_LIMIT_S = 5
HIGHEST_PORT = 65_535
LOCAL_AWS_PYTHON = ROOT / ".venv/local-aws/bin/python"


class LaptopError(Exception):
    """The user must change something; the message says what."""


@dataclass(frozen=True)
class Place:
    """The state folder and the ports of one set of services; two sets are independent of each other."""

    state: Path
    aws_port: int = 4566
    sagemaker_port: int = 4567
    airflow_port: int = 8080

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read LAPTOP_STATE, LOCAL_AWS_PORT, LOCAL_SAGEMAKER_PORT and AIRFLOW_PORT; each has a default.

        A port that is not given is the one of the last start, until `forget_ports`; so services that were killed
        start again where they were.
        """
        state = Path(environ.get("LAPTOP_STATE", ROOT / ".laptop")).resolve()
        given = {**_remembered_ports(state), **environ}
        return cls(
            state=state,
            aws_port=_port(given, "LOCAL_AWS_PORT", default=cls.aws_port),
            sagemaker_port=_port(given, "LOCAL_SAGEMAKER_PORT", default=cls.sagemaker_port),
            airflow_port=_port(given, "AIRFLOW_PORT", default=cls.airflow_port),
        )

    def as_env(self) -> dict[str, str]:
        """Return the variables from which `from_env` makes an equal object."""
        return {"LAPTOP_STATE": str(self.state), **self._ports_as_env()}

    def _ports_as_env(self) -> dict[str, str]:
        return {
            "LOCAL_AWS_PORT": str(self.aws_port),
            "LOCAL_SAGEMAKER_PORT": str(self.sagemaker_port),
            "AIRFLOW_PORT": str(self.airflow_port),
        }

    def remember_ports(self) -> None:
        """Write the ports to the state folder, for commands in a shell without the variables."""
        write_atomically(_ports_file(self.state), json.dumps(self._ports_as_env()))

    def forget_ports(self) -> None:
        """Undo `remember_ports`; does nothing if no ports were remembered."""
        _ports_file(self.state).unlink(missing_ok=True)

    def last_start(self) -> Self:
        """Return the same folder with the remembered ports, whatever the variables say; or with these ports."""
        return self.from_env({**self.as_env(), **_remembered_ports(self.state)})

    @property
    def reports(self) -> Path | None:
        """Return the folder for the copies of reports, which a browser can open."""
        return self.state / "reports"

    @property
    def images(self) -> Path:
        """Return the folder to which a classifier file's relative `source` refers."""
        return self.state / "images"

    @property
    def held_out(self) -> Path:
        """Return the folder of held-out images, by classifier and class; no model is trained or selected on them."""
        return self.state / "held_out"

    @property
    def classifiers(self) -> Path:
        """Return the folder of the classifier files that `make demo DATA=...` writes."""
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
        """Check that no other program uses one of the ports.

        Waits up to ``patience_s`` seconds for a port, because a killed service needs a moment to end.

        Raises:
            LaptopError: ports are in use; the message names each with its purpose, and a command with other ports.

        """
        ports = {
            "LOCAL_AWS_PORT": (self.aws_port, Place.aws_port, "the local AWS"),
            "LOCAL_SAGEMAKER_PORT": (self.sagemaker_port, Place.sagemaker_port, "the local SageMaker"),
            "AIRFLOW_PORT": (self.airflow_port, Place.airflow_port, "Airflow"),
        }
        used, command = list[str](), list[str]()
        for variable, (port, default, purpose) in ports.items():
            if not becomes_free(port, address="127.0.0.1", within_s=0 if used else patience_s):
                used.append(f"port {port}, for {purpose}, is in use by another program")
                command.append(f"{variable}={_another(port)}")
            elif port != default:  # a refused start does not remember it
                command.append(f"{variable}={port}")
        if used:
            named = "; ".join(used)
            raise LaptopError(
                f"{named[0].upper()}{named[1:]}. Stop it, or choose another port: {' '.join(command)} make ..."
            )


def _another(port: int) -> int:
    """Return a free port some thousands away."""
    offered: list[int] = [*range(port + 1000, HIGHEST_PORT + 1, 1000), *range(port - 1000, 1023, -1000)]
    return next((other for other in offered if is_free(other, address="127.0.0.1")), offered[0])


def _ports_file(state: Path) -> Path:
    return state / "ports.json"


def _remembered_ports(state: Path) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(_ports_file(state).read_text())
    except (FileNotFoundError, ValueError):  # a power cut may leave an empty file
        return {}
    return found


def _port(environ: Mapping[str, str], variable: str, *, default: int) -> int:
    given = environ.get(variable, str(default))
    if not given.isdecimal() or not 0 < int(given) <= HIGHEST_PORT:
        raise LaptopError(f"{variable} must be a port, a number from 1 to {HIGHEST_PORT}; found {given!r}.")
    return int(given)
