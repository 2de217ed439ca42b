"""Prints one table: the data path against im2rec, s5cmd, AWS CLI, boto3 and the commit before it was rebuilt.

`make bench-data` runs it; `make bench-data small=2000 photographs=500 rounds=1 rows=packing` is short. It needs
Debian's dataset-fashion-mnist and nginx, and the network the first time, for the peers.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tabulate import tabulate
from tests.benchmarks.data_path import peers
from tests.benchmarks.data_path.rows import Bench, Row
from tests.benchmarks.measured import load

HEADERS = ("", "s", "CPU s", "peak MB", "against", "s", "CPU s", "peak MB", "to reach", "measured")
COUNTS = (10_000, 100_000, 1_000_000)


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", type=int, default=50_000, help="small images, 60,000 at most")
    parser.add_argument("--photographs", type=int, default=10_000)
    parser.add_argument("--generated", type=int, default=COUNTS[-1], help="the most images without a file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rows", default="packing uploads preparation scale")
    parser.add_argument("--peers", type=Path, default=peers.ROOT / "build/benchmark-peers")
    given = parser.parse_args()
    peers.install(given.peers)
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        work = Path(folder)
        _write("fashion", work / "small", given.small)
        _write("photographs", work / "photographs", given.photographs)
        names = {
            f"{given.small:,} small images": work / "small",
            f"{given.photographs:,} photographs": work / "photographs",
        }
        bench = Bench(names, work, given.peers, given.rounds)
        groups: dict[str, Callable[[], Iterator[Row]]] = {
            "packing": bench.packing,
            "uploads": bench.uploads,
            "preparation": bench.preparation,
            "scale": lambda: bench.scale(tuple(count for count in COUNTS if count <= given.generated)),
        }
        rows = [row for name in given.rows.split() for row in groups[name]()]
    print(
        f"Medians of {given.rounds}; uploads and preparations of ours without the imports of a task process; {load()}."
    )
    print(tabulate([_cells(row) for row in rows], headers=HEADERS, floatfmt=".1f"))


def _write(name: str, folder: Path, count: int) -> None:
    command = [sys.executable, "-m", "tests.benchmarks.data_path.sets", name, str(folder), str(count)]
    subprocess.run(command, check=True)


def _cells(row: Row) -> list[str | float]:
    ours, theirs = row.ours, row.theirs
    peer = [theirs.wall_s, theirs.cpu_s, theirs.peak_mb] if theirs else ["", "", ""]
    return [row.what, ours.wall_s, ours.cpu_s, ours.peak_mb, row.against, *peer, row.goal, row.verdict]


if __name__ == "__main__":
    main()
