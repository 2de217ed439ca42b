"""Varies the colour and the shape of a training batch within the documented limits, all its images at once.

The random crop and left-right flip of `crop` are applied when the batch is cut; `crop_color` adds changes of hue,
lightness and saturation; `crop_color_transform` adds rotation, shear and a change of aspect ratio.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

# Documented as +-36, 50 and 50 in OpenCV's HLS, whose hue ends at 180 and whose other two end at 255.
HUE, SATURATION, LIGHTNESS = 36 / 180, 50 / 255, 50 / 255
ROTATION_DEGREES, SHEAR, ASPECT = 10.0, 0.1, 0.25


def augmented(images: Tensor, kind: str | None, *, generator: torch.Generator) -> Tensor:
    """Return the varied batch of float pixels (count, 3 or 1, height, width), 0 to 255; `kind` is augmentation_type."""
    if kind in ("crop_color", "crop_color_transform"):
        images = jittered(images, generator=generator)
    if kind == "crop_color_transform":
        images = transformed(images, generator=generator)
    return images


def jittered(images: Tensor, *, generator: torch.Generator) -> Tensor:
    """Add one random amount per image to its hue, saturation and lightness; a grey image has only lightness."""
    amounts = _uniform((3, len(images), 1, 1), generator=generator).to(images.device)
    if images.shape[1] == 1:
        return (images / 255 + LIGHTNESS * amounts[2].unsqueeze(1)).clamp(0, 1) * 255
    hue, saturation, lightness = hsl_of(images / 255)
    hue = hue + HUE * amounts[0]
    saturation = (saturation + SATURATION * amounts[1]).clamp(0, 1)
    lightness = (lightness + LIGHTNESS * amounts[2]).clamp(0, 1)
    return rgb_of(hue, saturation, lightness) * 255


def transformed(images: Tensor, *, generator: torch.Generator) -> Tensor:
    """Rotate, shear and stretch each image by its own random amounts; border pixels are repeated outside the image."""
    rotation, shear, aspect = _uniform((3, len(images)), generator=generator)
    angle, stretch = rotation * math.radians(ROTATION_DEGREES), 1 + ASPECT * aspect.abs()
    stretch = torch.where(aspect < 0, stretch, 1 / stretch)
    rows = torch.stack(
        [
            torch.stack([angle.cos() * stretch, SHEAR * shear - angle.sin(), torch.zeros_like(angle)], dim=1),
            torch.stack([angle.sin(), angle.cos() / stretch, torch.zeros_like(angle)], dim=1),
        ],
        dim=1,
    )
    grid = functional.affine_grid(rows.to(images.device), list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _uniform(shape: tuple[int, ...], *, generator: torch.Generator) -> Tensor:
    """Return uniform random numbers from -1 to 1."""
    return torch.rand(shape, generator=generator) * 2 - 1


def hsl_of(rgb: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Convert RGB to hue in turns, saturation and lightness, each from 0 to 1."""
    high, low = rgb.amax(1), rgb.amin(1)
    chroma, lightness = high - low, (high + low) / 2
    red, green, blue = rgb.unbind(1)
    safe = chroma.clamp(min=1e-6)
    sixths = torch.where(
        high == red,
        (green - blue) / safe % 6,
        torch.where(high == green, (blue - red) / safe + 2, (red - green) / safe + 4),
    )
    saturation = chroma / (1 - (2 * lightness - 1).abs()).clamp(min=1e-6)
    return sixths / 6, saturation.clamp(0, 1), lightness


def rgb_of(hue: Tensor, saturation: Tensor, lightness: Tensor) -> Tensor:
    """Convert back: f(n) = l - s min(l, 1 - l) max(-1, min(k - 3, 9 - k, 1)), where k = (n + 12 h) mod 12."""
    reach = saturation * torch.minimum(lightness, 1 - lightness)
    colours = []
    for n in (0, 8, 4):
        k = (n + hue * 12) % 12
        colours.append(lightness - reach * torch.minimum(k - 3, 9 - k).clamp(-1, 1))
    return torch.stack(colours, dim=1)
