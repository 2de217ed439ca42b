"""Keeps the memory that a training step frees for the next step."""

import ctypes
from collections.abc import Callable

# See mallopt(3) of glibc. These values keep the heap from shrinking and large blocks out of mmap.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
TRIM_BYTES, PAD_BYTES, MMAP_BYTES = 2**31 - 1, 64 * 2**20, 2**30


def keep_freed_memory() -> bool:
    """Let the C library keep the memory that PyTorch frees; return False where it has no such setting (macOS, musl).

    Each step allocates the same activations again. By default glibc returns their memory to the system, which zeroes
    each page on its next use: about 10,000 page faults in a step of ResNet-20 (64 images of 28 pixels), a tenth of its
    time on two cores.
    """
    mallopt: Callable[[int, int], int] | None = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    wanted = ((M_MMAP_THRESHOLD, MMAP_BYTES), (M_TRIM_THRESHOLD, TRIM_BYTES), (M_TOP_PAD, PAD_BYTES))
    return sum(mallopt(parameter, value) for parameter, value in wanted) == len(wanted)
