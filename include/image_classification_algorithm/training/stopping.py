"""When training ends before its last epoch: asked to by SageMaker, or because it no longer gains anything."""

import contextlib
import signal
from collections.abc import Iterator
from dataclasses import dataclass

from image_classifier.contracts.training.hyperparameters import JobHyperparameters


class StopRequestedError(Exception):
    """SageMaker stops the job; 120 seconds remain to leave a model."""


class StopRequest:
    """Remembers SIGTERM until the training looks."""

    def __init__(self) -> None:
        """Nothing is asked yet."""
        self.requested = False
        self._at_once = False

    def listen(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: self._hear())

    @contextlib.contextmanager
    def at_once(self) -> Iterator[None]:
        """End what the main thread does in here as soon as a stop is asked for: it may wait for something."""
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
        """End what is going on if a stop was asked for."""
        if self.requested:
            raise StopRequestedError


@dataclass
class EarlyStopping:
    """The documented rule: no relative gain above the tolerance for `patience` epochs, after `min_epochs`."""

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
        """Tell after each epoch; the first always counts as a gain."""
        improved = self.best == 0 or (accuracy - self.best) / self.best > self.tolerance
        self.waited = 0 if improved else self.waited + 1
        self.best = max(self.best, accuracy)
        return self.enabled and epochs_done >= self.min_epochs and self.waited >= self.patience
