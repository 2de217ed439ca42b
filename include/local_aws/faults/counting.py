"""Which fault acts now: reads the plan when its file changes, and counts down what has acted."""

from __future__ import annotations

import logging
import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from local_aws.faults.plan import Fault, FaultPlanError, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

log = logging.getLogger(__name__)

F = TypeVar("F", bound=Fault)
_Seen = tuple[int, int, int]


@dataclass
class _Entry:
    """A fault, how often it may still act (None: without an end), and the sequence that chooses its share."""

    fault: Fault
    left: int | None
    sequence: random.Random = field(repr=False)

    def acts(self) -> bool:
        """Whether the fault acts on the next matching request; counted if it does."""
        percent = self.fault.percent
        if self.left == 0 or (percent is not None and self.sequence.random() * 100 >= percent):
            return False
        self.left = None if self.left is None else self.left - 1
        return True


class Faults:
    """The fault plan of one process. May be used from any thread; without a file nothing ever goes wrong."""

    def __init__(self, file: Path | None = None) -> None:
        """Look at nothing yet."""
        self._file = file
        self._seen: _Seen | None = None
        self._entries: list[_Entry] = []
        self._problem = ""
        self._plans_read = 0
        self._lock = threading.Lock()

    @property
    def problem(self) -> str:
        """Why the plan cannot be used, in one sentence; empty if it can."""
        with self._lock:
            self._read_if_changed()
            return self._problem

    @property
    def plans_read(self) -> int:
        """Another number for another plan: what was counted for the one before is over."""
        with self._lock:
            self._read_if_changed()
            return self._plans_read

    def take(
        self, kind: type[F], request: Mapping[str, Any], *, fits: Callable[[F], bool] = lambda _: True
    ) -> F | None:
        """The first fault of a kind that meets the request and fits, counted as having acted; None if there is none."""
        with self._lock:
            self._read_if_changed()
            for entry in self._entries:
                fault = entry.fault
                if isinstance(fault, kind) and fits(fault) and fault.meets(request) and entry.acts():
                    log.warning("The fault plan acts: %s", fault.model_dump_json(exclude_defaults=True))
                    return fault
        return None

    def in_force(self, kind: type[F], request: Mapping[str, Any]) -> list[F]:
        """Every fault of a kind that meets the request and is not counted, in the order of the plan."""
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
        # A plan that was written anew is a new plan: it counts from the start.
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
