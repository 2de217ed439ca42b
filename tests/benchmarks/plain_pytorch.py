"""Contains the benchmarks' other side: a plain PyTorch program with Pillow, NCHW tensors and no export."""

import io
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from image_classification_algorithm.networks.efficientnet import EPSILON, STAGES
from image_classification_algorithm.networks.onnx_graph import IMAGENET
from image_classification_algorithm.networks.resnet import resnet

Labelled = Sequence[tuple[bytes, int]]


def pixels(data: bytes, *, side_px: int) -> Tensor:
    """One image as float (3, side, side) from 0 to 255."""
    with Image.open(io.BytesIO(data)) as image:
        resized = image.convert("RGB").resize((side_px, side_px), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1).float()


def normalised(images: Tensor) -> Tensor:
    mean = torch.tensor(IMAGENET.mean).view(1, 3, 1, 1)
    return (images - mean) / torch.tensor(IMAGENET.deviation).view(1, 3, 1, 1)


def network(num_layers: int, *, num_classes: int) -> nn.Module:
    """The same network, with weights as PyTorch lays them out by default."""
    return resnet(num_layers, num_classes=num_classes).to(memory_format=torch.contiguous_format)  # type: ignore[call-overload,no-any-return]


def batches(images: Labelled, *, side_px: int, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end, shuffled in every epoch, each image decoded when it is needed."""
    generator = torch.Generator().manual_seed(0)
    while True:
        order = torch.randperm(len(images), generator=generator).tolist()
        for start in range(0, len(images) - batch_size + 1, batch_size):
            chosen = [images[position] for position in order[start : start + batch_size]]
            inputs = torch.stack([pixels(data, side_px=side_px) for data, _ in chosen])
            yield normalised(inputs), torch.tensor([label for _, label in chosen])


def lite0_features(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """EfficientNet-Lite0, layer by layer."""
    x = functional.relu6(_convolution(state, images, "_conv_stem", "_bn0", 2))
    number = 0
    for stage in STAGES:
        for position in range(stage.blocks):
            x = _block(state, x, f"_blocks.{number}", stage.stride if position == 0 else 1)
            number += 1
    return functional.relu6(_convolution(state, x, "_conv_head", "_bn1")).mean((2, 3))


def _block(state: dict[str, Tensor], x: Tensor, name: str, stride: int) -> Tensor:
    before = x
    if f"{name}._expand_conv.weight" in state:
        x = functional.relu6(_convolution(state, x, f"{name}._expand_conv", f"{name}._bn0"))
    x = functional.relu6(_convolution(state, x, f"{name}._depthwise_conv", f"{name}._bn1", stride))
    x = _convolution(state, x, f"{name}._project_conv", f"{name}._bn2")
    return x + before if x.shape == before.shape else x


def _convolution(state: dict[str, Tensor], x: Tensor, name: str, norm: str, stride: int = 1) -> Tensor:
    weight = state[f"{name}.weight"]
    missing = [max((-(-side // stride) - 1) * stride + weight.shape[2] - side, 0) for side in x.shape[:1:-1]]
    x = functional.pad(x, [part for total in missing for part in (total // 2, total - total // 2)])
    x = functional.conv2d(x, weight, stride=stride, groups=x.shape[1] if weight.shape[1] == 1 else 1)
    mean, variance = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
    return functional.batch_norm(x, mean, variance, state[f"{norm}.weight"], state[f"{norm}.bias"], eps=EPSILON)
