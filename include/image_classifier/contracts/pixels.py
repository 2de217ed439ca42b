"""Turns any photograph into the square JPEG that the network sees; one function for the data set and for the endpoint.

The algorithm crops in training and squashes at inference. Of a square image neither takes anything away, so the
endpoint scores what the training job reported. Standard library, Pillow and ``errors`` only: the inference function
packs this file.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Final, Literal

from PIL import Image, UnidentifiedImageError

from image_classifier.contracts.errors import ImageRejectedError

FORMATS: Final = (
    "JPEG",
    "PNG",
    "GIF",
    "BMP",
    "WEBP",
    "TIFF",
)  # opens a phone's MPO too; its first picture is the photo
ALGORITHM_FORMATS: Final = ("JPEG", "PNG")  # what the endpoint takes as it is
MAX_IMAGE_BYTES: Final = 25 * 1024 * 1024
THUMBNAIL_PX = 160  # the longer side, for people
THUMBNAIL_QUALITY = 80
MAX_IMAGE_PIXELS: Final = 60_000_000  # a 50-megapixel telephone's photo passes; up to 8 bytes each while decoded
MAX_WEBP_PIXELS: Final = 30_000_000  # 16 bytes each: libwebp's own frame, and Pillow's
PADDING: Final = (124, 116, 104)  # the mean of ImageNet's pixels: next to nothing once a network has subtracted it
BLANK_PX: Final = 64
BACKGROUND: Final = (255, 255, 255)  # what transparent images are drawn for
PROCEDURE: Final = "1"  # raise it when the same image and parameters give other pixels: every image is prepared anew

_DRAFTED: Final = ("JPEG", "MPO")  # decoded at a scale: only the header still knows the photo's size
_MAGIC: Final = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*")
_ORIENTATION: Final = 0x0112
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
# Pillow's decoders raise whatever a malformed header led them into, not one error of their own.
_DECODER_ERRORS: Final = (
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
)


@dataclass(frozen=True)
class PixelParameters:
    """Everything that decides the pixels, and the limits of what is decoded at all.

    Attributes:
        side_px: width and height of the result.
        fit: ``pad`` keeps the whole image and fills up with grey; ``crop`` keeps the central square.
        jpeg_quality: of the result, 1 to 95.
        max_image_bytes: larger files are rejected unread.
        max_image_pixels: larger images are rejected undecoded (their header says so), and WebP beyond MAX_WEBP_PIXELS.

    """

    side_px: int
    fit: Literal["pad", "crop"] = "pad"
    jpeg_quality: int = 90
    max_image_bytes: int = MAX_IMAGE_BYTES
    max_image_pixels: int = MAX_IMAGE_PIXELS

    def key(self) -> str:
        """The same text if and only if the same source gives the same pixels; the limits do not change pixels."""
        return f"{PROCEDURE}-{self.fit}-{self.side_px}-q{self.jpeg_quality}"


@dataclass(frozen=True)
class Prepared:
    """An image ready for the network, and the size the source had when held upright."""

    jpeg: bytes
    width: int
    height: int


def prepare(data: bytes, parameters: PixelParameters) -> Prepared:
    """Make the upright, opaque, square RGB baseline JPEG without metadata; the same bytes always give the same result.

    Raises:
        ImageRejectedError: the bytes are not one complete image within the limits; the code says which.

    """
    image = _open(data, parameters)
    size_in_header = image.size
    _shrink_while_decoding(image, parameters)
    _load(image)
    orientation = _orientation(image)
    width, height = _upright_size(size_in_header if image.format in _DRAFTED else image.size, orientation)
    square = _padded(_upright(_scaled(_colours(image), parameters), orientation), parameters)
    return Prepared(_jpeg(_flat(square), parameters), width, height)


def keep(data: bytes, parameters: PixelParameters) -> Prepared:
    """Judge an image as strictly as ``prepare`` does, and hand its own bytes back: the algorithm takes JPEG and PNG.

    Raises:
        ImageRejectedError: as ``prepare``; or the format is one that the algorithm does not read.

    """
    image = _open(data, parameters)
    if image.format not in (*ALGORITHM_FORMATS, "MPO"):
        sentence = f"The file is {image.format}, which the algorithm does not read; save it as JPEG or PNG."
        raise ImageRejectedError("unsupported", sentence)
    _load(image)
    return Prepared(data, *_upright_size(image.size, _orientation(image)))


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
    return _jpeg(Image.new("RGB", (BLANK_PX, BLANK_PX), PADDING), PixelParameters(BLANK_PX))


def measure(data: bytes, parameters: PixelParameters) -> tuple[int, int]:
    """Width and height of an image held upright, from its header alone; for images that were prepared before.

    Raises:
        ImageRejectedError: the header cannot be read or is beyond the limits.

    """
    image = _open(data, parameters)
    return image.size if image.format == "TIFF" else _upright_size(image.size, _orientation(image))


def _open(data: bytes, parameters: PixelParameters) -> Image.Image:
    if not data:
        raise ImageRejectedError("empty", "The file is empty (0 bytes).")
    if len(data) > parameters.max_image_bytes:
        sentence = f"The file has {len(data):,} bytes; at most {parameters.max_image_bytes:,} are read."
        raise ImageRejectedError("too_large", sentence)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        animated = image.format != "MPO" and getattr(image, "is_animated", False)
    except Image.DecompressionBombError as error:
        raise ImageRejectedError(
            "too_many_pixels", f"The image's header announces too many pixels: {error}."
        ) from error
    except UnidentifiedImageError as error:
        raise _unidentified(data) from error
    except _DECODER_ERRORS as error:
        raise ImageRejectedError("corrupt", f"The image's header cannot be read: {error}.") from error
    _check_size(image, parameters)
    if animated:
        raise ImageRejectedError("animated", f"The {image.format} file holds several frames; one image was expected.")
    return image


def _unidentified(data: bytes) -> ImageRejectedError:
    if data.startswith(_MAGIC):
        return ImageRejectedError("corrupt", "The file begins like an image, but its header is damaged or cut off.")
    return ImageRejectedError("not_an_image", f"The file is not an image of a known format ({', '.join(FORMATS)}).")


def _check_size(image: Image.Image, parameters: PixelParameters) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise ImageRejectedError("corrupt", f"The image's header announces {width} x {height} pixels.")
    limit = min(parameters.max_image_pixels, MAX_WEBP_PIXELS) if image.format == "WEBP" else parameters.max_image_pixels
    if width * height > limit:
        sentence = f"The {image.format} image has {width} x {height} pixels; at most {limit:,} are decoded."
        raise ImageRejectedError("too_many_pixels", sentence)


def _shrink_while_decoding(image: Image.Image, parameters: PixelParameters) -> None:
    """Let libjpeg decode a large photo at 1/2, 1/4 or 1/8, never below twice the size that is needed."""
    side = min(image.size) if parameters.fit == "crop" else max(image.size)
    for scale in (8, 4, 2):
        if side >= 2 * parameters.side_px * scale:
            image.draft(None, (max(1, image.width // scale), max(1, image.height // scale)))
            return


def _load(image: Image.Image) -> None:
    try:
        image.load()
    except _DECODER_ERRORS as error:
        if "truncated" in str(error):
            raise ImageRejectedError("truncated", f"The image ends before its last pixel: {error}.") from error
        raise ImageRejectedError("corrupt", f"The image cannot be decoded: {error}.") from error


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation, 1 to 8. Read after loading: PNG may keep it behind the pixels, TIFF is turned by Pillow."""
    try:
        orientation = image.getexif().get(_ORIENTATION)
    except _DECODER_ERRORS:  # a damaged EXIF block does not spoil the pixels
        return 1
    return orientation if orientation in _UPRIGHT else 1


def _upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    width, height = size
    return (height, width) if orientation in _LYING else (width, height)


def _colours(image: Image.Image) -> Image.Image:
    """RGB, or RGBA if anything may be transparent; what is so already is not copied, which saves much memory."""
    if image.mode in ("I", "F", "LAB") or (image.mode.startswith("I;16") and _is_odd_grey(image)):
        sentence = f"The image's pixels are of kind {image.mode}, whose range of brightness is not known."
        raise ImageRejectedError("unsupported", sentence)
    try:
        if image.mode.startswith("I;16"):
            grey = image if image.mode == "I;16" else image.convert("I")
            return grey.point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
        wanted = "RGBA" if image.has_transparency_data else "RGB"
        return image if image.mode == wanted else image.convert(wanted)
    except _DECODER_ERRORS as error:
        sentence = f"The image's pixels are of kind {image.mode}, which cannot be made RGB: {error}."
        raise ImageRejectedError("unsupported", sentence) from error


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


def _jpeg(image: Image.Image, parameters: PixelParameters) -> bytes:
    out = io.BytesIO()
    image.info.clear()  # Pillow copies comments and profiles of the source into what it saves
    # Colour at full resolution (4:4:4): at 28 pixels a side, half of it would be missing.
    image.save(out, "JPEG", quality=parameters.jpeg_quality, subsampling=0)
    return out.getvalue()
