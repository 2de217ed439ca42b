"""Makes image files byte by byte, so that no decoder's own encoder is trusted; and damages files."""

import gzip
import io
import random
import struct
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
PNG = b"\x89PNG\r\n\x1a\n"
SIZE = (60, 45)
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6  # colour types of PNG


def scene(size: tuple[int, int] = SIZE) -> Pixels:
    """Return height x width x 3 values: four quarters of different colours, each with a gradient."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    red = np.where(x < width / 2, 40 + 2 * y, 190 + y)
    green = np.where(y < height / 2, 60 + x, 200 - x)
    blue = np.where((x < width / 2) == (y < height / 2), 20 + x + y, 220 - x)
    return np.stack([red, green, blue], axis=2).clip(0, 255).astype(np.uint8)


def grey_scene(size: tuple[int, int] = SIZE) -> Pixels:
    """Return height x width values."""
    return scene(size)[:, :, 0]


def alpha_scene(size: tuple[int, int] = SIZE) -> Pixels:
    """Return height x width values of alpha: a ramp from left to right."""
    return np.tile(np.linspace(0, 255, size[0]).astype(np.uint8), (size[1], 1))


def noise(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Pixels that no codec makes small, the same every time."""
    return Image.effect_noise(size, 80).convert(mode) if mode != "RGB" else _coloured(size)


def _coloured(size: tuple[int, int]) -> Image.Image:
    bytes_ = random.Random(1).randbytes(size[0] * size[1] * 3)
    return Image.frombytes("RGB", size, bytes_)


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def exif(orientation: int) -> bytes:
    found = Image.Exif()
    found[0x0112] = orientation
    return found.tobytes()


def damaged(data: bytes, at: float, count: int = 40) -> bytes:
    start = int(len(data) * at)
    return data[:start] + random.Random(2).randbytes(count) + data[start + count :]


def cut(data: bytes, share: float) -> bytes:
    return data[: int(len(data) * share)]


def zipped(name: str, body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, body)
    return out.getvalue()


def gzipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def chunk(name: bytes, body: bytes, *, checksum: int | None = None) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum or zlib.crc32(name + body))


def png_of(
    width: int,
    height: int,
    *,
    bits: int = 8,
    colour: int = RGB,
    data: bytes = b"\0",
    before: bytes = b"",
    lace: int = 0,
) -> bytes:
    """Return a PNG with any header, whether or not its pixels fit; ``before`` stands before the pixels."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, lace)
    return PNG + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def png(samples: NDArray[Any], *, bits: int = 8, before: bytes = b"", colour: int | None = None) -> bytes:
    """Return a PNG of height x width (x channels) values, each of 1, 2, 4, 8 or 16 bits."""
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    kind = {1: GREY, 2: GREY_ALPHA, 3: RGB, 4: RGBA}[channels] if colour is None else colour
    return png_of(width, height, bits=bits, colour=kind, data=rows(samples, bits=bits), before=before)


def rows(samples: NDArray[Any], *, bits: int = 8) -> bytes:
    """Return the lines of a PNG without a filter, before they are compressed."""
    return b"".join(b"\0" + packed(line.reshape(-1), bits) for line in samples)


def packed(values: NDArray[Any], bits: int, order: str = ">") -> bytes:
    """Return a line's values in as few bytes as they need."""
    if bits >= 8:
        return values.astype(f"{order}u{bits // 8}").tobytes()
    places = np.arange(bits - 1, -1, -1)
    return np.packbits((values.astype(np.uint8)[:, None] >> places) & 1).tobytes()


def laced_png(samples: Pixels) -> bytes:
    """Return a PNG of RGB values in the seven passes of Adam7."""
    height, width, _ = samples.shape
    passes = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
    data = b"".join(rows(samples[top::down, left::right]) for top, left, down, right in passes)
    return png_of(width, height, data=data, lace=1)


def with_chunk(data: bytes, added: bytes, *, behind_pixels: bool = False) -> bytes:
    """Return a PNG with one chunk more."""
    position = data.index(b"IEND") - 4 if behind_pixels else 33
    return data[:position] + added + data[position:]


def with_text(data: bytes, text: bytes) -> bytes:
    return with_chunk(data, chunk(b"zTXt", b"Comment\0\0" + zlib.compress(text)))


def png_16_bit(value: int, *, significant: int | None = None, colour: int = GREY) -> bytes:
    """Return a PNG of 80 x 64 equal values of 16 bits."""
    channels = 3 if colour else 1
    bits = chunk(b"sBIT", bytes([significant]) * channels) if significant else b""
    return png_of(
        80, 64, bits=16, colour=colour, data=(b"\0" + struct.pack(">H", value) * 80 * channels) * 64, before=bits
    )


def segment(marker: int, body: bytes) -> bytes:
    """Return a segment of a JPEG."""
    return bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body


def with_segments(data: bytes, *segments: bytes) -> bytes:
    """Return a JPEG with segments behind its start."""
    return data[:2] + b"".join(segments) + data[2:]


def bmp(
    lines: bytes, size: tuple[int, int], bits: int, *, compression: int = 0, palette: bytes = b"", masks: bytes = b""
) -> bytes:
    """Return a BMP (BITMAPINFOHEADER); the lines are padded to four bytes, the lowest first if height is positive."""
    header = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, compression, len(lines), 0, 0, len(palette) // 4, 0)
    start = 14 + len(header) + len(masks) + len(palette)
    return b"BM" + struct.pack("<IHHI", start + len(lines), 0, 0, start) + header + masks + palette + lines


def bmp_lines(samples: NDArray[Any], bits: int, *, lowest_first: bool = True) -> bytes:
    """Return the lines of a BMP: each value of a pixel has ``bits`` bits."""
    ordered = samples[::-1] if lowest_first else samples
    lines = (packed(line.reshape(-1), bits, "<") for line in ordered)
    return b"".join(line + bytes(-len(line) % 4) for line in lines)


def bmp_with_alpha(alpha: int) -> bytes:
    """Return a BMP of 16 x 16 pixels (60, 200, 10) that announces an alpha channel (BITMAPV4HEADER, BI_BITFIELDS)."""
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, 16, -16, 1, 32, 3, 0, 0, 0, 0, 0) + masks + bytes(52)
    pixels = bytes((10, 200, 60, alpha)) * 256
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(pixels), 0, 0, 14 + len(header)) + header + pixels


Tags = dict[int, tuple[int, list[int]]]


def tiff(tags: Tags, *, data: bytes = b"", order: str = "<") -> bytes:
    """Return a TIFF of one directory: ``{tag: (type, values)}``; what ``data`` holds starts at byte 8."""
    extra = 8 + len(data)
    sizes, codes = {1: 1, 3: 2, 4: 4}, {1: "B", 3: "H", 4: "I"}
    entries, tail = b"", b""
    offset = extra + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        body = struct.pack(f"{order}{len(values)}{codes[kind]}", *values)
        is_short = len(values) * sizes[kind] <= 4
        place = body.ljust(4, b"\0") if is_short else struct.pack(f"{order}I", offset + len(tail))
        tail += b"" if is_short else body
        entries += struct.pack(f"{order}HHI", tag, kind, len(values)) + place
    start = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", extra)
    return start + data + struct.pack(f"{order}H", len(tags)) + entries + bytes(4) + tail


def tiff_of(samples: NDArray[Any], *, bits: int = 8, photometric: int = 2, order: str = "<", **changes: Any) -> bytes:
    """Return a TIFF of one strip of height x width (x channels) values; ``changes`` are more tags, by t and number."""
    height, width = samples.shape[:2]
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    data = b"".join(packed(line.reshape(-1), bits, order) for line in samples)
    tags: Tags = {256: (3, [width]), 257: (3, [height]), 258: (3, [bits] * channels), 259: (3, [1])}
    tags |= {262: (3, [photometric]), 273: (4, [8]), 277: (3, [channels]), 278: (3, [height]), 279: (4, [len(data)])}
    return tiff({**tags, **{int(name[1:]): tag for name, tag in changes.items()}}, data=data, order=order)


def planar_tiff(samples: NDArray[Any], *, bits: int, order: str = "<") -> bytes:
    """Return a TIFF with one strip for each channel."""
    planes = [samples[:, :, channel] for channel in range(samples.shape[2])]
    size = len(packed(planes[0].reshape(-1), bits, order))
    starts = (4, [8 + size * number for number in range(len(planes))])
    data = b"".join(packed(plane.reshape(-1), bits, order) for plane in planes)
    height, width, channels = samples.shape
    tags: Tags = {256: (3, [width]), 257: (3, [height]), 258: (3, [bits] * channels), 259: (3, [1]), 262: (3, [2])}
    tags |= {273: starts, 277: (3, [channels]), 278: (3, [height]), 279: (4, [size] * channels), 284: (3, [2])}
    return tiff(tags, data=data, order=order)


def tiled_tiff(samples: Pixels, *, side: int = 16) -> bytes:
    """Return a TIFF of RGB values in tiles, of which the last ones are filled up."""
    height, width, _ = samples.shape
    wide, high = -(-width // side), -(-height // side)
    whole = np.zeros((high * side, wide * side, 3), np.uint8)
    whole[:height, :width] = samples
    tiles = [whole[y * side : (y + 1) * side, x * side : (x + 1) * side] for y in range(high) for x in range(wide)]
    size = side * side * 3
    tags: Tags = {256: (3, [width]), 257: (3, [height]), 258: (3, [8] * 3), 259: (3, [1]), 262: (3, [2])}
    tags |= {277: (3, [3]), 322: (3, [side]), 323: (3, [side]), 325: (4, [size] * len(tiles))}
    tags |= {324: (4, [8 + size * number for number in range(len(tiles))])}
    return tiff(tags, data=b"".join(tile.tobytes() for tile in tiles))


def palette_tiff(values: list[int], *, index: int = 200) -> bytes:
    """Return a TIFF of 40 x 30 pixels of one entry of a palette."""
    samples = np.full((30, 40), index, np.uint8)
    return tiff_of(samples, photometric=3, t320=(3, values))
