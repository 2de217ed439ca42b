"""From the channels of a training job to its images: the list, the files it names, their pixels."""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from image_classification_algorithm import decoding
from image_classification_algorithm.cores import usable_cores
from image_classification_algorithm.decoding import Pixels, UnreadableImageError
from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.job_log import log
from image_classification_algorithm.training.stopping import StopRequest
from image_classifier import image_list
from image_classifier.hyperparameters import JobHyperparameters
from image_classifier.image_list import DatasetError  # type: ignore[attr-defined]  # what parse() raises

CACHE_SHARE_OF_MEMORY = 0.25


@dataclass(frozen=True)
class Images:
    """One split: decoded once and kept while memory lasts, decoded again in every epoch beyond that."""

    paths: Sequence[Path]
    labels: Tensor
    cached: Sequence[Pixels | None]
    resize_px: int

    def __len__(self) -> int:
        """How many images can be used."""
        return len(self.paths)

    def pixels(self, position: int) -> Pixels:
        """The image with its shorter side at `resize`."""
        kept = self.cached[position]
        return kept if kept is not None else load(self.paths[position], resize_px=self.resize_px)


def read_split(folders: Folders, split: str, *, hyperparameters: JobHyperparameters, stop: StopRequest) -> Images:
    """Read `split` and `split`_lst; an image that cannot be read is named in the log and left out.

    Raises:
        ClientError: a channel or its list is missing or wrong, or no image is left.

    """
    entries = _entries(folders, split)
    labels = _labels(entries, split, hyperparameters=hyperparameters)
    paths = [folders.channel(split) / entry.path for entry in entries]
    resize_px = hyperparameters.resize or hyperparameters.side_px
    usable, cached = _decode_all(paths, resize_px=resize_px, stop=stop)
    if not usable:
        raise ClientError(f"Unable to start training. No image of the {split} channel can be read.")
    log.info("Done creating record files...")
    return Images([paths[i] for i in usable], labels[usable], cached, resize_px)


def load(path: Path, *, resize_px: int) -> Pixels:
    """Decode one file and make its shorter side this long."""
    data = path.read_bytes()
    pixels = decoding.decode(data, min_height=resize_px, min_width=resize_px)
    return decoding.shortest_side_resized(pixels, side_px=resize_px)


def _entries(folders: Folders, split: str) -> list[image_list.Entry]:
    if not folders.channel(split).is_dir():
        raise ClientError(f"The {split} channel is missing: {folders.channel(split)} is not a folder.")
    channel = folders.channel(f"{split}_lst")
    log.info("Searching for .lst files in %s.", channel)
    lists = sorted(channel.glob("*.lst"))
    if len(lists) != 1:
        raise ClientError(f"The {split}_lst channel must hold exactly one .lst file; found {len(lists)} in {channel}.")
    log.info("Creating record files for %s", lists[0].name)
    try:
        entries = image_list.parse(lists[0].read_text("utf-8"))
    except (DatasetError, UnicodeDecodeError) as error:
        raise ClientError(f"{lists[0].name} in the {split}_lst channel cannot be used: {error}") from error
    if not entries:
        raise ClientError(f"Unable to start training. Empty .lst file in {split}_lst channel.")
    return entries


def _labels(entries: list[image_list.Entry], split: str, *, hyperparameters: JobHyperparameters) -> Tensor:
    """Class indices (count), or one 0 or 1 per class (count, classes) for multi-label."""
    classes = hyperparameters.num_classes
    columns = classes if hyperparameters.multi_label else 1
    for entry in entries:
        if len(entry.labels) != columns and hyperparameters.multi_label:
            raise ClientError(
                f"Mismatch between number of labels in the multi-label data ({len(entry.labels)}) and the num_classes "
                f"parameter ({classes})."
            )
        if len(entry.labels) != columns:
            raise ClientError(f"{entry.path} in the {split} list has {len(entry.labels)} labels; set multi_label to 1.")
        _check_label(entry, split, limit=2 if hyperparameters.multi_label else classes)
    values = torch.tensor([entry.labels for entry in entries])
    return values.float() if hyperparameters.multi_label else values[:, 0].long()


def _check_label(entry: image_list.Entry, split: str, *, limit: int) -> None:
    for label in entry.labels:
        if not label.is_integer() or not 0 <= label < limit:
            raise ClientError(
                f"{entry.path} in the {split} list has label {label:g}; labels are whole numbers from 0 to {limit - 1}."
            )


def _decode_all(paths: Sequence[Path], *, resize_px: int, stop: StopRequest) -> tuple[list[int], list[Pixels | None]]:
    """Positions of the images that can be read, and their pixels while they fit in memory."""
    usable: list[int] = []
    cached: list[Pixels | None] = []
    room_bytes = _cache_bytes()
    with ThreadPoolExecutor(usable_cores()) as threads:
        # A part at a time, so that pixels beyond the cache's room do not pile up while they wait to be looked at.
        for start in range(0, len(paths), 256):
            stop.check()
            part = paths[start : start + 256]
            for position, pixels in enumerate(threads.map(lambda path: _try_load(path, resize_px), part), start):
                if pixels is not None:
                    room_bytes -= pixels.nbytes
                    usable.append(position)
                    cached.append(pixels if room_bytes >= 0 else None)
    return usable, cached


def _try_load(path: Path, resize_px: int) -> Pixels | None:
    try:
        return load(path, resize_px=resize_px)
    except (OSError, UnreadableImageError) as error:
        log.warning("imread read blank (None) image for file: %s (%s)", path, error)
        return None


def _cache_bytes() -> int:
    return math.floor(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") * CACHE_SHARE_OF_MEMORY)


def stacked(images: Images, positions: Sequence[int], *, crop: "Crop") -> Tensor:
    """Cut the images to one size and stack them: uint8 (count, height, width, 3)."""
    batch = np.empty((len(positions), crop.height, crop.width, 3), np.uint8)
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
