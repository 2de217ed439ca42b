"""Keeps the best model of a job on disk from the first epoch on, and the checkpoints that were asked for."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from image_classification_algorithm import artifact
from image_classification_algorithm.artifact import Description
from image_classification_algorithm.job_log import log


@dataclass(frozen=True)
class Score:
    """The validation result of a model: the fraction of correct answers, and the mean loss."""

    accuracy: float
    loss: float

    def is_better_than(self, other: "Score") -> bool:
        """Compare by accuracy, then by loss: with few validation images many epochs are equally accurate."""
        return (self.accuracy, -self.loss) > (other.accuracy, -other.loss)


@dataclass
class ModelStore:
    """The job's model folder.

    Attributes:
        description: what all models of this job have in common; epoch, file and accuracy are set per model.
        graph: returns the present network as an ONNX graph.
        best: the best model so far; `best_score` is its score, or None if the job was stopped before validation.

    """

    folder: Path
    description: Description
    graph: Callable[[], bytes]
    checkpoint_frequency: int | None = None
    best: Description | None = None
    best_score: Score | None = None

    def offer(self, *, epoch: int, score: Score) -> None:
        """Keep the model of this epoch (from 0) if it is the best so far, or if a checkpoint is due."""
        better = self.best_score is None or score.is_better_than(self.best_score)
        if not better and not self._is_due(epoch + 1):
            return
        graph = self.graph()
        if better:
            log.info("Storing the best model with validation accuracy: %f", score.accuracy)
            self._store_best(epoch=epoch, score=score, graph=graph)
        else:
            artifact.write_params(self.folder, artifact.params_file(epoch + 1), graph=graph)
        log.info('Saved checkpoint to "%s"', self.folder / artifact.params_file(epoch + 1))

    def rescue(self, *, epoch: int) -> None:
        """Ensure that a stopped job leaves a model: the best so far, or that of an unfinished first epoch."""
        if self.best is None:
            self._store_best(epoch=epoch, score=None, graph=self.graph())
        kept = self.best.params if self.best else ""
        log.info('The job was stopped; the model artifact holds "%s".', self.folder / kept)

    def asked_for(self) -> list[Path]:
        """Return the files that were kept because of checkpoint_frequency."""
        return [path for path in sorted(self.folder.glob("*.params")) if self._is_due(artifact.epoch_of(path.name))]

    def restore(self, asked_for: list[Path]) -> None:
        """Restore the files of an interrupted job on a new machine."""
        for path in asked_for:
            artifact.write_params(self.folder, path.name, graph=path.read_bytes())

    def restore_best(self, description: Description, *, score: Score, graph: bytes) -> None:
        """Restore the best model of an interrupted job on a new machine."""
        self.best, self.best_score = description, score
        artifact.write(self.folder, description, graph=graph)

    def _store_best(self, *, epoch: int, score: Score | None, graph: bytes) -> None:
        previous = self.best
        self.best_score = score
        self.best = replace(
            self.description,
            params=artifact.params_file(epoch + 1),
            epoch=epoch + 1,
            validation_accuracy=score.accuracy if score else None,
        )
        artifact.write(self.folder, self.best, graph=graph)
        if previous is not None and not self._is_due(previous.epoch):
            (self.folder / previous.params).unlink(missing_ok=True)

    def _is_due(self, epochs_done: int) -> bool:
        return self.checkpoint_frequency is not None and epochs_done % self.checkpoint_frequency == 0
