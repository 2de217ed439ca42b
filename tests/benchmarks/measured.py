"""How the benchmarks measure: two sides in turn, so that whatever else the machine does falls on both."""

import os
import statistics
import time
from collections.abc import Callable


def load() -> str:
    """The machine's load, without which no figure says anything."""
    return f"load {os.getloadavg()[0]:.1f} on {len(os.sched_getaffinity(0))} cores"


def in_turn(ours: Callable[[], int], theirs: Callable[[], int], *, rounds: int) -> tuple[float, float, float]:
    """Median images/s of both, and the median of the rounds' ratios; each call does its share and tells how much."""
    ours(), theirs()
    speeds = [(_speed(ours), _speed(theirs)) for _ in range(rounds)]
    ratios = [mine / other for mine, other in speeds]
    return statistics.median(s[0] for s in speeds), statistics.median(s[1] for s in speeds), statistics.median(ratios)


def _speed(work: Callable[[], int]) -> float:
    started = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - started)
