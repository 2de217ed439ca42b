"""The cost of enforced IAM: CPU time of the demonstration with it and without it, in turn; at most 10 % more.

Each round is the whole of `make demo` in a folder of its own: Airflow, training, evaluation, deployment, 20 uploads.

PYTHONPATH=include:plugins:. .venv/airflow/bin/python tests/benchmarks/iam_enforcement.py [ROUNDS]
"""

import contextlib
import io
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from measured import load
from tests.ports import free_port

from laptop import demo, images, supervisor
from laptop.place import Place

ROUNDS = 2
MOST = 0.10
SIDES = ("off", "enforce")  # LOCAL_AWS_IAM
SERVERS = {"local_aws.ministack ": "MiniStack", "local_aws.sagemaker ": "SageMaker"}
EVERYTHING = "everything"
TICKS = os.sysconf("SC_CLK_TCK")


def measure(side: str) -> dict[str, float]:
    """CPU seconds of one demonstration: of everything that it starts, and of the two servers themselves."""
    os.environ["LOCAL_AWS_IAM"] = side
    with tempfile.TemporaryDirectory(prefix="benchmark-iam-") as folder:
        ports = {name: free_port() for name in ("aws_port", "sagemaker_port", "airflow_port")}
        place = Place(state=Path(folder), **ports)
        demonstration = images.digits(place)
        with contextlib.redirect_stdout(io.StringIO()):
            supervisor.start(place)
            try:
                began = time.monotonic()
                before = cpu_seconds(supervisor.is_running(place) or 0)
                demo.train_and_classify(place, demonstration)
                after = cpu_seconds(supervisor.is_running(place) or 0)
            finally:
                supervisor.stop(place)
    return {"wall": time.monotonic() - began, **{part: after[part] - before.get(part, 0.0) for part in after}}


def cpu_seconds(root: int) -> dict[str, float]:
    """CPU time so far of all processes below `root`, with their ended children, and of the two servers alone."""
    processes: dict[int, tuple[int, float, float, str]] = {}
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            own, ended = sum(map(int, fields[11:13])) / TICKS, sum(map(int, fields[13:15])) / TICKS
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            processes[int(folder.name)] = (int(fields[1]), own, ended, command)
    found = {EVERYTHING: 0.0}
    for pid, (_, own, ended, command) in processes.items():
        if not _is_below(pid, root, processes):
            continue
        found[EVERYTHING] += own + ended
        for word, server in SERVERS.items():
            if word in command:
                found[server] = found.get(server, 0.0) + own
    return found


def _is_below(pid: int, root: int, processes: dict[int, tuple[int, float, float, str]]) -> bool:
    while pid in processes and pid != root:
        pid = processes[pid][0]
    return pid == root


def main(rounds: int) -> None:
    """Print the medians of each side and their ratios."""
    measured: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
    for _ in range(rounds):
        for side in SIDES:
            measured[side].append(measure(side))
            print(f"{side:8}", ", ".join(f"{part} {s:.1f} s" for part, s in measured[side][-1].items()), flush=True)
    print(f"Medians of {rounds} demonstrations each, in turn; {load()}.")
    for part in measured["off"][0]:
        off, on = (statistics.median(one[part] for one in measured[side]) for side in SIDES)
        print(f"{part:12} off {off:7.1f} s, enforced {on:7.1f} s: {100 * (on / off - 1):+.1f} %")
    off, on = (statistics.median(one[EVERYTHING] for one in measured[side]) for side in SIDES)
    print(f"CPU of a run with enforced IAM: {100 * (on / off - 1):+.1f} % (at most {100 * MOST:.0f} %)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS)
