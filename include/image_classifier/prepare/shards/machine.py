"""Finds out what this process may use of its machine: cores and memory, also in a container that limits them.

A container's limits are in the files of its control group: version 2 at its root, version 1 in a folder of each
controller (https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/scheduler/sched-bwc.html).
"""

import os
from contextlib import suppress
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMORY_OF_A_PROCESS = 512 * 1024**2  # 100 MB, and room for large images


def processes(cgroup: Path = CGROUP) -> int:
    """How many processes may prepare images at once, at least one."""
    return max(1, min(cores(cgroup), memory_bytes(cgroup) // MEMORY_OF_A_PROCESS))


def cores(cgroup: Path = CGROUP) -> int:
    """How many cores there are for this process."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, period = (_numbers(cgroup / "cpu.max") or _version_1(cgroup) or [0, 1])[:2]
    return max(1, min(usable, -(-quota // period))) if quota > 0 else usable


def memory_bytes(cgroup: Path = CGROUP) -> int:
    """How much memory there is for this process and all others of its container."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = _numbers(cgroup / "memory.max") or _numbers(cgroup / "memory" / "memory.limit_in_bytes")
    return min([physical, *limits])


def _version_1(cgroup: Path) -> list[int]:
    files = (cgroup / "cpu" / name for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us"))
    return [number for file in files for number in _numbers(file)]


def _numbers(file: Path) -> list[int]:
    """The numbers in a file; none if it is absent or says "max"."""
    with suppress(OSError, ValueError):
        return [int(word) for word in file.read_text().split()]
    return []
