"""Reads a file's format, the parts of a PNG, GIF or JPEG, and a JPEG's scans from its bytes, without a decoder.

It imports the standard library only. Sources: PNG (ISO 15948, section 5), JPEG (ITU-T T.81, annex B), ISO base media
(ISO 14496-12), Git LFS (docs/spec.md of its repository).
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from typing import Final

JPEG: Final = b"\xff\xd8\xff"
PNG: Final = b"\x89PNG\r\n\x1a\n"
GIF: Final = b"GIF8"
TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
GIT_LFS: Final = b"version https://git-lfs.github.com/spec/"
NOT_DOWNLOADED: Final = "The file is a Git LFS pointer, not the image, which was not downloaded: run `git lfs pull`."
READ: Final = (JPEG, PNG, GIF, b"BM", b"RIFF", *TIFF)  # the first bytes of the formats that are decoded

MAX_PARTS: Final = 100_000  # 25 MB of GIF have 97,657, and Pillow takes 10 us for each
MAX_COPIED: Final = 64  # a JPEG's Exif block has one segment of 64 KiB, or a few

# Image formats that are not decoded, by their first bytes.
_UNREAD: Final = (
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
    (b"%PDF", "a PDF document"),
    *((b"P%d%c" % (kind, blank), "a PPM or PGM image") for kind in (2, 3, 5, 6) for blank in b" \n\r\t"),
    (b"8BPS", "a Photoshop document"),
    (b"\0\0\1\0", "an icon (ICO)"),
    (b"FUJIFILMCCD-RAW", "a camera's raw image"),
    (b"IIRO", "a camera's raw image"),
    (b"IIRS", "a camera's raw image"),
    (b"IIU\0", "a camera's raw image"),
    (b"FOVb", "a camera's raw image"),
    (b"\x76\x2f\x31\x01", "an OpenEXR image"),
    (b"\x1aE\xdf\xa3", "a video"),
)
_HEIF_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
# Atomic: otherwise a comment may also end at a later one's end, and 40 comments are tried in 2**40 ways.
_SVG: Final = re.compile(rb"(?>\s+|<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE[^>]*>)*+<svg\b", re.DOTALL)
# Fill bytes (0xFF) may stand before a marker; a pattern of all of them takes quadratic time where no marker follows.
_JPEG_MARKER: Final = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])", re.DOTALL)
_STANDALONE: Final = (0x01, 0xD8)  # JPEG markers without a length
_SKIPPED: Final = (0xC8, 0xD8, 0xD9, *range(0xF0, 0xFE))  # after which Pillow reads on at the next byte
_EOI, _SOS, _DRI, _APP1 = 0xD9, 0xDA, 0xDD, 0xE1
_EXIF: Final = b"Exif\0\0"
_GIF_IMAGE, _GIF_EXTENSION, _GIF_END = b",!;"
_LAST_COEFFICIENT: Final = 63
# Chunks that decide a PNG's pixels, their orientation or the number of frames.
_PNG_PIXELS: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sBIT", b"eXIf", b"acTL", b"fcTL", b"fdAT")


def container_format(data: bytes) -> str | None:
    """Return AVIF or HEIF if the file is an ISO base media file with such a brand; None otherwise."""
    if data[4:8] != b"ftyp":
        return None
    box = data[8 : min(max(16, int.from_bytes(data[:4], "big")), 256)]
    brands = {box[start : start + 4] for start in range(0, len(box), 4)}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def unread_format(data: bytes) -> str | None:
    """Name the format of an image file that is not decoded, such as ``a PDF document``; None if it is unknown."""
    for magic, name in _UNREAD:
        if data.startswith(magic):
            return name
    if data[4:8] == b"ftyp" and container_format(data) is None:
        return "a camera's raw image" if data[8:12] == b"crx " else "a video"
    if data.startswith(b"II*\0") and data[8:10] == b"CR":
        return "a camera's raw image"
    if data[128:132] == b"DICM":
        return "a DICOM file"
    return "an SVG drawing" if _SVG.match(data[:4096]) else None


def png_without_metadata(data: bytes) -> bytes:
    """Return a PNG without metadata such as text and profiles.

    Only chunks that the decoder does not need are removed; it reports a damaged pixel chunk itself.
    """
    kept = [PNG]
    for name, body, chunk in _png_chunks(data):
        is_sound = zlib.crc32(name + body) == int.from_bytes(chunk[-4:], "big")
        if name in _PNG_PIXELS and (is_sound or name[:1].isupper()):
            kept.append(chunk)
    return b"".join(kept)


def png_significant_bits(data: bytes) -> int | None:
    """Return the largest number of significant bits of a channel by the ``sBIT`` chunk; None without the chunk."""
    for name, body, _ in _png_chunks(data[:65_536]):
        if name == b"sBIT" and body:
            return max(body)
        if name == b"IDAT":
            return None
    return None


def has_too_many_parts(data: bytes) -> bool:
    """Return whether a file has more parts than `MAX_PARTS`, or more than `MAX_COPIED` that Pillow copies or inflates.

    Parts are what Pillow reads in Python: the chunks of a PNG, the blocks of a GIF, and before a JPEG's first scan the
    segments, the components of a frame and each byte between segments. For every Exif segment Pillow copies all those
    before it, and it inflates each colour profile of a PNG up to 1 MB.
    """
    copied = 0
    for number, is_copied in enumerate(_parts(data), start=1):
        copied += is_copied
        if number > MAX_PARTS or copied > MAX_COPIED:
            return True
    return False


def _parts(data: bytes) -> Iterator[bool]:
    """Yield for each part of a PNG, GIF or JPEG whether Pillow copies or inflates it."""
    if data.startswith(PNG):
        yield from (name == b"iCCP" for name, _, _ in _png_chunks(data))
    elif data.startswith(JPEG):
        yield from _jpeg_header(data)
    elif data.startswith(GIF):
        yield from (False for _ in _gif_blocks(data))


def _jpeg_header(data: bytes) -> Iterator[bool]:
    """Yield for each part before the first scan, as Pillow finds them, whether it is of an Exif block."""
    position = 2
    while found := _JPEG_MARKER.search(data, position):
        yield from repeat(False, found.start() - position)
        marker, position = found.group(1)[0], found.end()
        if marker == _SOS:
            return
        length = 0 if marker in _SKIPPED else max(int.from_bytes(data[position : position + 2], "big"), 2)
        yield marker == _APP1 and data.startswith(_EXIF, position + 2)
        if _is_frame(marker):
            yield from repeat(False, length // 3)
        position += length
    yield from repeat(False, len(data) - position)


def _gif_blocks(data: bytes) -> Iterator[int]:
    """Yield the position of each block and of each byte between blocks. Source: GIF89a, appendix A."""
    position = 13 + _gif_colours(data[10:11])
    while position < len(data) and data[position] != _GIF_END:
        kind = data[position]
        yield position
        position += 1
        if kind == _GIF_IMAGE:
            position += 10 + _gif_colours(data[position + 8 : position + 9])
        elif kind == _GIF_EXTENSION:
            position += 1
        else:
            continue
        while size := int.from_bytes(data[position : position + 1], "big"):
            yield position
            position += 1 + size
        position += 1


def _gif_colours(flags: bytes) -> int:
    """Return the length of the table of colours that these flags announce."""
    return 3 << (flags[0] & 7) + 1 if flags and flags[0] & 0x80 else 0


def png_is_16_bit(data: bytes) -> bool:
    """Return whether a PNG's header announces 16 bits per channel."""
    return data.startswith(PNG) and data[12:16] == b"IHDR" and data[24:25] == b"\x10"


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Yield (name, body, whole chunk) of every chunk, up to the first that is cut off."""
    position = len(PNG)
    while position + 12 <= len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        if end > len(data):
            return
        chunk = data[position:end]
        yield chunk[4:8], chunk[8:-4], chunk
        position = end


@dataclass(frozen=True)
class JpegScans:
    """The scans of the first image of a JPEG file.

    Attributes:
        count: number of scans.
        has_end: the end-of-image marker is present.
        is_complete: the scans contain every bit of every coefficient.
        has_more: reading ended early, at the most scans that were asked for, or at the most parts.
        next_restart: the restart marker that would follow, 0 to 7; None if the image has none.

    """

    count: int
    has_end: bool
    is_complete: bool
    has_more: bool
    next_restart: int | None


def jpeg_scans(data: bytes, *, most: int = MAX_PARTS) -> JpegScans:
    """Read a JPEG's markers, to its end or to a scan more than `most`; entropy-coded data is skipped, not decoded."""
    count, markers, last_scan, interval, has_end = 0, 0, 0, 0, False
    final: set[tuple[int, int]] = set()  # (component, coefficient) pairs whose lowest bit was read
    components = 0
    for marker, segment, position in _jpeg_segments(data):
        markers += 1
        if marker == _DRI:
            interval = int.from_bytes(segment[:2], "big")
        elif marker == _SOS:
            count, last_scan = count + 1, position
            final |= _finished(segment)
        elif _is_frame(marker):
            components = segment[5] if len(segment) > 5 else 0
        has_end = marker == _EOI
        if has_end or count > most or markers > MAX_PARTS:
            break
    wanted = components * (_LAST_COEFFICIENT + 1)
    has_more = count > most or markers > MAX_PARTS
    restarts = sum(data.count(bytes((0xFF, 0xD0 + number)), last_scan) for number in range(8)) if interval else 0
    return JpegScans(count, has_end, len(final) >= wanted, has_more, restarts % 8 if interval else None)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Yield each marker, its segment and where that ends."""
    position = 2
    while found := _JPEG_MARKER.search(data, position):
        marker, start = found.group(1)[0], found.end()
        if marker in _STANDALONE or marker == _EOI:
            segment, position = b"", start
        else:
            length = int.from_bytes(data[start : start + 2], "big")
            segment, position = data[start + 2 : start + length], start + max(length, 2)
        yield marker, segment, position


def _is_frame(marker: int) -> bool:
    return 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)


def _finished(scan: bytes) -> set[tuple[int, int]]:
    """Return the (component, coefficient) pairs whose lowest bit a scan contains."""
    if len(scan) < 1 or len(scan) < 4 + 2 * scan[0]:
        return set()
    first, last, bits = scan[1 + 2 * scan[0] : 4 + 2 * scan[0]]
    if bits & 0x0F:
        return set()
    components = [scan[1 + 2 * number] for number in range(scan[0])]
    return {(component, at) for component in components for at in range(first, min(last, _LAST_COEFFICIENT) + 1)}


def jpeg_endings(data: bytes) -> tuple[bytes, bytes] | None:
    """Return two endings for a JPEG without end marker: if both decode to the same image, only the marker is missing.

    A decoder fills the rest of an image that ends too early. The first ending is the end marker alone; the second has
    other pixels before it, which change the decoded image if pixels are missing. The result is None if the file has its
    end marker, or if scans are missing. Fill bytes at the end, as of erased flash memory, are left out: data after
    them changes no pixel.
    """
    data = data.rstrip(b"\xff")
    scans = jpeg_scans(data)
    if scans.has_end or scans.has_more or not scans.count or not scans.is_complete:
        return None
    end, more = bytes((0xFF, _EOI)), bytes(range(1, 255)) * 2
    if scans.next_restart is not None:
        more += bytes((0xFF, 0xD0 + scans.next_restart)) + more
    return data + end, data + more + end
