"""CPU seconds of one pass of the watch Dag over 100 classifiers, through real Airflow and the local AWS.

Run it with ``PYTHONPATH=include:plugins .venv/airflow/bin/python -m tests.benchmarks.watch_pass [classifiers]``. Every
classifier has images, records and log entries of records. Counted is the CPU time of the scheduler and of the task
processes that it starts, which is what a pass costs where tasks run; Airflow's API server is given beside it.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import boto3
from tests.benchmarks.measured import load
from tests.chaos.airflow_runs import Airflow
from tests.chaos.classifiers import write_classifier
from tests.ports import free_port

from image_classifier.aws.names import Keys
from laptop.place import Place
from laptop.services import Services

CLASSIFIERS, IMAGES, NEW = 100, 20, 2
WATCH = "image_classifier_watch"
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, of those it started, and of those of them that have ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = sum(int(ticks) for ticks in fields[11:15]) / TICKS_PER_S
    return own + sum(cpu_s(int(child)) for child in children)


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
                record = json.dumps({"image": {"key": f"{own.incoming}{number}.jpg"}}).encode()
                bodies[f"{own.predictions_log}2026-01-01/00/0000.{number:03}-a.json"] = record
            for key, body in bodies.items():
                s3.put_object(Bucket=ready["settings"]["IMAGE_CLASSIFIER_BUCKET"], Key=key, Body=body)


def measured_pass(airflow: Airflow, services: Services, *, run_id: str) -> dict[str, Any]:
    """Run the watch Dag once."""
    pids = {name: services.supervisor.children[f"airflow-{name}"].pid for name in ("scheduler", "api-server")}
    before, began = {name: cpu_s(pid) for name, pid in pids.items()}, time.monotonic()
    run = airflow.ordered_run(WATCH, run_id, conf={})
    state = run.await_end(seconds=1200)
    wall_s = time.monotonic() - began
    used = {name: cpu_s(pid) - before[name] for name, pid in pids.items()}
    return {"state": state, "wall_s": round(wall_s), **{f"{name}_cpu_s": round(s, 1) for name, s in used.items()}}


def main(count: int) -> None:
    """Print the figures of two passes: the first moves the log entries into the index."""
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
            passes = [measured_pass(airflow, services, run_id=f"pass-{number}") for number in range(2)]
        finally:
            services.stop()
    print(json.dumps({"machine": load(), "classifiers": count, "passes": passes}, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else CLASSIFIERS)
