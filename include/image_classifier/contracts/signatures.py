"""Reads from a file's bytes what no decoder is needed for: its format, a PNG's chunks, a JPEG's scans.

Standard library only. Formats: PNG (ISO 15948, section 5), JPEG (ITU-T T.81, annex B), ISO base media (ISO 14496-12).
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

JPEG: Final = b"\xff\xd8\xff"
PNG: Final = b"\x89PNG\r\n\x1a\n"
TIFF: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
READ: Final = (JPEG, PNG, b"GIF8", b"BM", b"RIFF", *TIFF)  # formats that are decoded begin so

# Formats that people take for pictures and that are not decoded.
_UNREAD: Final = (
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image"),
    (b"\xff\x0a", "a JPEG XL image"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image"),
    (b"%PDF", "a PDF document"),
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
_SVG: Final = re.compile(rb"\s*(<\?xml[^>]*>|<!--.*?-->|<!DOCTYPE[^>]*>|\s)*<svg\b", re.DOTALL)
_JPEG_MARKER: Final = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_STANDALONE: Final = (0x01, 0xD8)  # JPEG markers without a length
_EOI, _SOS, _DRI = 0xD9, 0xDA, 0xDD
_LAST_COEFFICIENT: Final = 63
# Chunks without which a PNG's pixels, their orientation or the number of frames would be others.
_PNG_PIXELS: Final = (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"sBIT", b"eXIf", b"acTL", b"fcTL", b"fdAT")


def container_format(data: bytes) -> str | None:
    """AVIF or HEIF, if an ISO base media file says that it is one."""
    if data[4:8] != b"ftyp":
        return None
    box = data[8 : min(max(16, int.from_bytes(data[:4], "big")), 256)]
    brands = {box[start : start + 4] for start in range(0, len(box), 4)}
    if brands & {b"avif", b"avis"}:
        return "AVIF"
    return "HEIF" if brands & _HEIF_BRANDS else None


def unread_format(data: bytes) -> str | None:
    """What a file is that some people call an image and that is not decoded, such as ``a PDF document``."""
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
    """A PNG without text, profiles and the like, nor any chunk of those that a checksum shows to be damaged.

    Only chunks that the decoder can do without are removed: a damaged pixel chunk stays, and is found by the decoder.
    """
    kept = [PNG]
    for name, body, chunk in _png_chunks(data):
        is_sound = zlib.crc32(name + body) == int.from_bytes(chunk[-4:], "big")
        if name in _PNG_PIXELS and (is_sound or name[:1].isupper()):
            kept.append(chunk)
    return b"".join(kept)


def png_significant_bits(data: bytes) -> int | None:
    """The most bits of a channel that an ``sBIT`` chunk calls significant; None without that chunk."""
    for name, body, _ in _png_chunks(data[:65_536]):
        if name == b"sBIT" and body:
            return max(body)
        if name == b"IDAT":
            return None
    return None


def png_is_16_bit(data: bytes) -> bool:
    """Whether a PNG's header announces 16 bits per channel."""
    return data.startswith(PNG) and data[12:16] == b"IHDR" and data[24:25] == b"\x10"


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Name, body and the whole chunk of each, up to the first that is cut off."""
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
        count: of scans.
        has_end: the end-of-image marker is there.
        is_complete: the scans bring every bit of every coefficient; none of them is missing.
        next_restart: the restart marker that would follow, 0 to 7; None if the image has none.

    """

    count: int
    has_end: bool
    is_complete: bool
    next_restart: int | None


def jpeg_scans(data: bytes) -> JpegScans:
    """Walk over a JPEG's markers; entropy-coded data is skipped, not decoded."""
    count, position, last_scan, interval, has_end = 0, 2, 0, 0, False
    final: set[tuple[int, int]] = set()  # component and coefficient whose last bit came
    components = 0
    while found := _JPEG_MARKER.search(data, position):
        marker, position = found.group(1)[0], found.end()
        if marker == _EOI:
            has_end = True
            break
        if marker in _STANDALONE:
            continue
        length = int.from_bytes(data[position : position + 2], "big")
        segment, position = data[position + 2 : position + length], position + max(length, 2)
        if marker == _DRI:
            interval = int.from_bytes(segment[:2], "big")
        elif marker == _SOS:
            count, last_scan = count + 1, position
            final |= _finished(segment)
        elif _is_frame(marker):
            components = segment[5] if len(segment) > 5 else 0
    wanted = components * (_LAST_COEFFICIENT + 1)
    restarts = len(re.findall(rb"\xff[\xd0-\xd7]", data[last_scan:])) if interval else 0
    return JpegScans(count, has_end, len(final) >= wanted, restarts % 8 if interval else None)


def _is_frame(marker: int) -> bool:
    return 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)


def _finished(scan: bytes) -> set[tuple[int, int]]:
    """The component and coefficient pairs whose lowest bit a scan brings."""
    if len(scan) < 1 or len(scan) < 4 + 2 * scan[0]:
        return set()
    first, last, bits = scan[1 + 2 * scan[0] : 4 + 2 * scan[0]]
    if bits & 0x0F:
        return set()
    components = [scan[1 + 2 * number] for number in range(scan[0])]
    return {(component, at) for component in components for at in range(first, min(last, _LAST_COEFFICIENT) + 1)}


def jpeg_endings(data: bytes) -> tuple[bytes, bytes] | None:
    """Two ways to go on where a JPEG lacks its end marker: if both give the same picture, only the marker is missing.

    A decoder fills up an image that ends too early. The first ending is the end marker alone; the second has other
    pixels before it, which show in the picture if there is room for any. None if the file has its end marker, or lacks
    scans.
    """
    scans = jpeg_scans(data)
    if scans.has_end or not scans.count or not scans.is_complete:
        return None
    end, more = bytes((0xFF, _EOI)), bytes(range(1, 255)) * 2
    if scans.next_restart is not None:
        more += bytes((0xFF, 0xD0 + scans.next_restart)) + more
    return data + end, data + more + end
