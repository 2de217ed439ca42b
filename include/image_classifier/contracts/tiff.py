"""Reads the pages of TIFF files, and corrects values that Pillow misreads. Source of tags and types: TIFF 6.0."""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final

from PIL import Image, ImageFile, ImagePalette, TiffImagePlugin

from image_classifier.contracts.errors import ImageRejectedError

SAVE_AS: Final = "save it as JPEG or PNG"
MAX_PAGES: Final = 16
MAX_TAG_BYTES: Final = 4 << 20  # the offsets of 65,535 strips in each of four planes have 2 MiB
MAX_OTHER_BYTES: Final = 512 << 10  # the largest other tag, a palette of 16 bits, has 384 KiB
_SUBFILE, _BITS, _ORIENTATION, _PLANAR, _COLOUR_MAP = 254, 258, 274, 284, 320
_STRIPS, _TILES = (273, 279), (324, 325)  # tags that hold offsets and byte counts
_PRIVATE, _PROFILE = 32_768, 34_675  # the first private tag; the one of them whose values Pillow reads
_BYTES: Final = (1, 2, 7)  # types of a byte a value, which Pillow need not convert
_REDUCED: Final = 0b001
_REDUCED_OR_MASK: Final = 0b101
# Pillow's decoders have no common error for a malformed header; the one of AVIF raises RuntimeError, and some assert.
DECODER_ERRORS: Final = (
    AssertionError,
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)


def check_pages(data: bytes) -> None:
    """Check that the first page is the picture, and that all others are smaller copies or masks of it.

    Raises:
        ImageRejectedError: the first page is a preview, or there are several full pages.

    """
    kinds = [next(iter(_numbers(tags.get(_SUBFILE))), 0) for tags in _directories(data, _SUBFILE, most=MAX_PAGES)]
    if kinds and kinds[0] & _REDUCED:
        sentence = f"The TIFF file begins with a small preview, as cameras' raw images do: {SAVE_AS}."
        raise ImageRejectedError("unsupported", sentence)
    if len(kinds) == MAX_PAGES or any(not kind & _REDUCED_OR_MASK for kind in kinds[1:]):
        raise ImageRejectedError("several_pages", "The TIFF file holds several pages; one image was expected.")


def check_tags(data: bytes) -> None:
    """Check that no tag of the first page has so many values that converting them takes too much time or memory.

    Raises:
        ImageRejectedError: one has.

    """
    for directory in _loaded(data, most=1):
        for tag, kind in directory.tagtype.items():
            limit = MAX_TAG_BYTES if tag in (*_STRIPS, *_TILES) else MAX_OTHER_BYTES
            is_converted = kind not in _BYTES and (tag < _PRIVATE or tag == _PROFILE)
            if is_converted and _bytes_of(directory, tag) > limit:
                sentence = f"Tag {tag} of the TIFF file has more than {limit:,} bytes, which are not read: {SAVE_AS}."
                raise ImageRejectedError("unsupported", sentence)


def is_whole(data: bytes) -> bool:
    """Return whether the file contains all the bytes that its first directory refers to."""
    tags = next(_directories(data, *_STRIPS, *_TILES, most=1), {})
    for offsets, counts in (_STRIPS, _TILES):
        where, sizes = _numbers(tags.get(offsets)), _numbers(tags.get(counts))
        if where and len(where) == len(sizes):
            return max(start + size for start, size in zip(where, sizes, strict=True)) <= len(data)
    return False


def orientation(data: bytes) -> int:
    """Return the orientation of the first page, 1 to 8; Pillow removes the tag when it applies it."""
    found = next(_directories(data, _ORIENTATION, most=1), {}).get(_ORIENTATION, 1)
    return found if found in range(1, 9) else 1


def correct(image: Image.Image) -> None:
    """Correct what Pillow misreads: planes of 16 bits, and palettes of 8 bits where the standard requires 16."""
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return
    tags = image.tag_v2
    if is_planar_16_bit(image) and image.tile and image.tile[0].codec_name == "raw":
        args = (f"{image.mode};16N", False, tags.offset)
        image.tile = [ImageFile._Tile("libtiff", (0, 0, *image.size), 0, args)]
        image.use_load_libtiff = True
    if has_8_bit_palette(image):
        image.palette = ImagePalette.raw("RGB;L", bytes(tags[_COLOUR_MAP]))


def is_planar_16_bit(image: Image.Image) -> bool:
    """Return whether a TIFF stores each colour in a separate plane of 16 bits per value."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(_PLANAR) == 2 and 16 in _numbers(tags.get(_BITS))


def has_8_bit_palette(image: Image.Image) -> bool:
    """Return whether the values of a TIFF's palette end at 255; the standard's range ends at 65,535."""
    values = _numbers(getattr(image, "tag_v2", {}).get(_COLOUR_MAP))
    return image.mode == "P" and bool(values) and 0 <= min(values) <= max(values) <= 255 and max(values) > 0


def _directories(data: bytes, *wanted: int, most: int) -> Iterator[dict[int, Any]]:
    """Yield these tags of each of a TIFF's first directories; reading ends at a damaged directory.

    Only they are decoded: a tag may have as many values as the file has bytes, and all pages may share it.
    """
    try:
        for directory in _loaded(data, most=most):
            yield {tag: directory[tag] for tag in wanted if 0 < _bytes_of(directory, tag) <= MAX_TAG_BYTES}
    except DECODER_ERRORS:
        return


def _loaded(data: bytes, *, most: int) -> Iterator[TiffImagePlugin.ImageFileDirectory_v2]:
    """Yield each of the first directories, loaded into one object; no value is decoded."""
    seen: set[int] = set()
    try:
        directory = TiffImagePlugin.ImageFileDirectory_v2(data[: 16 if data[2:3] == b"+" or data[3:4] == b"+" else 8])
        file = io.BytesIO(data)
        while directory.next and directory.next not in seen and len(seen) < most:
            seen.add(directory.next)
            file.seek(directory.next)
            directory.load(file)
            yield directory
    except DECODER_ERRORS:
        return


def _bytes_of(directory: TiffImagePlugin.ImageFileDirectory_v2, tag: int) -> int:
    """Return how many bytes the values of a tag have in the file."""
    return len(directory._tagdata.get(tag, b""))


def _numbers(value: Any) -> tuple[int, ...]:
    values = value if isinstance(value, tuple) else (value,)
    return tuple(number for number in values if isinstance(number, int))
