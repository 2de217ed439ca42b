"""A local AWS of its own for the clients, and the environment that leads them to it and to nothing else."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
IMAGES = {"count-files": HERE / "count_files.py", "succeed": HERE / "succeed.py"}
START_S = 120
STOP_S = 60


class NotReadyError(Exception):
    """The local AWS did not start."""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[dict[str, Any]]:
    """Start a local AWS in `folder`; yields its ready.json and ends it.

    Raises:
        NotReadyError: it ended, or did not get ready; its log is named.

    """
    log = folder / "local_aws.log"
    options = ["--port", str(free_port()), "--sagemaker-port", str(free_port())]
    options += [f"--image={name}={sys.executable} {program}" for name, program in IMAGES.items()]
    command = [sys.executable, "-m", "local_aws", "--state", str(folder / "state"), *options]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environment(folder, LOCAL_AWS_IAM="off"), stdout=output, stderr=output)
    try:
        yield _ready(folder / "state" / "ready.json", process=process, log=log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_S)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of this process without any AWS of the person's; the home folder is one of this run's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_"))}
    home = folder / "home"
    home.mkdir(exist_ok=True)
    return {**kept, "PYTHONPATH": str(ROOT / "include"), "HOME": str(home), **more}


def _ready(file: Path, *, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + START_S
    while not file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise NotReadyError(f"The local AWS is not ready: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.1)
    found: dict[str, Any] = json.loads(file.read_text())
    return found
