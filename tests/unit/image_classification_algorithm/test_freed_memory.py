"""Checks that freed memory is reused, by the number of page faults in a separate process."""

import platform
import subprocess
import sys
from pathlib import Path

from image_classification_algorithm.training import freed_memory

INCLUDE = Path(__file__).parents[3] / "include"
STEPS = """
import resource, sys
import numpy as np
from image_classification_algorithm.training.freed_memory import keep_freed_memory

print(sys.argv[1] == "kept" and keep_freed_memory())
def step():
    arrays = [np.full(2_000_000, 1, np.float32) for _ in range(8)]
    del arrays
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def steps(how: str) -> tuple[bool, int]:
    """Return whether memory was kept, and the number of page faults of five steps."""
    command = [sys.executable, "-c", STEPS, how]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONPATH": str(INCLUDE)})
    kept, faults = done.stdout.split()
    return kept == "True", int(faults)


def test_memory_that_is_kept_is_not_faulted_in_again():
    kept, faults = steps("kept")

    assert kept == (platform.libc_ver()[0] == "glibc")
    assert not kept or faults < steps("as it is")[1] / 10


def test_a_c_library_without_mallopt_is_left_as_it_is(monkeypatch):
    monkeypatch.setattr(freed_memory.ctypes, "CDLL", lambda _: object())

    assert freed_memory.keep_freed_memory() is False
