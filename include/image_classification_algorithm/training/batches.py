"""Makes normalised batches: the next one is cut while the network uses the last one, and is augmented on its device."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from image_classification_algorithm.networks.onnx_graph import Normalisation
from image_classification_algorithm.training.augmentation import augmented
from image_classification_algorithm.training.distributed import ALONE, Hosts
from image_classification_algorithm.training.images import Crop, Images, stacked
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters

SEED = 0
# Without gradients a CPU is a quarter faster with about 250 images of 28 pixels at a time than with 32.
VALIDATION_BATCH_PX = 200_000
Batch = tuple[Tensor, Tensor]


def shuffled_batches(count: int, *, batch_size: int, epoch: int, hosts: Hosts = ALONE) -> list[list[int]]:
    """Return the image positions of this host's part of each batch, shuffled by the number of the epoch.

    `batch_size` is the number of images per host. All hosts compute the same order, so each image goes to one host.
    Images that do not fill a batch are left out of the epoch, as in the built-in algorithm, which has
    floor(samples / mini_batch_size) batches; the next epoch leaves out others.
    """
    order = np.random.default_rng([SEED, epoch]).permutation(count).tolist()
    size = batch_size * hosts.count
    return [hosts.share(order[start : start + size]) for start in range(0, count - size + 1, size)]


@dataclass(frozen=True)
class ImageBatches:
    """Yields both splits as normalised batches on the network's device."""

    train: Images
    validation: Images
    hyperparameters: JobHyperparameters
    normalisation: Normalisation
    device: torch.device
    hosts: Hosts = ALONE

    def training(self, epoch: int) -> Iterator[Batch]:
        """Yield one epoch's batches, the same ones in every run."""
        generator = torch.Generator().manual_seed(SEED + epoch)
        size = self.hyperparameters.mini_batch_size
        positions = shuffled_batches(len(self.train), batch_size=size, epoch=epoch, hosts=self.hosts)
        random = np.random.default_rng([SEED, epoch, 1]) if self.hyperparameters.augmentation_type else None
        for pixels, labels in self._cut(self.train, positions, random=random):
            kind = self.hyperparameters.augmentation_type
            yield self._normalised(augmented(pixels, kind, generator=generator)), labels

    def validating(self) -> Iterator[Batch]:
        """Yield the centre of every validation image once; the last batch may be smaller."""
        given = self.hyperparameters
        size = max(given.mini_batch_size, VALIDATION_BATCH_PX // (given.height * given.width))
        everything = list(range(len(self.validation)))
        positions = [everything[start : start + size] for start in everything[::size]]
        for pixels, labels in self._cut(self.validation, positions, random=None):
            yield self._normalised(pixels), labels

    def _cut(
        self, images: Images, batches: Sequence[list[int]], *, random: np.random.Generator | None
    ) -> Iterator[Batch]:
        crop = Crop(self.hyperparameters.height, self.hyperparameters.width, random)
        cut = _one_ahead(partial(stacked, images, positions, crop=crop) for positions in batches)
        for positions, batch in zip(batches, cut, strict=True):
            # A view in the channels_last order of the network's weights: nothing is copied.
            pixels = batch.to(self.device).permute(0, 3, 1, 2).float()
            yield pixels, images.labels[positions].to(self.device)

    def _normalised(self, pixels: Tensor) -> Tensor:
        mean = torch.tensor(self.normalisation.mean, device=pixels.device).view(1, -1, 1, 1)
        deviation = torch.tensor(self.normalisation.deviation, device=pixels.device).view(1, -1, 1, 1)
        return ((pixels - mean) / deviation).contiguous(memory_format=torch.channels_last)


def _one_ahead(makers: Iterable[Callable[[], Tensor]]) -> Iterator[Tensor]:
    """Make each value in a thread while the one before is in use; a single thread keeps the order of random numbers."""
    with ThreadPoolExecutor(1) as thread:
        waiting: Future[Tensor] | None = None
        for make in makers:
            ready, waiting = waiting, thread.submit(make)
            if ready is not None:
                yield ready.result()
        if waiting is not None:
            yield waiting.result()
