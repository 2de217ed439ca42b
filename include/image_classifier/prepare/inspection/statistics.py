"""Computes statistics of an image for the report, and as a reference for drift."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, Self

from PIL import Image

from image_classifier.contracts import signatures
from image_classifier.contracts.pixels import Picture, PixelParameters
from image_classifier.contracts.sixteen_bits import DARK_16_BIT
from image_classifier.prepare.inspection.formats import FORMATS_BY_ENDING

MEASURED_PX: Final = 128  # length of the longer side for the measurement, because sharpness depends on the scale
_GREY_MODES: Final = ("1", "L", "LA", "I;16", "I;16L", "I;16B", "I;16N")


@dataclass(frozen=True, slots=True)
class Statistics:
    """Statistics of one image without the padding of its square.

    Attributes:
        brightness: mean of the grey values, 0 to 255.
        contrast: standard deviation of the grey values, 0 to 127.5.
        sharpness: variance of the grey values' Laplacian (4 neighbours); low for blurred images.
        entropy: entropy of the grey values in bits, 0 to 8.
        colourfulness: Hasler and Suesstrunk's M3 (SPIE 5007, 2003), 0 for grey images, above 60 for vivid ones.
        aspect: the source's width divided by its height, when held upright.
        bytes_per_pixel: the source file's bytes divided by its pixels.
        camera: maker and model from EXIF; empty if EXIF has none.

    """

    brightness: float
    contrast: float
    sharpness: float
    entropy: float
    colourfulness: float
    aspect: float
    bytes_per_pixel: float
    camera: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the values for the manifest; an unknown camera is left out."""
        names = self.__dataclass_fields__ if self.camera else NUMBERS
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Parse the result of `as_json`."""
        return cls(**{name: values[name] for name in cls.__dataclass_fields__ if name in values})


NUMBERS: Final = tuple(name for name in Statistics.__dataclass_fields__ if name != "camera")


def measure(shown: Picture, *, size_bytes: int, parameters: PixelParameters) -> Statistics:
    """Compute the statistics of a picture.

    Args:
        shown: the picture.
        size_bytes: size of its file.
        parameters: how the picture was made square.

    """
    import numpy as np

    content = without_padding(shown, parameters)
    content.thumbnail((MEASURED_PX, MEASURED_PX), Image.Resampling.BOX)
    grey = content.convert("L")
    counts, values = np.array(grey.histogram()), np.arange(256.0)
    brightness = counts @ values / counts.sum()
    contrast = (counts @ (values - brightness) ** 2 / counts.sum()) ** 0.5
    red, green, blue = (np.asarray(channel, dtype=np.int16) for channel in content.split())
    red_green, yellow_blue = red - green, red + green - 2 * blue  # the latter is twice its value
    spread = np.hypot(red_green.std(), yellow_blue.std() / 2)
    colourfulness = spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean() / 2)
    return Statistics(
        brightness=round(float(brightness), 1),
        contrast=round(float(contrast), 1),
        sharpness=round(_sharpness(np.asarray(grey, dtype=np.int16)), 1),
        entropy=abs(round(grey.entropy(), 2)),
        colourfulness=round(float(colourfulness), 1),
        aspect=round(shown.width / shown.height, 3),
        bytes_per_pixel=round(size_bytes / (shown.width * shown.height), 3),
        camera=shown.camera,
    )


def without_padding(shown: Picture, parameters: PixelParameters) -> Image.Image:
    """Return a copy of the square's part that shows the source."""
    if parameters.fit == "crop":
        return shown.square.copy()
    side, longer = parameters.side_px, max(shown.width, shown.height)
    width, height = (max(1, round(length * side / longer)) for length in (shown.width, shown.height))
    left, top = (side - width) // 2, (side - height) // 2
    return shown.square.crop((left, top, left + width, top + height))


def traits(shown: Picture, data: bytes, *, name: str, side_px: int) -> tuple[str, ...]:
    """Return codes of properties that an image's prepared copy has lost; ``report.schema.TRAITS`` explains them.

    Args:
        shown: the picture.
        data: its file's bytes.
        name: its file's name.
        side_px: side of the prepared image, in pixels.

    """
    ending = PurePosixPath(name).suffix.lower()
    found = {
        "cmyk": shown.mode == "CMYK",
        "16_bit": shown.mode.startswith("I;16") or signatures.png_is_16_bit(data),
        DARK_16_BIT: shown.dark_16_bit,
        "palette": shown.mode in ("P", "PA"),
        "transparent": shown.has_transparency,
        "grey": shown.mode in _GREY_MODES,
        "rotated": shown.orientation != 1,
        "enlarged": max(shown.width, shown.height) < side_px,
        "extension_differs": shown.format not in FORMATS_BY_ENDING.get(ending, (shown.format,)),
    }
    return tuple(code for code, is_so in found.items() if is_so)


def _sharpness(grey: Any) -> float:
    """Return the variance of the Laplacian; 0 for an image with a side of fewer than 3 pixels."""
    if min(grey.shape) < 3:
        return 0.0
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(laplacian.var())
