"""Decodes the bytes of an image file into pixels, the same way in training and at the endpoint."""

import io

import numpy as np
import numpy.typing as npt
import simplejpeg  # type: ignore[import-untyped]
from PIL import Image, UnidentifiedImageError

from image_classifier.contracts.tiff import DECODER_ERRORS

Pixels = npt.NDArray[np.uint8]
MAX_IMAGE_PIXELS = 100_000_000
RGB_CHANNELS, GREY_CHANNELS = 3, 1
JPEG_COLORS = {RGB_CHANNELS: "RGB", GREY_CHANNELS: "GRAY"}
PILLOW_MODES = {RGB_CHANNELS: "RGB", GREY_CHANNELS: "L"}
JPEG_START = b"\xff\xd8\xff"


class UnreadableImageError(ValueError):
    """The bytes are not an image that can be used; the message says why."""


def decode(data: bytes, *, channels: int = RGB_CHANNELS, min_height: int = 0, min_width: int = 0) -> Pixels:
    """Return uint8 pixels (height, width, channels): RGB, or grey with one channel.

    Alpha is dropped and the EXIF orientation is ignored. A JPEG may be decoded at a smaller scale, which is faster; it
    then has at least `min_height` x `min_width` pixels.

    Raises:
        UnreadableImageError: the bytes are not an image, are damaged, or the image is too large.

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
        # simplejpeg also refuses what libjpeg only warns about, such as extra bytes before a marker.
        return _decode_any(data, channels)
    return _decode_any(data, channels)


def resized(pixels: Pixels, *, height: int, width: int) -> Pixels:
    """Resize to this size without keeping the aspect ratio, as the endpoint does; the right size is unchanged."""
    if pixels.shape[:2] == (height, width):
        return pixels
    image = Image.fromarray(pixels if pixels.shape[2] == RGB_CHANNELS else pixels[..., 0])
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR)).reshape(height, width, -1)


def shortest_side_resized(pixels: Pixels, *, side_px: int) -> Pixels:
    """Resize the shorter side to `side_px` and keep the aspect ratio, as the training job does.

    Raises:
        UnreadableImageError: the result would be too large, because one side is much longer than the other.

    """
    height, width = pixels.shape[:2]
    scale = side_px / min(height, width)
    new_height, new_width = max(side_px, round(height * scale)), max(side_px, round(width * scale))
    _check_size(new_height, new_width, what=f"The image is {width} x {height} pixels; resized, it")
    return resized(pixels, height=new_height, width=new_width)


def _decode_any(data: bytes, channels: int) -> Pixels:
    """Decode with Pillow: PNG, and the JPEGs that simplejpeg does not read, such as CMYK."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
            _check_size(image.height, image.width)
            pixels = np.asarray(_eight_bits(image).convert(PILLOW_MODES[channels]))
            return pixels.reshape(*pixels.shape[:2], channels)
    except UnreadableImageError:
        raise
    except (*DECODER_ERRORS, Image.DecompressionBombError) as error:
        raise UnreadableImageError(f"The image is {_problem(error, data)}") from error


def _problem(error: Exception, data: bytes) -> str:
    if not isinstance(error, UnidentifiedImageError):
        return f"damaged: {error}"
    return "a JPEG whose header is damaged" if data.startswith(JPEG_START) else "neither a JPEG nor a PNG"


def _eight_bits(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits; Pillow's own conversion clips it to 255."""
    if not image.mode.startswith("I"):
        return image
    return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))


def _check_size(height: int, width: int, *, what: str = "The image") -> None:
    if height * width > MAX_IMAGE_PIXELS:
        raise UnreadableImageError(f"{what} has {width} x {height} pixels; at most {MAX_IMAGE_PIXELS:,} are decoded")
