"""Turns any photograph into the square JPEG that the network sees; one function for the data set and for the endpoint.

The algorithm crops in training and squashes at inference. Of a square image neither takes anything away, so the
endpoint scores what the training job reported. The inference function packs this file.
"""

import io
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image

from image_classifier.contracts import signatures
from image_classifier.contracts.decoding import Limits, decode, has_empty_alpha, open_image
from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.contracts.sixteen_bits import grey_of_16_bits, is_dark_of_16_bits
from image_classifier.contracts.tiff import DECODER_ERRORS, SAVE_AS, has_8_bit_palette, is_planar_16_bit

ALGORITHM_FORMATS: Final = ("JPEG", "PNG")  # what the endpoint takes as it is
MAX_IMAGE_BYTES: Final = 25 * 1024 * 1024
THUMBNAIL_PX = 160  # the longer side, for people
THUMBNAIL_QUALITY = 80
MAX_IMAGE_PIXELS: Final = 60_000_000  # a 50-megapixel telephone's photo passes; up to 8 bytes each while decoded
PADDING: Final = (124, 116, 104)  # the mean of ImageNet's pixels: next to nothing once a network has subtracted it
BLANK_PX: Final = 64
BACKGROUND: Final = (255, 255, 255)  # what transparent images are drawn for
PROCEDURE: Final = "1"  # raise it when the same image and parameters give other pixels: every image is prepared anew

_MAKER, _MODEL, _ORIENTATION = 0x010F, 0x0110, 0x0112  # of EXIF
_BITS_PER_SAMPLE, _PHOTOMETRIC, _BLACK_IS_ZERO = 0x0102, 0x0106, 1  # of TIFF
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LYING: Final = (5, 6, 7, 8)  # the orientations that exchange width and height


@dataclass(frozen=True)
class PixelParameters:
    """Everything that decides the pixels, and the limits of what is decoded at all.

    Attributes:
        side_px: width and height of the result.
        fit: ``pad`` keeps the whole image and fills up with grey; ``crop`` keeps the central square.
        jpeg_quality: of the result, 1 to 95.
        max_image_bytes: larger files are rejected unread.
        max_image_pixels: larger images are rejected undecoded (their header says so).

    """

    side_px: int
    fit: Literal["pad", "crop"] = "pad"
    jpeg_quality: int = 90
    max_image_bytes: int = MAX_IMAGE_BYTES
    max_image_pixels: int = MAX_IMAGE_PIXELS

    @property
    def limits(self) -> Limits:
        """Of what is decoded."""
        return Limits(self.max_image_bytes, self.max_image_pixels)

    def key(self) -> str:
        """The same text if and only if the same source gives the same pixels; the limits do not change pixels."""
        return f"{PROCEDURE}-{self.fit}-{self.side_px}-q{self.jpeg_quality}"


@dataclass(frozen=True)
class Prepared:
    """An image ready for the network, and the size the source had when held upright."""

    jpeg: bytes
    width: int
    height: int


@dataclass(frozen=True)
class Picture:
    """An image as the network sees it, and what its file was like.

    Attributes:
        square: of mode RGB, upright and opaque.
        width, height: of the source when held upright, in pixels.
        format: Pillow's name of the file's format.
        mode: Pillow's name of the file's kind of pixels, such as CMYK.
        orientation: the EXIF orientation, 1 to 8, that was applied.
        dark_16_bit: the image has 16 bits per value, and all values are so low that it is nearly black.
        has_transparency: some pixels may be transparent; the background shows through them.
        camera: maker and model that EXIF names; empty if it names none.

    """

    square: Image.Image
    width: int
    height: int
    format: str
    mode: str
    orientation: int
    dark_16_bit: bool
    has_transparency: bool = False
    camera: str = ""

    def jpeg(self, quality: int) -> bytes:
        """The square as a baseline JPEG without metadata."""
        return _jpeg(self.square, quality)


def prepare(data: bytes, parameters: PixelParameters) -> Prepared:
    """Make the upright, opaque, square RGB baseline JPEG without metadata; the same bytes always give the same result.

    Raises:
        ImageRejectedError: the bytes are not one complete image within the limits; the code says which.

    """
    shown = picture(data, parameters)
    return Prepared(shown.jpeg(parameters.jpeg_quality), shown.width, shown.height)


def picture(data: bytes, parameters: PixelParameters) -> Picture:
    """Decode an image and make it upright, opaque and square.

    Raises:
        ImageRejectedError: as ``prepare``.

    """
    image, size = decode(data, parameters.limits, shrink=lambda opened: _shrink_while_decoding(opened, parameters))
    mode, orientation, camera = image.mode, _orientation(image), _camera(image)
    coloured, is_dark = _colours(image, data)
    square = _flat(_padded(_upright(_scaled(coloured, parameters), orientation), parameters))
    shown = _upright_size(size, orientation)
    has_transparency = coloured.mode == "RGBA"
    return Picture(square, *shown, image.format or "", mode, orientation, is_dark, has_transparency, camera)


def keep(data: bytes, parameters: PixelParameters) -> Prepared:
    """Check an image as strictly as ``prepare`` does, and return its own bytes: the algorithm reads JPEG and PNG.

    Raises:
        ImageRejectedError: as ``prepare``; or the format is one that the algorithm does not read.

    """
    image = open_image(data, parameters.limits)
    if image.format not in (*ALGORITHM_FORMATS, "MPO"):
        sentence = f"The file is {image.format}, which the algorithm does not read; save it as JPEG or PNG."
        raise ImageRejectedError("unsupported", sentence)
    decoded, size = decode(data, parameters.limits, shrink=lambda _: None)
    return Prepared(data, *_upright_size(size, _orientation(decoded)))


def revision(data: bytes, parameters: PixelParameters) -> str:
    """What to add to an image's identity if release 0.1 made other pixels of it, which were wrong; else nothing.

    A BMP whose alpha is 0 everywhere was white; a 16-bit PNG with low values black; a planar 16-bit TIFF noise; a TIFF
    with a palette of 8 bits black.
    """
    if signatures.png_is_16_bit(data):
        return "-2" if (signatures.png_significant_bits(data) or 16) < 16 else ""
    if not data.startswith((b"BM", *signatures.TIFF)):
        return ""
    image = open_image(data, parameters.limits)
    changed = (
        has_empty_alpha(image, data) if image.format == "BMP" else is_planar_16_bit(image) or has_8_bit_palette(image)
    )
    return "-2" if changed else ""


def thumbnail(data: bytes) -> bytes:
    """A prepared image as a JPEG of at most THUMBNAIL_PX x THUMBNAIL_PX pixels; a smaller image is not enlarged."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (THUMBNAIL_PX, THUMBNAIL_PX))
        small = image.convert("RGB")
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=THUMBNAIL_QUALITY)
    return out.getvalue()


def blank() -> bytes:
    """A small image without content, to ask a model whether it answers."""
    return _jpeg(Image.new("RGB", (BLANK_PX, BLANK_PX), PADDING), PixelParameters(BLANK_PX).jpeg_quality)


def measure(data: bytes, parameters: PixelParameters) -> tuple[int, int]:
    """Width and height of an image held upright, from its header alone; for images that were prepared before.

    Raises:
        ImageRejectedError: the header cannot be read or is beyond the limits.

    """
    image = open_image(data, parameters.limits)
    return image.size if image.format == "TIFF" else _upright_size(image.size, _orientation(image))


def _shrink_while_decoding(image: Image.Image, parameters: PixelParameters) -> None:
    """Let libjpeg decode a large photo at 1/2, 1/4 or 1/8, never below twice the size that is needed."""
    side = min(image.size) if parameters.fit == "crop" else max(image.size)
    for scale in (8, 4, 2):
        if side >= 2 * parameters.side_px * scale:
            image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
            return


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8. Read after loading: PNG may keep it behind the pixels, TIFF is turned by Pillow."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except DECODER_ERRORS:  # a damaged EXIF block does not spoil the pixels
        return 1
    return orientation if orientation in _UPRIGHT else 1


def _camera(image: Image.Image) -> str:
    try:
        exif = image.getexif()
        return " ".join(str(exif[tag]).strip("\0 ") for tag in (_MAKER, _MODEL) if tag in exif)[:80]
    except DECODER_ERRORS:
        return ""


def _upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    width, height = size
    return (height, width) if orientation in _LYING else (width, height)


def _colours(image: Image.Image, data: bytes) -> tuple[Image.Image, bool]:
    """RGB, or RGBA if anything may be transparent; and whether the values of 16 bits are so low that it is dark.

    What is RGB already is not copied, which saves much memory.
    """
    if image.mode in ("I", "F", "LAB") or (image.mode.startswith("I;16") and _is_odd_grey(image)):
        sentence = f"The image's pixels are of kind {image.mode}, whose range of brightness is not known: {SAVE_AS}."
        raise ImageRejectedError("unsupported", sentence)
    try:
        if image.mode.startswith("I;16"):
            return grey_of_16_bits(image, data)
        wanted = "RGBA" if image.has_transparency_data else "RGB"
        coloured = image if image.mode == wanted else image.convert(wanted)
    except DECODER_ERRORS as error:
        sentence = f"The image's pixels are of kind {image.mode}, which cannot be made RGB: {error}."
        raise ImageRejectedError("unsupported", sentence) from error
    return coloured, signatures.png_is_16_bit(data) and is_dark_of_16_bits(coloured, data)


def _is_odd_grey(image: Image.Image) -> bool:
    """A TIFF whose samples have 12 bits, or whose zero is white: Pillow hands the numbers out as they are."""
    tags = getattr(image, "tag_v2", None)
    return tags is not None and (tags.get(_BITS_PER_SAMPLE), tags.get(_PHOTOMETRIC)) != ((16,), _BLACK_IS_ZERO)


def _scaled(image: Image.Image, parameters: PixelParameters) -> Image.Image:
    side, (width, height) = parameters.side_px, image.size
    if parameters.fit == "crop":
        edge = min(width, height)
        left, top = (width - edge) / 2, (height - edge) / 2
        return image.resize((side, side), Image.Resampling.BICUBIC, box=(left, top, left + edge, top + edge))
    longer = max(width, height)
    size = (max(1, round(width * side / longer)), max(1, round(height * side / longer)))
    return image.resize(size, Image.Resampling.BICUBIC)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _padded(image: Image.Image, parameters: PixelParameters) -> Image.Image:
    side, (width, height) = parameters.side_px, image.size
    if width == height == side:
        return image
    canvas = Image.new(image.mode, (side, side), (*PADDING, 255)[: len(image.mode)])
    canvas.paste(image, ((side - width) // 2, (side - height) // 2))
    return canvas


def _flat(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    canvas = Image.new("RGB", image.size, BACKGROUND)
    canvas.paste(image, mask=image.getchannel("A"))
    return canvas


def _jpeg(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.info.clear()  # Pillow copies comments and profiles of the source into what it saves
    # Colour at full resolution (4:4:4): at 28 pixels a side, half of it would be missing.
    image.save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()
