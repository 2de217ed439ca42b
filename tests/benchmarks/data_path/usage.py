"""Measures a command: wall seconds, CPU seconds, and the largest memory of one of its processes."""

import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

OWN_SECONDS = "--own-seconds"


@dataclass(frozen=True)
class Usage:
    wall_s: float
    cpu_s: float
    peak_mb: float


def usage_of(command: Sequence[str], *, env: Mapping[str, str]) -> Usage:
    """Run a command to its end; a program that prints its own seconds as its last line is believed (see `ours.main`).

    Raises:
        SystemExit: it failed; shows what it wrote.

    """
    with tempfile.TemporaryFile() as output:
        started = perf_counter()
        process = subprocess.Popen(command, env=dict(env), stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        wall_s = perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise SystemExit(f"{' '.join(command)} failed: {output.read()[-2000:].decode(errors='replace')}")
        cpu_s = used.ru_utime + used.ru_stime
        if OWN_SECONDS in command:
            output.seek(0)
            wall_s, cpu_s = map(float, output.read().split()[-2:])
    return Usage(wall_s, cpu_s, used.ru_maxrss / 1024)


def median(rounds: Sequence[Usage]) -> Usage:
    """The median of each figure."""
    figures = ("wall_s", "cpu_s", "peak_mb")
    return Usage(*(statistics.median(getattr(one, figure) for one in rounds) for figure in figures))


def in_turn(sides: Mapping[str, Callable[[], Usage]], *, rounds: int) -> dict[str, Usage]:
    """Medians of all sides, which take turns, so that whatever else the machine does falls on each."""
    measured = [{name: side() for name, side in sides.items()} for _ in range(rounds)]
    return {name: median([one[name] for one in measured]) for name in sides}
