"""Chooses the fault that acts on a request: reads the plan when its file changes, and counts the uses of each fault."""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from local_aws.faults.plan import Fault, FaultPlanError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Fault)
_Seen = tuple[int, int, int]


@dataclass
class _Entry:
    """A fault, how often it may still act (None: without limit), and the random sequence that chooses its share."""

    fault: Fault
    left: int | None
    sequence: random.Random = field(repr=False)

    def acts(self) -> bool:
        """Return whether the fault acts on the next matching request, and count it if it does."""
        percent = self.fault.percent
        if self.left == 0 or (percent is not None and self.sequence.random() * 100 >= percent):
            return False
        self.left = None if self.left is None else self.left - 1
        return True


class Faults:
    """The fault plan of one process; without a file no fault is injected. It may be used from any thread."""

    def __init__(self, file: Path | None = None) -> None:
        """Store the path of the plan; it is read at the first use."""
        self._file = file
        self._seen: _Seen | None = None
        self._entries: list[_Entry] = []
        self._problem = ""
        self._plans_read = 0
        self._lock = threading.Lock()

    @property
    def problem(self) -> str:
        """The reason why the plan cannot be used, in one sentence; empty if it can be used."""
        with self._lock:
            self._read_if_changed()
            return self._problem

    @property
    def plans_read(self) -> int:
        """The number of plans read so far; a new plan resets the counts of the one before."""
        with self._lock:
            self._read_if_changed()
            return self._plans_read

    def take(
        self, kind: type[F], request: Mapping[str, object], *, fits: Callable[[F], bool] = lambda _: True
    ) -> F | None:
        """Return the first fault of this kind that matches the request, and count it; None if none matches."""
        with self._lock:
            self._read_if_changed()
            for entry in self._entries:
                fault = entry.fault
                if isinstance(fault, kind) and fits(fault) and fault.meets(request) and entry.acts():
                    log.warning("The fault plan acts: %s", fault.model_dump_json(exclude_defaults=True))
                    return fault
        return None

    def in_force(self, kind: type[F], request: Mapping[str, object]) -> list[F]:
        """Return every fault of this kind that matches the request, without counting it, in the order of the plan."""
        with self._lock:
            self._read_if_changed()
            return [
                entry.fault for entry in self._entries if isinstance(entry.fault, kind) and entry.fault.meets(request)
            ]

    def _read_if_changed(self) -> None:
        seen = self._look()
        if seen == self._seen:
            return
        self._seen, self._entries, self._problem = seen, [], ""
        self._plans_read += 1
        if self._file is None or seen is None:
            return
        try:
            faults = parse(self._file.read_text(encoding="utf-8"))
        except (FaultPlanError, OSError, UnicodeDecodeError) as error:
            self._problem = f"The fault plan {self._file} cannot be used: {error}. Correct it, or remove it."
            log.error("%s", self._problem)
            return
        # A plan that was written again is a new plan, whose counts start at 0.
        self._entries = [_Entry(fault, fault.times, random.Random(fault.seed)) for fault in faults]  # noqa: S311
        log.warning("The fault plan %s holds %d faults", self._file, len(faults))

    def _look(self) -> _Seen | None:
        if self._file is None:
            return None
        try:
            stat = self._file.stat()
        except FileNotFoundError:
            return None
        return (stat.st_ino, stat.st_mtime_ns, stat.st_size)
