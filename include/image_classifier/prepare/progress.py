"""Reports the progress of the inspection every few seconds: number of images, rate and rejected images."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from image_classifier.prepare.inspection.inspector import Inspected, Rejected

EVERY_S = 5.0


@dataclass
class Progress:
    """Counts inspected images, and reports the numbers every `EVERY_S` seconds and at the end.

    Attributes:
        say: receives a line of text.
        total: number of images.
        clock: returns seconds of a monotonic clock.

    """

    say: Callable[[str], None]
    total: int
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    rejected: int = 0
    _began: float = field(init=False)
    _said: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the clock."""
        self._began = self._said = self.clock()

    def count(self, found: Inspected | Rejected) -> None:
        """Count one image."""
        self.add(1, rejected=isinstance(found, Rejected))

    def add(self, images: int, *, rejected: int) -> None:
        """Count several images, some of which were rejected."""
        self.done += images
        self.rejected += rejected
        now = self.clock()
        if self.done == self.total or now - self._said >= EVERY_S:
            self._said = now
            self.say(self._line(now - self._began))

    def _line(self, elapsed_s: float) -> str:
        line = f"{self.done:,} of {self.total:,} images inspected, {self.rejected:,} rejected"
        if not elapsed_s:
            return line
        rate = self.done / elapsed_s
        left = f", about {duration((self.total - self.done) / rate)} left" if rate and self.done < self.total else ""
        return f"{line}; {rate:,.0f} a second{left}"


def duration(seconds: float) -> str:
    """Format a duration: 41 s, 3 min, 2 h 05 min."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02} min"
