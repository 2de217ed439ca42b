"""Saves and restores a training job's state, so that an interrupted job (managed spot training) can continue.

/opt/ml/checkpoints holds one file without pickle, and the models that checkpoint_frequency asks for, which belong to
the model artifact. SageMaker copies the folder to S3 and to the next machine; without CheckpointConfig it is absent.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from image_classification_algorithm.artifact import Description, replace_file
from image_classification_algorithm.job_log import log
from image_classification_algorithm.training.model_store import Score

if TYPE_CHECKING:
    from image_classification_algorithm.training.epochs import Trainer

FILE = "image-classification-checkpoint.npz"
FORMAT = "image_classification_algorithm checkpoint 3"
DAMAGED = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)  # errors of reading a damaged file


class Checkpoints:
    """Saves a trainer's state after each epoch, and restores it into another trainer of the same job."""

    def __init__(self, folder: Path, trainer: "Trainer", *, job: Mapping[str, str]) -> None:
        """Read nothing yet. `job` identifies the job: its hyperparameters, images and parent model."""
        self.path, self.trainer, self.job = folder / FILE, trainer, dict(job)
        self.copied: set[str] = set()  # of this job; another job's files may have the same names

    def save(self, epoch: int) -> None:
        """Write all state that the next epoch depends on."""
        if not self.path.parent.is_dir():
            return
        trainer = self.trainer
        for path in trainer.store.asked_for():
            if path.name not in self.copied:
                replace_file(self.path.parent / path.name, path.read_bytes())
                self.copied.add(path.name)
        arrays = {f"net.{name}": value.cpu().numpy() for name, value in trainer.net.state_dict().items()}
        for index, state in trainer.optimizer.state_dict()["state"].items():
            arrays |= {f"optimizer.{index}.{name}": _array(value) for name, value in state.items() if value is not None}
        best = trainer.store.best
        if best is not None:
            arrays["best"] = np.frombuffer((trainer.store.folder / best.params).read_bytes(), np.uint8)
        arrays["about"] = np.frombuffer(json.dumps(self._about(epoch)).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        replace_file(self.path, buffer.getvalue())

    def resume(self) -> int:
        """Restore the saved state; return the next epoch, 0 if there is no file of this job that can be read."""
        if not self.path.is_file():
            return 0
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                arrays = dict(archive)
            about = json.loads(arrays["about"].tobytes())
        except DAMAGED:
            log.warning("%s is damaged; training starts from the beginning.", self.path)
            return 0
        if (about["format"], about.get("job")) != (FORMAT, self.job):
            log.warning(
                "%s is of a job with other hyperparameters, images or parent model, or of another version of this "
                "program; training starts from the beginning.",
                self.path,
            )
            return 0
        self._restore(arrays, about)
        log.info("Resuming from %s after epoch %d", self.path, about["epoch"])
        return int(about["epoch"]) + 1

    def _about(self, epoch: int) -> dict[str, Any]:
        stopping, store = self.trainer.early_stopping, self.trainer.store
        return {
            "format": FORMAT,
            "job": self.job,
            "epoch": epoch,
            "waited": stopping.waited,
            "best_accuracy": stopping.best,
            "ended_early": self.trainer.ended_early,
            "scaler": self.trainer.scaler.state_dict(),  # empty unless the precision is mixed
            "best": vars(store.best) if store.best else None,
            "best_score": vars(store.best_score) if store.best_score else None,
            "asked_for": [path.name for path in store.asked_for()],
        }

    def _restore(self, arrays: dict[str, np.ndarray], about: dict[str, Any]) -> None:
        trainer = self.trainer
        net = {name.removeprefix("net."): torch.tensor(value) for name, value in arrays.items() if "net." in name[:4]}
        trainer.net.load_state_dict(net)
        content = trainer.optimizer.state_dict()
        content["state"] = _optimizer_state(arrays)
        trainer.optimizer.load_state_dict(content)
        trainer.early_stopping.waited, trainer.early_stopping.best = about["waited"], about["best_accuracy"]
        trainer.ended_early = about["ended_early"]
        if about.get("scaler"):
            trainer.scaler.load_state_dict(about["scaler"])
        kept = self._kept(about["asked_for"])
        trainer.store.restore(kept)
        self.copied.update(path.name for path in kept)
        if about["best"]:
            description, score = Description(**about["best"]), Score(**about["best_score"])
            trainer.store.restore_best(description, score=score, graph=arrays["best"].tobytes())

    def _kept(self, names: list[str]) -> list[Path]:
        """Return the models of checkpoint_frequency that are there: SageMaker copies each file by itself to S3."""
        kept = [path for path in (self.path.parent / name for name in names) if path.is_file()]
        if missing := len(names) - len(kept):
            log.warning("The checkpoints and the model artifact lack %d models of checkpoint_frequency.", missing)
        return kept


def _optimizer_state(arrays: dict[str, np.ndarray]) -> dict[int, dict[str, Tensor]]:
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in arrays.items():
        kind, _, rest = name.partition(".")
        if kind == "optimizer":
            index, _, key = rest.partition(".")
            state.setdefault(int(index), {})[key] = torch.tensor(value)
    return state


def _array(value: Any) -> np.ndarray:
    return value.cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
