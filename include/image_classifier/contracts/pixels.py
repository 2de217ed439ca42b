"""Converts an image into the square JPEG that the network sees; the data set and the endpoint use the same function.

The algorithm crops images in training and squashes them at inference. Neither changes a square image, so the endpoint
reaches the accuracy that the training job reported. The inference function's zip contains this file.
"""

import io
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image

from image_classifier.contracts import exif, signatures, tiff
from image_classifier.contracts.decoding import Limits, decode, has_empty_alpha, open_image
from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.contracts.sixteen_bits import DARK_16_BIT, grey_of_16_bits, is_dark_of_16_bits
from image_classifier.contracts.tiff import DECODER_ERRORS, SAVE_AS, has_8_bit_palette, is_planar_16_bit

ALGORITHM_FORMATS: Final = ("JPEG", "PNG")  # formats that the endpoint accepts unchanged
MAX_IMAGE_BYTES: Final = 25 * 1024 * 1024
THUMBNAIL_PX = 160  # length of the longer side
THUMBNAIL_QUALITY = 80
MAX_IMAGE_PIXELS: Final = (
    60_000_000  # accepts a phone's photo of 50 megapixels; a pixel takes up to 8 bytes while it is decoded
)
PADDING: Final = (124, 116, 104)  # the mean of ImageNet's pixels: close to zero once a network has subtracted that mean
BLANK_PX: Final = 64
BACKGROUND: Final = (255, 255, 255)  # transparent images are usually drawn for a white page
PROCEDURE: Final = (
    "1"  # raise it when the same image and parameters give other pixels; then every image is prepared again
)

_BITS_PER_SAMPLE, _PHOTOMETRIC, _BLACK_IS_ZERO = 0x0102, 0x0106, 1  # TIFF tag


@dataclass(frozen=True)
class PixelParameters:
    """The parameters that decide the pixels of the result, and the limits of a source image.

    Attributes:
        side_px: width and height of the result.
        fit: ``pad`` keeps the whole image and fills the square with grey; ``crop`` keeps the central square.
        jpeg_quality: quality of the result, 1 to 95.
        max_image_bytes: larger files are rejected before they are read.
        max_image_pixels: larger images are rejected before they are decoded; their header gives the size.

    """

    side_px: int
    fit: Literal["pad", "crop"] = "pad"
    jpeg_quality: int = 90
    max_image_bytes: int = MAX_IMAGE_BYTES
    max_image_pixels: int = MAX_IMAGE_PIXELS

    @property
    def limits(self) -> Limits:
        """Return the limits of a source image."""
        return Limits(self.max_image_bytes, self.max_image_pixels)

    def key(self) -> str:
        """Return a text that is equal for two parameter sets if and only if they give the same pixels."""
        return f"{PROCEDURE}-{self.fit}-{self.side_px}-q{self.jpeg_quality}"


@dataclass(frozen=True)
class Prepared:
    """An image ready for the network, and the source's width and height in pixels when held upright."""

    jpeg: bytes
    width: int
    height: int
    traits: tuple[str, ...] = ()  # see `predictions.Prediction`


@dataclass(frozen=True)
class Picture:
    """An image as the network sees it, with properties of its file.

    Attributes:
        square: the upright, opaque image of mode RGB, side_px x side_px pixels.
        width, height: size of the source when held upright, in pixels.
        format: Pillow's name of the file's format.
        mode: Pillow's name of the file's pixel mode, such as CMYK.
        orientation: the EXIF orientation, 1 to 8, that was applied.
        dark_16_bit: the image has 16 bits per value, and all values are so low that it is nearly black.
        has_transparency: some pixels may be transparent; they show the background.
        camera: maker and model from EXIF; empty if EXIF names none.

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
        """Return the square as a baseline JPEG without metadata."""
        return _jpeg(self.square, quality)


def prepare(data: bytes, parameters: PixelParameters) -> Prepared:
    """Convert an image to an upright, opaque, square RGB baseline JPEG without metadata; the result is deterministic.

    Raises:
        ImageRejectedError: the bytes are not one complete image within the limits; its `code` names the reason.

    """
    shown = picture(data, parameters)
    jpeg, traits = shown.jpeg(parameters.jpeg_quality), (DARK_16_BIT,) if shown.dark_16_bit else ()
    return Prepared(jpeg, shown.width, shown.height, traits)


def picture(data: bytes, parameters: PixelParameters) -> Picture:
    """Decode an image and make it upright, opaque and square.

    Raises:
        ImageRejectedError: as ``prepare``.

    """
    image, size = decode(data, parameters.limits, shrink=lambda opened: _shrink_while_decoding(opened, parameters))
    mode, orientation, camera = image.mode, exif.orientation(image), exif.camera(image)
    coloured, is_dark = _colours(image, data)
    square = _flat(_padded(exif.upright(_scaled(coloured, parameters), orientation), parameters))
    shown = exif.upright_size(size, orientation)
    has_transparency = coloured.mode == "RGBA"
    applied = tiff.orientation(data) if image.format == "TIFF" else orientation
    return Picture(square, *shown, image.format or "", mode, applied, is_dark, has_transparency, camera)


def keep(data: bytes, parameters: PixelParameters) -> Prepared:
    """Check an image as ``prepare`` does, and return its bytes unchanged.

    Raises:
        ImageRejectedError: as ``prepare``; or the format is neither JPEG nor PNG, which the algorithm reads.

    """
    image = open_image(data, parameters.limits)
    if image.format not in (*ALGORITHM_FORMATS, "MPO"):
        sentence = f"The file is {image.format}, which the algorithm does not read; save it as JPEG or PNG."
        raise ImageRejectedError("unsupported", sentence)
    decoded, size = decode(data, parameters.limits, shrink=lambda _: None)
    return Prepared(data, *exif.upright_size(size, exif.orientation(decoded)))


def revision(data: bytes, parameters: PixelParameters) -> str:
    """Return a suffix for an image's identity if release 0.1 made wrong pixels of it; otherwise an empty text.

    Release 0.1 made a BMP whose alpha is 0 everywhere white, a 16-bit PNG with low values black, a planar 16-bit TIFF
    noise, and a TIFF with a palette of 8 bits black.
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
    """Return a prepared image as a JPEG of at most THUMBNAIL_PX x THUMBNAIL_PX pixels; no image is enlarged."""
    with Image.open(io.BytesIO(data)) as image:
        image.draft("RGB", (THUMBNAIL_PX, THUMBNAIL_PX))
        small = image.convert("RGB")
    small.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    out = io.BytesIO()
    small.save(out, "JPEG", quality=THUMBNAIL_QUALITY)
    return out.getvalue()


def blank() -> bytes:
    """Return a small grey JPEG, which tests whether a model answers."""
    return _jpeg(Image.new("RGB", (BLANK_PX, BLANK_PX), PADDING), PixelParameters(BLANK_PX).jpeg_quality)


def measure(data: bytes, parameters: PixelParameters) -> tuple[int, int]:
    """Return (width, height) in pixels of an image held upright, from its header; for images that were prepared before.

    Raises:
        ImageRejectedError: the header cannot be read, or the image is larger than the limits.

    """
    image = open_image(data, parameters.limits)
    return image.size if image.format == "TIFF" else exif.upright_size(image.size, exif.orientation(image))


def _shrink_while_decoding(image: Image.Image, parameters: PixelParameters) -> None:
    """Let libjpeg decode a large photo at 1/2, 1/4 or 1/8 of its size, never below twice the size that is needed."""
    side = min(image.size) if parameters.fit == "crop" else max(image.size)
    for scale in (8, 4, 2):
        if side >= 2 * parameters.side_px * scale:
            image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
            return


def _colours(image: Image.Image, data: bytes) -> tuple[Image.Image, bool]:
    """Return the image as RGB, or RGBA if pixels may be transparent, and whether its 16-bit values are nearly black.

    An RGB image is not copied, which saves memory.
    """
    if image.mode in ("I", "F", "LAB") or (image.mode.startswith("I;16") and _is_odd_grey(image)):
        sentence = f"The image's pixels are of kind {image.mode}, whose range of brightness is not known: {SAVE_AS}."
        raise ImageRejectedError("unsupported", sentence)
    if image.mode in ("P", "PA") and image.palette is None:
        raise ImageRejectedError("corrupt", f"The {image.format} image needs a palette of colours, and has none.")
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
    """Return whether a TIFF's samples have 12 bits, or its zero is white: Pillow does not convert these values."""
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
    image.info.clear()  # Pillow would copy the source's comments and profiles into the saved file
    # Colour is stored at full resolution (4:4:4): half of it would be lost, which matters at 28 pixels a side.
    image.save(out, "JPEG", quality=quality, subsampling=0)
    return out.getvalue()
