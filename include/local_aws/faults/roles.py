"""Delays the time from which a role can be assumed, as AWS does with a new role."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from local_aws.faults.plan import RoleNotReady

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from local_aws.faults.counting import Faults


class UnreadyRoles:
    """The roles that are refused, and until when. Each process has its own."""

    def __init__(self, faults: Faults, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Read the roles from the fault plan."""
        self._faults = faults
        self._clock = clock
        self._ready_at: dict[str, float] = {}
        self._plan = faults.plans_read
        self._lock = threading.Lock()

    def refuse(self, role_arn: str, *, request: Mapping[str, object]) -> bool:
        """Return whether the role cannot be assumed now."""
        with self._lock:
            if self._plan != self._faults.plans_read:
                self._plan, self._ready_at = self._faults.plans_read, {}
            ready_at = self._ready_at.get(role_arn)
            if ready_at is None:
                fault = self._faults.take(RoleNotReady, request)
                if fault is None:
                    return False
                ready_at = self._ready_at[role_arn] = self._clock() + fault.seconds
            return self._clock() < ready_at
