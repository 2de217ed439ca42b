"""Finds out what this process may use of its machine: cores and memory, also in a container that limits them.

The limits are in the files of the process's control group and of the groups above it. In version 1 each controller has
a folder of its own; in a container the topmost folder is the container's group.
Sources: https://docs.kernel.org/admin-guide/cgroup-v2.html, https://docs.kernel.org/scheduler/sched-bwc.html
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")  # a line for each hierarchy: its number, its controllers and the group's path


def usable_cores() -> int:
    """Return how many cores there are for this process, at least one."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [_numbers(group / "cpu.max") or _quota_of_version_1(group) for group in _groups("cpu")]
    return max(1, min([usable, *(-(-quota[0] // quota[1]) for quota in quotas if len(quota) == 2 and quota[0] > 0)]))


def usable_memory_bytes() -> int:
    """Return how much memory there is for this process and all others of its container."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    files = [group / name for group in _groups("memory") for name in ("memory.max", "memory.limit_in_bytes")]
    return min([physical, *(limit for file in files for limit in _numbers(file))])


def _groups(controller: str) -> Iterator[Path]:
    """Yield the folders of the process's groups, in both versions, and of the groups above them."""
    lines = _text(OWN_GROUPS).splitlines() or ["0::/"]
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if not controllers or controller in controllers.split(","):
            top = GROUPS / controller if controllers else GROUPS
            own = top / path.lstrip("/")
            yield from (group for group in (own, *own.parents) if group.is_relative_to(top))


def _quota_of_version_1(group: Path) -> list[int]:
    return [number for name in ("cpu.cfs_quota_us", "cpu.cfs_period_us") for number in _numbers(group / name)]


def _numbers(file: Path) -> list[int]:
    """Return the numbers in a file; none if it is absent or says "max"."""
    with suppress(ValueError):
        return [int(word) for word in _text(file).split()]
    return []


def _text(file: Path) -> str:
    with suppress(OSError):
        return file.read_text()
    return ""
