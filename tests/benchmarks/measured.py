"""Measures two sides in turn, so that the machine's other load affects both."""

import gc
import os
import statistics
import time
from collections.abc import Callable, Mapping


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


def in_forks(sides: Mapping[str, Callable[[], None]], *, forks: int) -> dict[str, tuple[float, float]]:
    """Median wall and CPU seconds of each side, each time in a process forked for it; the sides take turns.

    One more fork of each side goes first and is not counted: it reads the files that the next ones find in memory. What
    is in memory now is kept from the garbage collector, as Airflow does before it forks.
    """
    gc.collect()
    gc.freeze()
    times = [{name: _forked(work) for name, work in sides.items()} for _ in range(forks + 1)][1:]
    return {
        name: (
            statistics.median(one[name][0] for one in times),
            statistics.median(one[name][1] for one in times),
        )
        for name in sides
    }


def _forked(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds of `work` in a forked process."""
    started = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit("A forked process failed.")
    return time.perf_counter() - started, usage.ru_utime + usage.ru_stime
