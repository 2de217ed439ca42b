"""CPU seconds of one pass of the watch Dag over 100 classifiers, through real Airflow and the local AWS.

Run it with ``PYTHONPATH=include:plugins:. .venv/airflow/bin/python -m tests.benchmarks.watch_pass``; it takes other
numbers of classifiers and passes than 100 and 2 as arguments. Every classifier has images, records and log entries of
records. Printed are the CPU seconds of

- the task processes: what the watch Dag costs, wherever its tasks run,
- LocalExecutor's processes, each of which supervises a task, as Celery's and Kubernetes' workers do,
- the scheduler and the API server themselves, also for a while in which no Dag runs.
"""

import contextlib
import hashlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
from tests.benchmarks.measured import load
from tests.chaos.airflow_runs import FINISHED, Airflow, until
from tests.chaos.classifiers import write_classifier
from tests.ports import free_port

from image_classifier.aws.names import Keys
from laptop.place import Place
from laptop.services import Services

CLASSIFIERS, PASSES, IMAGES, NEW = 100, 2, 20, 2
IDLE_S = 20
WATCH = "image_classifier_watch"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> tuple[float, float]:
    """CPU seconds of a process itself, and of all that it started, those that have ended included."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0, 0.0
    own, ended = (sum(map(int, fields[first : first + 2])) / TICKS_PER_S for first in (11, 13))
    return own, ended + sum(sum(cpu_s(child)) for child in children(pid))


def children(pid: int) -> list[int]:
    """The processes that a process has started and that run."""
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def used(services: Services) -> Counter[str]:
    """CPU seconds so far, by kind of process."""
    scheduler, server = (services.supervisor.children[f"airflow-{name}"].pid for name in ("scheduler", "api-server"))
    workers = [cpu_s(worker) for worker in children(scheduler)]
    return Counter(
        {
            "tasks": sum(tasks for _, tasks in workers),
            "supervisors": sum(own for own, _ in workers),
            "scheduler": cpu_s(scheduler)[0],
            "api_server": sum(cpu_s(server)),
        }
    )


def write_images(place: Place, names: list[str]) -> None:
    """Images with a record each, of which the newest are not in the index yet."""
    state = place.aws_state
    ready, keys = (json.loads((state / name).read_text()) for name in ("ready.json", "keys.json"))
    s3 = boto3.client(
        "s3",
        endpoint_url=ready["endpoint_url"],
        region_name=ready["region"],
        aws_access_key_id=keys["root"]["access_key"],
        aws_secret_access_key=keys["root"]["secret"],
    )
    for name in names:
        own = Keys(name)
        for number in range(IMAGES):
            bodies = {f"{own.incoming}{number}.jpg": b"image", f"{own.predictions}{number}.jpg.json": b"{}"}
            if number < NEW:
                image = {"key": f"{own.incoming}{number}.jpg", "etag": hashlib.md5(b"image").hexdigest()}
                record = json.dumps({"image": image}).encode()
                bodies[f"{own.predictions_log}2026-01-01/00/0000.{number:03}-a.json"] = record
            for key, body in bodies.items():
                s3.put_object(Bucket=ready["settings"]["IMAGE_CLASSIFIER_BUCKET"], Key=key, Body=body)


def measured(services: Services, during: Callable[[], str]) -> dict[str, Any]:
    """What `during` returns, its seconds, and the CPU seconds of the processes meanwhile."""
    before, began = used(services), time.monotonic()
    found = during()
    wall_s = time.monotonic() - began
    after = used(services)
    return {"state": found, "wall_s": round(wall_s), **{kind: round(after[kind] - before[kind], 1) for kind in after}}


def idle() -> str:
    """Nothing, for a while."""
    time.sleep(IDLE_S)
    return "idle"


def await_no_run(airflow: Airflow) -> None:
    """Wait for the end of the run that the Dag's schedule has started."""
    what = "the end of every other run"
    until(lambda: all(run.state in FINISHED for run in airflow.runs(WATCH)), seconds=1800, what=what)


def main(count: int, passes: int) -> None:
    """Print the figures of passes, of which the first moves the log entries into the index."""
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), aws_port=free_port(), sagemaker_port=free_port(), airflow_port=free_port())
        names = [f"c{number:03}" for number in range(count)]
        for name in names:
            write_classifier(place, name)
        services = Services(place)
        try:
            services.start()
            write_images(place, names)
            airflow = Airflow(place)
            airflow.await_dag(WATCH)
            await_no_run(airflow)
            figures = [measured(services, idle)]
            for number in range(passes):
                await_no_run(airflow)
                run = airflow.ordered_run(WATCH, f"pass-{number}", conf={})
                figures.append(measured(services, lambda run=run: run.await_end(seconds=1800)))
        finally:
            services.stop()
    print(json.dumps({"machine": load(), "classifiers": count, "cpu_s": figures}, indent=1))


if __name__ == "__main__":
    main(*[int(given) for given in sys.argv[1:]], *(CLASSIFIERS, PASSES)[len(sys.argv) - 1 :])
