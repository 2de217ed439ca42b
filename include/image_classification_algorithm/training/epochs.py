"""Runs the epochs of a training job and logs their progress."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.job_log import log
from image_classification_algorithm.training import optimization
from image_classification_algorithm.training.distributed import ALONE, Hosts
from image_classification_algorithm.training.metrics import Accuracy, format_values
from image_classification_algorithm.training.model_store import ModelStore, Score
from image_classification_algorithm.training.stopping import EarlyStopping, StopRequest, StopRequestedError
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters

BATCHES_PER_LINE = 20
SECONDS_PER_LINE = 5.0


class Batches(Protocol):
    """The batches of both splits: of images, or of features of images."""

    def training(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]: ...

    def validating(self) -> Iterator[tuple[Tensor, Tensor]]: ...


@dataclass
class Trainer:
    """Trains one network; `run` trains every epoch."""

    net: nn.Module
    optimizer: Optimizer
    loss: nn.Module
    batches: Batches
    hyperparameters: JobHyperparameters
    device: torch.device
    store: ModelStore
    stop: StopRequest
    hosts: Hosts = ALONE
    after_epoch: Callable[[int], None] = lambda _: None
    ended_early: bool = False
    clock: Callable[[], float] = time.monotonic
    early_stopping: EarlyStopping = field(init=False)

    def __post_init__(self) -> None:
        """Choose the precision: mixed precision needs a GPU, a CPU computes in float32."""
        self.early_stopping = EarlyStopping.of(self.hyperparameters)
        self.mixed = self.hyperparameters.precision_dtype == "float16" and self.device.type == "cuda"
        self.parallel = self.hosts.parallel(self.net)
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.mixed)

    def run(self, first_epoch: int = 0) -> None:
        """Train every epoch and leave the best model in the store, also when the job is stopped.

        Raises:
            ClientError: the training diverged before any epoch made a model.

        """
        for epoch in range(first_epoch, self.hyperparameters.epochs):
            if self.ended_early:
                log.info("Early stopping after epoch %d: validation accuracy no longer improves.", epoch - 1)
                return
            try:
                score = self.run_epoch(epoch)
            except StopRequestedError:
                self.store.rescue(epoch=epoch)
                return
            if score is None:
                return
            self.store.offer(epoch=epoch, score=score)
            self.ended_early = self.early_stopping.should_stop(epochs_done=epoch + 1, accuracy=score.accuracy)
            self.after_epoch(epoch)

    def run_epoch(self, epoch: int) -> Score | None:
        """Train and validate one epoch; return the score, or None if the training diverged."""
        started = self.clock()
        if not self._may_go_on(self._train(epoch)):
            return None
        log.info("Epoch[%d] Time cost=%.3f", epoch, self.clock() - started)
        score = self.hosts.from_first(lambda: self._validated(epoch))
        return score if self._may_go_on(score.loss) else None

    def _validated(self, epoch: int) -> Score:
        values, loss = self.validate(epoch)
        for name, value in values.items():
            log.info("Epoch[%d] Validation-%s=%f", epoch, name, value)
        return Score(values["accuracy"], loss)

    def _train(self, epoch: int) -> float:
        """Train one epoch; return the sum of the losses of its batches."""
        optimization.set_learning_rate(self.optimizer, optimization.learning_rate(epoch, self.hyperparameters))
        torch.manual_seed(epoch)  # for dropout: a resumed job draws the same numbers
        self.net.train()
        progress = _Progress(epoch, Accuracy(top_k=self._top_k()), self.clock)
        total_loss = torch.zeros((), device=self.device)
        for number, (inputs, labels) in enumerate(self.batches.training(epoch)):
            self.hosts.check(self.stop)
            outputs, loss = self._step(inputs, labels)
            total_loss += loss
            progress.update(number, outputs, labels)
        for name, value in progress.accuracy.values().items():
            log.info("Epoch[%d] Train-%s=%f", epoch, name, value)
        return total_loss.item()

    def _step(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(self.device.type, torch.float16, enabled=self.mixed):
            outputs = self.parallel(inputs)
            loss = self.loss(outputs, labels)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return outputs.detach(), loss.detach()

    def validate(self, epoch: int) -> tuple[dict[str, float], float]:
        """Return the accuracies by metric name, and the mean loss per image."""
        self.net.eval()
        accuracy, last_line = Accuracy(top_k=self._top_k()), self.clock()
        images, total_loss = 0, torch.zeros((), dtype=torch.float64, device=self.device)
        with torch.inference_mode():
            for number, (inputs, labels) in enumerate(self.batches.validating()):
                self.stop.check()
                outputs = self.net(inputs)
                accuracy.update(outputs, labels)
                total_loss += self.loss(outputs, labels) * len(labels)
                images += len(labels)
                if self.clock() - last_line >= SECONDS_PER_LINE:
                    log.info("Epoch[%d] Validating, batch [%d]", epoch, number)
                    last_line = self.clock()
        return accuracy.values(), total_loss.item() / max(images, 1)

    def _may_go_on(self, loss: float) -> bool:
        """Return False, with a warning, if the loss is not a number; it then stays so."""
        if not self.hosts.any(not math.isfinite(loss)):
            return True
        settings = optimization.settings(self.hyperparameters)
        if self.store.best is None:
            raise ClientError(f"The training diverged: the loss is not a number. Lower learning_rate: {settings}.")
        log.warning("The training diverged and ends; the best model so far is kept. It had %s.", settings)
        return False

    def _top_k(self) -> int | None:
        return None if self.hyperparameters.multi_label else self.hyperparameters.top_k


class _Progress:
    """Prints a line every 20 batches, and in a slow epoch every few seconds."""

    def __init__(self, epoch: int, accuracy: Accuracy, clock: Callable[[], float]) -> None:
        self.epoch, self.accuracy, self.clock = epoch, accuracy, clock
        self.since, self.samples = clock(), 0

    def update(self, number: int, outputs: Tensor, labels: Tensor) -> None:
        self.accuracy.update(outputs, labels)
        self.samples += len(labels)
        seconds = self.clock() - self.since
        if (number and number % BATCHES_PER_LINE == 0) or seconds >= SECONDS_PER_LINE:
            speed = self.samples / max(seconds, 1e-9)
            values = format_values(self.accuracy.values())
            log.info("Epoch[%d] Batch [%d]\tSpeed: %.3f samples/sec\t%s", self.epoch, number, speed, values)
            self.since, self.samples = self.clock(), 0
