"""First page of a classifier with a million records, beside Airflow's own page of Dags: seconds and memory.

Run it with ``.venv/airflow/bin/python -m tests.benchmarks.pages [records]``. The records are written as the watch Dag
writes them, into the index of a local AWS; Airflow's API server is the real one. Each page is asked for in turn.
"""

import contextlib
import json
import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
from tests.benchmarks.measured import load
from tests.pages import airflow_server
from tests.pages.conftest import running_local_aws
from tests.pages.written import Written
from tests.ports import free_port

from image_classifier.contracts.labels import labels_document

RECORDS = 1_000_000
IN_A_PART = 5_000
PARTS_A_DAY = 20
ROUNDS = 30
OURS = ("/image-classifier/pets/gallery",)
AIRFLOWS = ("/", "/ui/config", "/ui/dags?limit=50")  # what a browser asks for before Airflow's page of Dags shows any


def write_index(written: Written, *, records: int) -> None:
    """Parts of `IN_A_PART` records each, `PARTS_A_DAY` a day, back from a fixed day."""
    for part in range(records // IN_A_PART):
        day = (date(2026, 11, 27) - timedelta(days=part // PARTS_A_DAY)).isoformat()
        hour = 23 - part % PARTS_A_DAY
        written.index(day, (record(day, hour, part, number) for number in range(IN_A_PART)), part=part_name(hour))


def part_name(hour: int) -> str:
    return f"{hour:02d}0000000-{IN_A_PART}-0123456789abcdef"


def record(day: str, hour: int, part: int, number: int) -> dict[str, Any]:
    """A record with what pages read of it."""
    at = f"{day}T{hour:02d}:{number // 100:02d}:{number % 60:02d}.000+00:00"
    key = f"pets/incoming/camera/{part:04d}-{number:04d}.jpg"
    image = {"bucket": "b", "key": key, "version_id": "v" * 32, "etag": "e" * 32, "bytes": 1, "sequencer": "0"}
    top = [{"label": label, "probability": share} for label, share in (("cat", 0.8), ("dog", 0.15), ("fox", 0.05))]
    return {
        "schema": 1,
        "status": "predicted",
        "image": image,
        "times": {"uploaded": at, "predicted": at, "endpoint_ms": 20.0, "total_ms": 700.0},
        "label": "cat",
        "confidence": 0.8,
        "top": top,
        "probabilities": top,
        "reason": None,
        "model": {"training_job": "job-1", "endpoint": "e", "endpoint_config": None, "labels_sha256": "x" * 64},
        "thumbnail": f"pets/thumbnails/{key}.jpg",
        "generation": 0,
    }


def memory_mb(pid: int) -> float:
    """Resident memory of a process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    [line] = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024 + sum(memory_mb(int(child)) for child in children)


def seconds(client: httpx.Client, paths: tuple[str, ...]) -> float:
    began = time.perf_counter()
    for path in paths:
        client.get(path).raise_for_status()
    return time.perf_counter() - began


def main(records: int) -> None:
    with contextlib.ExitStack() as stack:
        state, home = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2))
        aws = stack.enter_context(running_local_aws(state))
        airflow = stack.enter_context(airflow_server.running(home, aws.ready, port=free_port()))
        url, pid = airflow.url, airflow.pid
        began = time.perf_counter()
        written = Written(aws.client("s3"), aws.bucket, "pets", labels=("cat", "dog", "fox"))
        written.put(written.keys.model_file("job-1"), labels_document(written.labels))
        write_index(written, records=records)
        print(f"{records:,} records written in {time.perf_counter() - began:.0f} s", flush=True)
        credentials = {"username": "anna", "password": airflow.passwords["anna"]}
        token = httpx.post(f"{url}/auth/token", json=credentials, timeout=60).json()["access_token"]
        with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=120) as client:
            for _ in range(5):
                seconds(client, AIRFLOWS)
            before, first = memory_mb(pid), seconds(client, OURS)
            taken: dict[tuple[str, ...], list[float]] = {OURS: [], AIRFLOWS: [], AIRFLOWS[-1:]: []}
            for _ in range(ROUNDS):
                for paths, times in taken.items():
                    times.append(seconds(client, paths))
            after = memory_mb(pid)
        medians = {paths: statistics.median(times) for paths, times in taken.items()}
        result = {
            "machine": load(),
            "records": records,
            "gallery_first_request_s": round(first, 3),
            "gallery_median_s": round(medians[OURS], 3),
            "airflow_page_median_s": round(medians[AIRFLOWS], 3),
            "airflow_list_of_dags_alone_median_s": round(medians[AIRFLOWS[-1:]], 3),
            "ratio": round(medians[OURS] / medians[AIRFLOWS], 2),
            "more_memory_mb": round(after - before, 1),
        }
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else RECORDS)
