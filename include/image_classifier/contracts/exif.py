"""Reads a photograph's orientation and camera from its EXIF block, and turns it upright."""

from typing import Final

from PIL import Image

from image_classifier.contracts.tiff import DECODER_ERRORS

MAX_BYTES: Final = 4 << 20  # of a block, which cameras fill up to 64 KiB
_MAKER, _MODEL, _ORIENTATION = 0x010F, 0x0110, 0x0112  # tags
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING: Final = (5, 6, 7, 8)  # orientations that exchange width and height


def orientation(image: Image.Image) -> int:
    """Return a loaded image's EXIF orientation, 1 to 8: PNG may store it behind the pixels; Pillow rotates TIFFs."""
    try:
        found = _block(image).get(_ORIENTATION)
    except DECODER_ERRORS:  # a damaged EXIF block does not affect the pixels
        return 1
    return found if found in _UPRIGHT else 1


def camera(image: Image.Image) -> str:
    """Return maker and model of the camera; empty if EXIF names none."""
    try:
        block = _block(image)
        return " ".join(str(block[tag]).strip("\0 ") for tag in (_MAKER, _MODEL) if tag in block)[:80]
    except DECODER_ERRORS:
        return ""


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return the image turned upright."""
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    """Return the width and height of an image held upright."""
    width, height = size
    return (height, width) if orientation in _LYING else (width, height)


def _block(image: Image.Image) -> Image.Exif:
    """Return the EXIF block; empty if it is so long that its values may take much time and memory to convert."""
    return Image.Exif() if len(image.info.get("exif") or b"") > MAX_BYTES else image.getexif()
