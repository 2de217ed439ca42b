"""Reads the examples of a training job's channels into pixels and labels in memory."""

import hashlib
import math
import time
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from image_classification_algorithm import decoding
from image_classification_algorithm.decoding import Pixels, UnreadableImageError
from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.formats.channels import Channel, Format, read_channel
from image_classification_algorithm.formats.examples import Example, examples
from image_classification_algorithm.formats.labels import target
from image_classification_algorithm.job_log import log
from image_classification_algorithm.training.stopping import StopRequest
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters
from image_classifier.contracts.training.machine import usable_cores, usable_memory_bytes

CACHE_SHARE_OF_MEMORY = 0.25
IMAGES_A_PART = 256
SECONDS_PER_LINE = 5.0


@dataclass(frozen=True)
class Images:
    """The images of one split; those that exceed the cache's size are decoded again in every epoch.

    Attributes:
        labels: class indices (count), or one 0 or 1 per class (count, classes) for multi-label.
        digest: a digest of all pixels and labels, in their order.

    """

    examples: Sequence[Example]
    labels: Tensor
    cached: Sequence[Pixels | None]
    hyperparameters: JobHyperparameters
    digest: str

    def __len__(self) -> int:
        """Return the number of usable images."""
        return len(self.examples)

    @property
    def cached_bytes(self) -> int:
        """Return the size of the images that are in memory."""
        return sum(pixels.nbytes for pixels in self.cached if pixels is not None)

    def pixels(self, position: int) -> Pixels:
        """Return the image at `position`, uint8 (height, width, channels), its shorter side `resize` pixels long."""
        kept = self.cached[position]
        return kept if kept is not None else load(self.examples[position], self.hyperparameters)


def read_splits(
    folders: Folders, *, hyperparameters: JobHyperparameters, stop: StopRequest, hosts_here: int
) -> tuple[Images, Images]:
    """Read the train and the validation split, which share the cache; the hosts on this machine share its memory.

    Raises:
        ClientError: as `read_split`.

    """
    room_bytes = cache_bytes() // hosts_here
    train = read_split(folders, "train", hyperparameters=hyperparameters, stop=stop, room_bytes=room_bytes)
    left_bytes = room_bytes - train.cached_bytes
    return train, read_split(folders, "validation", hyperparameters=hyperparameters, stop=stop, room_bytes=left_bytes)


def read_split(
    folders: Folders, split: str, *, hyperparameters: JobHyperparameters, stop: StopRequest, room_bytes: int
) -> Images:
    """Read the channels of a split; an image that cannot be read is logged by name and left out.

    Args:
        folders: of the job.
        split: train or validation.
        hyperparameters: of the job.
        stop: is checked meanwhile.
        room_bytes: of the cache.

    Raises:
        ClientError: a channel is missing or wrong, or no image is left.

    """
    channel = read_channel(folders, split)
    if hyperparameters.multi_label:
        log.info("label-format is %s", channel.label_format)
    found, labels = _labelled(channel, hyperparameters=hyperparameters, stop=stop)
    usable, cached, checksums = _decode_all(found, hyperparameters, stop=stop, room_bytes=room_bytes)
    if not usable:
        raise ClientError(f"Unable to start training. No image of the {split} channel can be read; the log names each.")
    if channel.format is Format.IMAGE_FILES:
        log.info("Done creating record files...")
    labels = labels[usable]
    digest = hashlib.sha256(np.array(checksums, np.uint32).tobytes() + labels.numpy().tobytes()).hexdigest()
    return Images([found[i] for i in usable], labels, cached, hyperparameters, digest)


def load(example: Example, hyperparameters: JobHyperparameters) -> Pixels:
    """Decode one image and resize its shorter side to `resize` pixels; without `resize` its size is kept.

    Raises:
        ClientError: the image has fewer pixels than `image_shape` asks for.
        UnreadableImageError: the image cannot be decoded.

    """
    side_px = hyperparameters.resize
    pixels = decoding.decode(
        example.read(), channels=hyperparameters.channels, min_height=side_px or 0, min_width=side_px or 0
    )
    if side_px is not None:
        pixels = decoding.shortest_side_resized(pixels, side_px=side_px)
    elif pixels.shape[0] < hyperparameters.height or pixels.shape[1] < hyperparameters.width:
        raise ClientError(
            f"{example.name} has {pixels.shape[1]} x {pixels.shape[0]} pixels, fewer than image_shape "
            f"{hyperparameters.image_shape}; set resize."
        )
    return pixels


def _labelled(
    channel: Channel, *, hyperparameters: JobHyperparameters, stop: StopRequest
) -> tuple[list[Example], Tensor]:
    """Return the examples and their labels: class indices (count), or for multi-label 0 or 1 as (count, classes)."""
    found: list[Example] = []
    targets: list[tuple[float, ...]] = []
    last_line = time.monotonic()
    with stop.at_once():  # reading a pipe may block for long
        for example in examples(channel):
            found.append(example)
            targets.append(
                target(
                    example,
                    num_classes=hyperparameters.num_classes,
                    multi_label=hyperparameters.multi_label,
                    label_format=channel.label_format,
                )
            )
            if time.monotonic() - last_line >= SECONDS_PER_LINE:
                log.info("Found %d images in the %s channel", len(found), channel.name)
                last_line = time.monotonic()
    values = torch.tensor(targets)
    return found, values.float() if hyperparameters.multi_label else values[:, 0].long()


def _decode_all(
    found: Sequence[Example], hyperparameters: JobHyperparameters, *, stop: StopRequest, room_bytes: int
) -> tuple[list[int], list[Pixels | None], list[int]]:
    """Return the positions of the readable images, their pixels (None if not cached), and the pixels' checksums."""
    usable: list[int] = []
    cached: list[Pixels | None] = []
    checksums: list[int] = []
    last_line = time.monotonic()
    with ThreadPoolExecutor(usable_cores()) as threads:
        # In parts, so that pixels that exceed the cache's size do not fill the memory.
        for start in range(0, len(found), IMAGES_A_PART):
            stop.check()
            if time.monotonic() - last_line >= SECONDS_PER_LINE:
                log.info("Read %d of %d images", start, len(found))
                last_line = time.monotonic()
            part = found[start : start + IMAGES_A_PART]
            decoded = threads.map(lambda example: _try_load(example, hyperparameters), part)
            for position, (pixels, checksum) in enumerate(decoded, start):
                if pixels is not None:
                    room_bytes -= pixels.nbytes
                    usable.append(position)
                    cached.append(pixels if room_bytes >= 0 else None)
                    checksums.append(checksum)
    return usable, cached, checksums


def _try_load(example: Example, hyperparameters: JobHyperparameters) -> tuple[Pixels | None, int]:
    try:
        pixels = load(example, hyperparameters)
    except (OSError, UnreadableImageError) as error:
        log.warning("imread read blank (None) image for file: %s (%s)", example.name, error)
        return None, 0
    return pixels, zlib.crc32(np.ascontiguousarray(pixels).data)


def cache_bytes() -> int:
    """Return how much memory decoded images may take, of both splits together."""
    return math.floor(usable_memory_bytes() * CACHE_SHARE_OF_MEMORY)


def stacked(images: Images, positions: Sequence[int], *, crop: "Crop") -> Tensor:
    """Cut the images to one size and stack them: uint8 (count, height, width, channels)."""
    batch = np.empty((len(positions), crop.height, crop.width, images.hyperparameters.channels), np.uint8)
    for row, position in enumerate(positions):
        batch[row] = crop.cut(images.pixels(position))
    return torch.from_numpy(batch)


@dataclass
class Crop:
    """The part of an image that the network sees: the centre, or with `random` any part, flipped or not."""

    height: int
    width: int
    random: np.random.Generator | None = None

    def cut(self, pixels: Pixels) -> Pixels:
        top, left = pixels.shape[0] - self.height, pixels.shape[1] - self.width
        if self.random is None:
            top, left = top // 2, left // 2
        else:
            top, left = int(self.random.integers(top + 1)), int(self.random.integers(left + 1))
        part = pixels[top : top + self.height, left : left + self.width]
        return part if self.random is None or self.random.random() < 0.5 else part[:, ::-1]
