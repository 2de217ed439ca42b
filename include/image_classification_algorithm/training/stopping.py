"""Ends training before its last epoch: when SageMaker asks for it, or when the accuracy no longer improves."""

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass

from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters


class StopRequestedError(Exception):
    """SageMaker stops the job; it leaves 120 seconds to write a model."""


class StopRequest:
    """Records SIGTERM until the training checks for it."""

    def __init__(self) -> None:
        """Start without a request."""
        self.requested = False
        self._at_once = False

    def listen(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: self._hear())

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """Raise at once, in the main thread, when a stop is requested; for code that may block."""
        self._at_once = True
        try:
            self.check()
            yield
        finally:
            self._at_once = False

    def _hear(self) -> None:
        self.requested = True
        if self._at_once:
            raise StopRequestedError

    def check(self) -> None:
        """Raise StopRequestedError if a stop was requested."""
        if self.requested:
            raise StopRequestedError


@dataclass
class EarlyStopping:
    """The documented rule: no gain above the relative tolerance for `patience` epochs, after `min_epochs`."""

    enabled: bool
    min_epochs: int
    patience: int
    tolerance: float
    best: float = 0.0
    waited: int = 0

    @classmethod
    def of(cls, hyperparameters: JobHyperparameters) -> "EarlyStopping":
        return cls(
            enabled=hyperparameters.early_stopping,
            min_epochs=hyperparameters.early_stopping_min_epochs,
            patience=hyperparameters.early_stopping_patience,
            tolerance=hyperparameters.early_stopping_tolerance,
        )

    def should_stop(self, *, epochs_done: int, accuracy: float) -> bool:
        """Return whether to stop; must be called once after each epoch. The first epoch counts as an improvement."""
        improved = self.best == 0 or (accuracy - self.best) / self.best > self.tolerance
        self.waited = 0 if improved else self.waited + 1
        self.best = max(self.best, accuracy)
        return self.enabled and epochs_done >= self.min_epochs and self.waited >= self.patience
