"""Features of photographs (use_pretrained_model) against the same network in PyTorch with Pillow: at least 4 times.

PYTHONPATH=include .venv/local-aws/bin/python tests/benchmarks/extract_features.py FOLDER [ROUNDS]
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as `train` sets it; both sides run in this process

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from measured import in_turn, load
from plain_pytorch import lite0_features, pixels
from torch import nn
from training_job import by_class

from image_classification_algorithm import decoding
from image_classification_algorithm.inference import polite_session
from image_classification_algorithm.networks import efficientnet
from image_classification_algorithm.networks.onnx_graph import Backbone, onnx_model
from image_classification_algorithm.networks.onnx_names import INPUT, OUTPUT
from image_classifier.contracts.pixels import PixelParameters, prepare

SIDE_PX, IMAGES_A_TURN, IMAGES = 224, 32, 320


def ours(images: list[bytes], state: dict[str, torch.Tensor]) -> Callable[[], np.ndarray]:
    """As a job decodes and computes them."""
    backbone = Backbone(state, efficientnet.add_features)
    size, norm = (SIDE_PX, SIDE_PX), efficientnet.NORMALISATION
    session = polite_session(
        onnx_model(nn.Identity(), normalisation=norm, image_size_px=size, last=None, backbone=backbone)
    )

    def features(chosen: list[bytes]) -> np.ndarray:
        decoded = [decoding.decode(data, min_height=SIDE_PX, min_width=SIDE_PX) for data in chosen]
        return session.run([OUTPUT], {INPUT: np.stack(decoded)})[0]

    return _turns(images, features)


def theirs(images: list[bytes], state: dict[str, torch.Tensor]) -> Callable[[], np.ndarray]:
    """As PyTorch computes them."""

    def features(chosen: list[bytes]) -> np.ndarray:
        inputs = torch.stack([pixels(data, side_px=SIDE_PX) for data in chosen])
        with torch.inference_mode():
            return lite0_features(state, (inputs - 127) / 128).numpy()

    return _turns(images, features)


def _turns(images: list[bytes], features: Callable[[list[bytes]], np.ndarray]) -> Callable[[], np.ndarray]:
    source = itertools.cycle(images)
    return lambda: features(list(itertools.islice(source, IMAGES_A_TURN)))


if __name__ == "__main__":
    folders = by_class(Path(sys.argv[1])).values()
    parameters = PixelParameters(side_px=SIDE_PX)
    chosen = [prepare(data, parameters).jpeg for files in folders for data in files[: IMAGES // len(folders)]]
    rounds, state = int(sys.argv[2]) if len(sys.argv) > 2 else 9, efficientnet.pretrained_state()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    mine, other = ours(chosen, state), theirs(chosen, state)
    difference = np.abs(mine() - other()).max()
    speeds = in_turn(lambda: len(mine()), lambda: len(other()), rounds=rounds)
    print("features: {:.1f} images/s, PyTorch {:.1f}, ratio {:.2f}".format(*speeds))
    print(f"median of {rounds} rounds of {IMAGES_A_TURN} images; {load()}")
    print(f"the features differ by {difference:.3f} at most")
