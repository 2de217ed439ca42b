"""Counts the CPU cores that this process may use."""

import os


def usable_cores() -> int:
    """Return the cores of the process's CPU affinity where the system reports it, otherwise all of the machine's."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
