"""An image file's bytes as pixels, the same way in training and at the endpoint."""

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
import simplejpeg  # type: ignore[import-untyped]
from PIL import Image, UnidentifiedImageError

Pixels = npt.NDArray[np.uint8]
MAX_IMAGE_PIXELS = 100_000_000
RGB_CHANNELS, GREY_CHANNELS = 3, 1
JPEG_COLORS = {RGB_CHANNELS: "RGB", GREY_CHANNELS: "GRAY"}
PILLOW_MODES = {RGB_CHANNELS: "RGB", GREY_CHANNELS: "L"}
JPEG_START = b"\xff\xd8\xff"
# Pillow's decoders raise whatever a malformed header led them into, not one error of their own.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    NotImplementedError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)


class UnreadableImageError(ValueError):
    """The bytes are not an image that can be used; the message says why."""


def decode(data: bytes, *, channels: int = RGB_CHANNELS, min_height: int = 0, min_width: int = 0) -> Pixels:
    """Pixels (height, width, channels), RGB or with one channel grey; alpha is dropped and EXIF orientation ignored.

    A JPEG may come back smaller than it is, but not below the two minima: the decoder leaves out what a smaller image
    does not need.

    Raises:
        UnreadableImageError: not an image, damaged, or too large.

    """
    if not data.startswith(JPEG_START):
        return _decode_any(data, channels)
    try:
        height, width, colorspace, _ = simplejpeg.decode_jpeg_header(data)
        _check_size(height, width)
        if colorspace in ("YCbCr", "RGB", "Gray"):
            return simplejpeg.decode_jpeg(  # type: ignore[no-any-return]
                data, JPEG_COLORS[channels], fastdct=True, fastupsample=True, min_height=min_height, min_width=min_width
            )
    except UnreadableImageError:
        raise
    except ValueError:
        # It also refuses what libjpeg only warns of, such as bytes too many before a marker; Pillow tells these apart.
        return _decode_any(data, channels)
    return _decode_any(data, channels)


def resized(pixels: Pixels, *, height: int, width: int) -> Pixels:
    """Squash or stretch to this size, as the endpoint does with every image; the right size costs nothing."""
    if pixels.shape[:2] == (height, width):
        return pixels
    image = Image.fromarray(pixels if pixels.shape[2] == RGB_CHANNELS else pixels[..., 0])
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)).reshape(height, width, -1)


def shortest_side_resized(pixels: Pixels, *, side_px: int) -> Pixels:
    """Keep the aspect and make the shorter side this long, as the training job does.

    Raises:
        UnreadableImageError: it would be too large, since the image is a thin line.

    """
    height, width = pixels.shape[:2]
    scale = side_px / min(height, width)
    new_height, new_width = max(side_px, round(height * scale)), max(side_px, round(width * scale))
    _check_size(new_height, new_width, what=f"The image is {width} x {height} pixels; resized, it")
    return resized(pixels, height=new_height, width=new_width)


def _decode_any(data: bytes, channels: int) -> Pixels:
    """PNG, and the JPEGs that simplejpeg does not read, such as CMYK."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            _check_size(image.height, image.width)
            pixels = np.asarray(_eight_bits(image).convert(PILLOW_MODES[channels]))
            return pixels.reshape(*pixels.shape[:2], channels)
    except UnreadableImageError:
        raise
    except DECODER_ERRORS as error:
        raise UnreadableImageError(f"The image is {_problem(error, data)}") from error


def _problem(error: Exception, data: bytes) -> str:
    if not isinstance(error, UnidentifiedImageError):
        return f"damaged: {error}"
    return "a JPEG whose header is damaged" if data.startswith(JPEG_START) else "neither a JPEG nor a PNG"


def _eight_bits(image: Image.Image) -> Image.Image:
    """Pillow clips 16-bit grey to 255 instead of scaling it."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))


def _check_size(height: int, width: int, *, what: str = "The image") -> None:
    if height * width > MAX_IMAGE_PIXELS:
        raise UnreadableImageError(f"{what} has {width} x {height} pixels; at most {MAX_IMAGE_PIXELS:,} are decoded")
