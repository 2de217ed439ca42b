"""Builds the residual network that `num_layers` chooses: six for photographs, five for images of about 28 to 32 pixels.

Source: He et al., "Deep Residual Learning for Image Recognition" (2015), section 4.1 for the six and 4.2 for the five.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

Block = Callable[[int, int, int], nn.Module]


def convolution(inputs: int, outputs: int, kernel_px: int, stride: int = 1) -> list[nn.Module]:
    """Return a convolution that keeps the image's size at stride 1, and its batch normalisation."""
    padding = kernel_px // 2
    return [nn.Conv2d(inputs, outputs, kernel_px, stride, padding, bias=False), nn.BatchNorm2d(outputs)]


def relu() -> nn.Module:
    """Return an in-place ReLU: memory limits a small network on a CPU, and the input is not needed again."""
    return nn.ReLU(inplace=True)


class Residual(nn.Module):
    """Computes `relu(x + path(x))`; where the path changes the shape, a 1x1 convolution adapts x."""

    def __init__(self, path: list[nn.Module], inputs: int, outputs: int, stride: int) -> None:
        """Add the shortcut to the path."""
        super().__init__()
        self.path = nn.Sequential(*path)
        same_shape = stride == 1 and inputs == outputs
        self.shortcut = nn.Identity() if same_shape else nn.Sequential(*convolution(inputs, outputs, 1, stride))
        self.relu = relu()

    def forward(self, x: Tensor) -> Tensor:
        out = self.path(x)
        out += self.shortcut(x)
        return self.relu(out)  # type: ignore[no-any-return]


def basic(inputs: int, width: int, stride: int) -> nn.Module:
    """Return a block of two 3x3 convolutions."""
    path = [*convolution(inputs, width, 3, stride), relu(), *convolution(width, width, 3)]
    return Residual(path, inputs, width, stride)


def bottleneck(inputs: int, width: int, stride: int) -> nn.Module:
    """Return a block of 1x1, 3x3 and 1x1 convolutions; the 3x3 has a quarter of the channels."""
    inner = width // 4
    path = [*convolution(inputs, inner, 1), relu(), *convolution(inner, inner, 3, stride), relu()]
    return Residual([*path, *convolution(inner, width, 1)], inputs, width, stride)


SMALL_BLOCKS = {20: 3, 32: 5, 44: 7, 56: 9, 110: 18}
LARGE_BLOCKS: dict[int, tuple[Block, tuple[int, ...]]] = {
    18: (basic, (2, 2, 2, 2)),
    34: (basic, (3, 4, 6, 3)),
    50: (bottleneck, (3, 4, 6, 3)),
    101: (bottleneck, (3, 4, 23, 3)),
    152: (bottleneck, (3, 8, 36, 3)),
    200: (bottleneck, (3, 24, 36, 3)),
}


def resnet(num_layers: int, *, num_classes: int, channels: int = 3) -> nn.Module:
    """Return the network of this depth with random weights.

    It maps float images (count, channels, height, width) to logits (count, num_classes).
    """
    if num_layers in SMALL_BLOCKS:
        stem = [*convolution(channels, 16, 3), relu()]
        stages, width = _stages(basic, [SMALL_BLOCKS[num_layers]] * 3, [16, 32, 64], stem_width=16)
    else:
        block, counts = LARGE_BLOCKS[num_layers]
        stem = [*convolution(channels, 64, 7, 2), relu(), nn.MaxPool2d(3, 2, 1)]
        widths = [64, 128, 256, 512] if block is basic else [256, 512, 1024, 2048]
        stages, width = _stages(block, list(counts), widths, stem_width=64)
    net = nn.Sequential(*stem, *stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(width, num_classes))
    _initialise(net)
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def smallest_map_px(num_layers: int, *, height: int, width: int) -> int:
    """Return the number of pixels in the last layers' feature map for an image of this size."""
    halvings = 2 if num_layers in SMALL_BLOCKS else 5
    side = 1 << halvings  # side, in pixels, of the square that becomes one pixel
    return -(-height // side) * -(-width // side)


def _stages(block: Block, counts: list[int], widths: list[int], *, stem_width: int) -> tuple[list[nn.Module], int]:
    blocks, inputs = [], stem_width
    for stage, (count, width) in enumerate(zip(counts, widths, strict=True)):
        for position in range(count):
            blocks.append(block(inputs, width, 2 if stage and not position else 1))
            inputs = width
    return blocks, inputs


def _initialise(net: nn.Module) -> None:
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
