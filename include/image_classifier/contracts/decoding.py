"""Opens and decodes one image file, whatever its format, or says why it cannot be used.

Standard library, Pillow and pi-heif only: the inference function packs this file. Limits keep every file within
1,024 MB of memory and 10 seconds.
"""

import io
import logging
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import Image, UnidentifiedImageError

from image_classifier.contracts import signatures, tiff
from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.contracts.tiff import DECODER_ERRORS, SAVE_AS

logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.CRITICAL)  # it logs the errors that it raises as well

# Pillow opens MPO, a phone's JPEG of two pictures, as JPEG; the first picture is the photograph.
FORMATS: Final = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF")
MAX_SIDE_PX: Final = 65_535  # JPEG's own limit; Pillow allocates memory for every row, however short it is
MAX_PIXELS_OF: Final = {
    "WEBP": 30_000_000
}  # a pixel takes 16 bytes while it is decoded: libwebp's frame and Pillow's copy
MAX_JPEG_SCANS: Final = 64  # encoders write about ten scans
MAX_SCANNED_PIXELS: Final = 600_000_000  # the sum over all scans of a JPEG

_FIRST_COUNTS: Final = ("MPO", "HEIF")  # formats that may hold several pictures; the first one is the photograph
_BMP_HEADERS: Final = (12, 16, 40, 52, 56, 64, 108, 124)


@dataclass(frozen=True)
class Limits:
    """The largest file, in bytes, and the largest image, in pixels, that are decoded."""

    max_image_bytes: int
    max_image_pixels: int


Shrink = Callable[[Image.Image], None]


def open_image(data: bytes, limits: Limits) -> Image.Image:
    """Open an image and check its header; no pixel is decoded.

    Raises:
        ImageRejectedError: the bytes are not one image within the limits; its `code` names the reason.

    """
    try:
        return _open(data, limits)
    except ImageRejectedError as error:
        if error.code == "corrupt" and (essential := _essential_png(data)):
            return _open(essential, limits)
        raise


def _open(data: bytes, limits: Limits) -> Image.Image:
    if not data:
        raise ImageRejectedError("empty", "The file is empty (0 bytes).")
    if len(data) > limits.max_image_bytes:
        sentence = f"The file has {len(data):,} bytes; at most {limits.max_image_bytes:,} are read."
        raise ImageRejectedError("too_large", sentence)
    if name := signatures.unread_format(data):
        raise ImageRejectedError("unsupported", f"The file is {name}, which is not read: {SAVE_AS}.")
    if signatures.has_too_many_parts(data):
        sentence = (
            f"The file has more than {signatures.MAX_PARTS:,} blocks, or more than {signatures.MAX_COPIED} of EXIF or "
            f"colour profiles, which are not read: {SAVE_AS}."
        )
        raise ImageRejectedError("unsupported", sentence)
    if data.startswith(signatures.TIFF):
        tiff.check_tags(data)
    image = _identified(data)
    _check_size(image, limits)
    _check_pictures(image, data)
    _check_scans(image, data)
    return image


def decode(data: bytes, limits: Limits, *, shrink: Shrink) -> tuple[Image.Image, tuple[int, int]]:
    """Open an image and decode all of it.

    Faults outside the pixels are ignored: damaged or large text chunks and colour profiles of a PNG, and a JPEG's
    missing end marker.

    Args:
        data: the file's bytes.
        limits: the largest file and image that are accepted.
        shrink: a function that receives the opened image before it is decoded; it may set a JPEG's decoding scale.

    Returns:
        The decoded image, and (width, height) in pixels from its header.

    Raises:
        ImageRejectedError: the bytes are not one complete image within the limits; its `code` names the reason.

    """
    try:
        return _decode(data, limits, shrink=shrink)
    except ImageRejectedError as error:
        if error.code == "corrupt" and (essential := _essential_png(data)):
            return _decode(essential, limits, shrink=shrink)
        if error.code == "truncated" and data.startswith(signatures.JPEG):
            return _decode_to_the_end(data, limits, shrink=shrink, error=error)
        raise


def _decode(data: bytes, limits: Limits, *, shrink: Shrink) -> tuple[Image.Image, tuple[int, int]]:
    image = _open(data, limits)
    size = image.size
    shrink(image)
    try:
        tiff.correct(image)
        image.load()
    except DECODER_ERRORS as error:
        raise _undecodable(image, error) from error
    _drop_empty_alpha(image, data)
    return image, size if image.format in ("JPEG", "MPO") else image.size


def _essential_png(data: bytes) -> bytes | None:
    """Return a PNG without its metadata; None if there is no metadata, or if the file is not a PNG."""
    essential = signatures.png_without_metadata(data) if data.startswith(signatures.PNG) else data
    return None if essential == data else essential


def _decode_to_the_end(
    data: bytes, limits: Limits, *, shrink: Shrink, error: ImageRejectedError
) -> tuple[Image.Image, tuple[int, int]]:
    """Decode a JPEG that lacks its end marker, if only the marker is missing."""
    endings = signatures.jpeg_endings(data)
    if endings is None:
        raise error
    roomy = Limits(limits.max_image_bytes + len(endings[1]) - len(data), limits.max_image_pixels)
    image, size = _decode(endings[0], roomy, shrink=shrink)
    other, _ = _decode(endings[1], roomy, shrink=shrink)
    if image.tobytes() != other.tobytes():
        raise error
    return image, size


def _identified(data: bytes) -> Image.Image:
    container = signatures.container_format(data)
    if container == "HEIF":
        import pi_heif  # imported here: it takes memory, and other images do not need it

        pi_heif.register_heif_opener(thumbnails=False)
    formats = (container,) if container else FORMATS[:-2]
    try:
        image = Image.open(io.BytesIO(data), formats=formats)
    except Image.DecompressionBombError as error:
        raise ImageRejectedError(
            "too_many_pixels", f"The image's header announces too many pixels: {error}."
        ) from error
    except UnidentifiedImageError as error:
        raise _unidentified(data) from error
    except DECODER_ERRORS as error:
        if _sound_but_unknown(data):
            raise _unidentified(data) from error
        raise ImageRejectedError("corrupt", f"The image's header cannot be read: {error}.") from error
    return image


def _unidentified(data: bytes) -> ImageRejectedError:
    kind = _sound_but_unknown(data)
    if kind:
        return ImageRejectedError("unsupported", f"The file is {kind} of a kind that is not read: {SAVE_AS}.")
    if data.startswith(signatures.READ) or signatures.container_format(data):
        return ImageRejectedError("corrupt", "The file begins like an image, but its header is damaged or cut off.")
    if data.startswith(signatures.GIT_LFS):
        return ImageRejectedError("not_an_image", signatures.NOT_DOWNLOADED)
    return ImageRejectedError("not_an_image", f"The file is not an image of a known format ({', '.join(FORMATS)}).")


def _sound_but_unknown(data: bytes) -> str | None:
    """Return "a BMP" or "a TIFF" for a file with an intact header, whose kind Pillow does not read; None otherwise."""
    if data.startswith(b"BM") and len(data) > 26:
        pixels, header = struct.unpack_from("<II", data, 10)
        return "a BMP" if header in _BMP_HEADERS and 14 + header <= pixels <= len(data) else None
    if data.startswith(signatures.TIFF):
        return "a TIFF" if tiff.is_whole(data) else None
    return None


def _check_size(image: Image.Image, limits: Limits) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageRejectedError("corrupt", f"The image's header announces {width} x {height} pixels.")
    most = MAX_PIXELS_OF.get(image.format or "", limits.max_image_pixels)
    limit = min(limits.max_image_pixels, most)
    if width * height > limit or max(width, height) > MAX_SIDE_PX:
        sentence = (
            f"The {image.format} image has {width} x {height} pixels; at most {limit:,} are decoded, and at most "
            f"{MAX_SIDE_PX:,} on a side."
        )
        raise ImageRejectedError("too_many_pixels", sentence)


def _check_pictures(image: Image.Image, data: bytes) -> None:
    """Refuse a file with several frames or pages, and a TIFF whose first page is only a preview."""
    try:
        if image.format == "TIFF":
            tiff.check_pages(data)
            return
        animated = image.format not in _FIRST_COUNTS and getattr(image, "is_animated", False)
    except DECODER_ERRORS as error:
        raise ImageRejectedError("corrupt", f"The image's header cannot be read: {error}.") from error
    if animated:
        raise ImageRejectedError("animated", f"The {image.format} file holds several frames; one image was expected.")


def _check_scans(image: Image.Image, data: bytes) -> None:
    """Refuse a JPEG with so many scans that decoding would take too long: every scan passes over all pixels."""
    if image.format not in ("JPEG", "MPO"):
        return
    width, height = image.size
    most = max(4, min(MAX_JPEG_SCANS, MAX_SCANNED_PIXELS // (width * height)))
    if data.count(b"\xff\xda") > most and signatures.jpeg_scans(data, most=most).has_more:
        sentence = (
            f"The JPEG has more than {most} scans of {width} x {height} pixels, which are not decoded: {SAVE_AS}."
        )
        raise ImageRejectedError("too_many_scans", sentence)


def _undecodable(image: Image.Image, error: Exception) -> ImageRejectedError:
    said = str(error)
    if "truncated" in said:
        return ImageRejectedError("truncated", f"The image ends before its last pixel: {said}.")
    if "not available" in said:
        return ImageRejectedError("unsupported", f"The {image.format} is of a kind that is not read: {SAVE_AS}.")
    return ImageRejectedError("corrupt", f"The image cannot be decoded: {said}.")


def _drop_empty_alpha(image: Image.Image, data: bytes) -> None:
    if has_empty_alpha(image, data):
        image.putalpha(255)


def has_empty_alpha(image: Image.Image, data: bytes) -> bool:
    """Return whether a BMP's alpha is 0 everywhere: many programs write 0 in the fourth byte of an opaque image."""
    if image.format != "BMP" or image.mode != "RGBA":
        return False
    pixels = int.from_bytes(data[10:14], "little")
    return not any(data[pixels + 3 : pixels + 4 * image.width * image.height : 4])
