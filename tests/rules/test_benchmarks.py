"""Checks that the benchmarks of `make bench` can be imported, because no other test runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "tests/benchmarks"


def test_every_benchmark_of_make_bench_can_be_imported():
    path = os.pathsep.join(str(ROOT / name) for name in ("include", "plugins", "lambda", ""))
    names = re.findall(r"tests/benchmarks/(\w+)\.py", (ROOT / "Makefile").read_text())

    done = subprocess.run(
        [sys.executable, "-c", "\n".join(f"import {name}" for name in names)],
        env={
            **os.environ,
            "PYTHONPATH": path,
        },
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        check=False,
    )

    assert len(names) >= 4
    assert done.returncode == 0, done.stderr
