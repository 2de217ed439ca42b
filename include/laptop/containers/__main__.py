"""Starts Airflow's containers: adds the address of the local AWS to the environment, then executes the command."""

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from laptop.airflow_settings import deployment_variables
from laptop.containers.place import ContainerPlace
from laptop.observability import observability
from laptop.place import LaptopError

READY_LIMIT_S = 180
POLL_S = 0.2


def main() -> None:
    """Replace this process by the command of the command line."""
    command = sys.argv[1:]
    ready = ContainerPlace().aws_state / "ready.json"
    try:
        environ = {**observability(os.environ), **with_deployment(os.environ, ready=ready, component=command[-1])}
    except LaptopError as error:
        sys.exit(str(error))
    os.execvpe(command[0], command, environ)  # noqa: S606 - no shell is wanted


def with_deployment(
    environ: Mapping[str, str], *, ready: Path, component: str = "", patience_s: float = READY_LIMIT_S
) -> dict[str, str]:
    """Return the environment with the connection and the settings of a deployment; `component` is Airflow's.

    Variables that are set already are kept. If no bucket is set, they are read from the local AWS's ready.json, for
    which this waits up to ``patience_s`` seconds, because the local AWS may be restarting.
    """
    if environ.get("IMAGE_CLASSIFIER_BUCKET"):
        return dict(environ)
    deadline = time.monotonic() + patience_s
    while not ready.exists():
        if time.monotonic() > deadline:
            sys.exit(
                f"IMAGE_CLASSIFIER_BUCKET is not set, and no local AWS was ready within {patience_s:.0f} s. In .env "
                "give either the settings of an AWS account or COMPOSE_PROFILES=local-aws; .env.example shows both."
            )
        time.sleep(POLL_S)
    return {**environ, **deployment_variables(json.loads(ready.read_text()), component=component)}


if __name__ == "__main__":
    main()
