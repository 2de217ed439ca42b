"""Computes the features of each image once for transfer learning; the epochs then run over the features."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from image_classification_algorithm.inference import Session, polite_session
from image_classification_algorithm.job_log import log
from image_classification_algorithm.networks.onnx_names import INPUT, OUTPUT
from image_classification_algorithm.training.batches import SEED, Batch, shuffled_batches
from image_classification_algorithm.training.distributed import ALONE, Hosts
from image_classification_algorithm.training.images import Crop, Images, stacked
from image_classification_algorithm.training.stopping import StopRequest
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters

IMAGES_PER_CALL = 32
SECONDS_PER_LINE = 5.0


@dataclass(frozen=True)
class FeatureBatches:
    """Yields both splits as features; `train` is (views, images, features), where a view is an image or its flip."""

    train: Tensor
    train_labels: Tensor
    validation: Tensor
    validation_labels: Tensor
    batch_size: int
    device: torch.device
    hosts: Hosts = ALONE

    def training(self, epoch: int) -> Iterator[Batch]:
        """Yield one epoch's batches, each image in one of its views; the same ones in every run."""
        generator = torch.Generator().manual_seed(SEED + epoch)
        views, count = self.train.shape[:2]
        for positions in shuffled_batches(count, batch_size=self.batch_size, epoch=epoch, hosts=self.hosts):
            view = torch.randint(views, (len(positions),), generator=generator)
            yield self.train[view, positions].to(self.device), self.train_labels[positions].to(self.device)

    def validating(self) -> Iterator[Batch]:
        """Yield every validation image once."""
        for start in range(0, len(self.validation), self.batch_size):
            part = slice(start, start + self.batch_size)
            yield self.validation[part].to(self.device), self.validation_labels[part].to(self.device)


def feature_batches(
    graph: bytes,
    train: Images,
    validation: Images,
    *,
    hyperparameters: JobHyperparameters,
    device: torch.device,
    stop: StopRequest,
    hosts: Hosts,
) -> FeatureBatches:
    """Compute the features of both splits with `graph`; with augmentation also those of flipped training images."""
    session = polite_session(graph)
    views = [False, True] if hyperparameters.augmentation_type else [False]
    if hyperparameters.augmentation_type:
        log.info("augmentation_type %s: the features hold left-right flips only.", hyperparameters.augmentation_type)
    extract = _Extraction(session, Crop(hyperparameters.height, hyperparameters.width), stop)
    return FeatureBatches(
        train=torch.stack([extract.features(train, flipped=flipped) for flipped in views]),
        train_labels=train.labels,
        validation=extract.features(validation, flipped=False),
        validation_labels=validation.labels,
        batch_size=hyperparameters.mini_batch_size,
        device=device,
        hosts=hosts,
    )


@dataclass
class _Extraction:
    session: Session
    crop: Crop
    stop: StopRequest

    def features(self, images: Images, *, flipped: bool) -> Tensor:
        """Return the features as (images, features), and log the progress."""
        parts: list[Tensor] = []
        started = last_line = time.monotonic()
        for start in range(0, len(images), IMAGES_PER_CALL):
            self.stop.check()
            positions = list(range(start, min(start + IMAGES_PER_CALL, len(images))))
            pixels = stacked(images, positions, crop=self.crop).numpy()
            pixels = pixels[:, :, ::-1].copy() if flipped else pixels
            parts.append(torch.from_numpy(self.session.run([OUTPUT], {INPUT: pixels})[0]))
            if time.monotonic() - last_line >= SECONDS_PER_LINE:
                last_line = time.monotonic()
                log.info("Features of %d of %d images", positions[-1] + 1, len(images))
        speed = len(images) / max(time.monotonic() - started, 1e-9)
        log.info("Features of all %d images\tSpeed: %.3f samples/sec", len(images), speed)
        return torch.cat(parts)
