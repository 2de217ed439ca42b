"""Waits for conditions that processes and services fulfil after a while."""

import time
from collections.abc import Callable
from typing import Any

import pytest

POLL_S = 0.02


def until(condition: Callable[[], Any], *, seconds: float = 30, what: str = "the condition") -> Any:
    """Return the value of `condition` as soon as it is true; fail the test after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            pytest.fail(f"{what} was not true within {seconds} s")
        time.sleep(POLL_S)
    return value
