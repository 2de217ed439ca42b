"""Reduces images of 16 bits per value to 8 bits, and keeps the bits that the file uses."""

from typing import Final

from PIL import Image

from image_classifier.contracts import signatures
from image_classifier.contracts.errors import ImageRejectedError

DARK_16_BIT: Final = "dark_16_bit"  # the code of such images in reports and records
DARK: Final = 16  # of 255: a 16-bit image whose brightest value is lower looks black


def grey_of_16_bits(image: Image.Image, data: bytes) -> tuple[Image.Image, bool]:
    """Reduce a grey image of 16 bits to 8; return it, and whether it is nearly black.

    The range is that of the bits which the file calls significant, if its values fit into them, otherwise all 16 bits.
    """
    grey = image if image.mode == "I;16" else image.convert("I")
    brightest = _brightest(grey)
    bits = signatures.png_significant_bits(data) or 16
    factor = 255 / (2**bits - 1) if bits < 16 and brightest < 2**bits else 1 / 256
    return grey.point(lambda value: value * factor).convert("L").convert("RGB"), brightest * factor < DARK


def _brightest(band: Image.Image) -> int:
    brightest = band.getextrema()[1]
    return int(brightest) if isinstance(brightest, int | float) else max(brightest)


def is_dark_of_16_bits(image: Image.Image, data: bytes) -> bool:
    """Return whether a colour image of 16 bits is nearly black: the decoder returns only the upper 8 bits.

    Raises:
        ImageRejectedError: the file says that it uses the lower bits, which are lost.

    """
    brightest = max(map(_brightest, image.convert("RGB").split()))
    bits = signatures.png_significant_bits(data) or 16
    if bits < 16 and brightest < 2 ** max(0, bits - 8):
        sentence = f"The image uses the lower {bits} of 16 bits per colour: save it with 8 bits."
        raise ImageRejectedError("unsupported", sentence)
    return brightest < DARK
