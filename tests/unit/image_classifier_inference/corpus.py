"""Generates images and other files, honest and hostile, each with the status that its record must have.

The status is ``predicted``, or the code of the reason with which the image is rejected.
"""

import gzip
import io
import random
import struct
import zipfile
import zlib
from typing import Any

from PIL import Image

PNG = b"\x89PNG\r\n\x1a\n"
SIZE = (60, 45)


def noise(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Pixels that no codec makes small, the same every time."""
    return Image.effect_noise(size, 80).convert(mode) if mode != "RGB" else _coloured(size)


def _coloured(size: tuple[int, int]) -> Image.Image:
    bytes_ = random.Random(1).randbytes(size[0] * size[1] * 3)
    return Image.frombytes("RGB", size, bytes_)


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, body: bytes, *, checksum: int | None = None) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum or zlib.crc32(name + body))


def png_of(width: int, height: int, *, bits: int = 8, colour: int = 2, data: bytes = b"\0") -> bytes:
    """A PNG with any header, whether or not its pixels fit."""
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return PNG + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def with_text(data: bytes, text: bytes) -> bytes:
    return data[:33] + chunk(b"zTXt", b"Comment\0\0" + zlib.compress(text)) + data[33:]


def exif(orientation: int) -> bytes:
    found = Image.Exif()
    found[0x0112] = orientation
    return found.tobytes()


def damaged(data: bytes, at: float, count: int = 40) -> bytes:
    start = int(len(data) * at)
    return data[:start] + random.Random(2).randbytes(count) + data[start + count :]


def zipped(name: str, body: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, body)
    return out.getvalue()


def _whole() -> dict[str, bytes]:
    """Complete images of every kind that is read."""
    rgb, still = noise(), noise().quantize(64)
    kinds = {
        "baseline JPEG": saved(rgb, "JPEG"),
        "progressive JPEG": saved(rgb, "JPEG", progressive=True),
        "JPEG with restart markers": saved(rgb, "JPEG", restart_marker_blocks=4),
        "grey JPEG": saved(noise("L"), "JPEG"),
        "CMYK JPEG": saved(noise("CMYK"), "JPEG"),
        "JPEG of quality 1": saved(rgb, "JPEG", quality=1),
        "JPEG without its end marker": saved(rgb, "JPEG")[:-2],
        "JPEG with bytes behind its end": saved(rgb, "JPEG") + b"trailer" * 99,
        "PNG": saved(rgb, "PNG"),
        "grey PNG": saved(noise("L"), "PNG"),
        "PNG of one bit": saved(noise("1"), "PNG"),
        "PNG with alpha": saved(noise("RGBA"), "PNG"),
        "transparent PNG": saved(Image.new("RGBA", SIZE, (9, 9, 9, 0)), "PNG"),
        "grey PNG with alpha": saved(noise("LA"), "PNG"),
        "palette PNG": saved(still, "PNG"),
        "PNG of 16 bits": png_of(4, 4, bits=16, data=(b"\0" + b"\x7f\xff" * 12) * 4),
        "PNG with a large text": with_text(saved(rgb, "PNG"), bytes(3_000_000)),
        "PNG with a wrong checksum in its text": saved(rgb, "PNG")[:33]
        + chunk(b"tEXt", b"Comment\0x", checksum=7)
        + saved(rgb, "PNG")[33:],
        "GIF": saved(still, "GIF"),
        "BMP": saved(rgb, "BMP"),
        "palette BMP": saved(still, "BMP"),
        "lossy WebP": saved(rgb, "WEBP"),
        "lossless WebP": saved(rgb, "WEBP", lossless=True),
        "TIFF": saved(rgb, "TIFF"),
        "TIFF with LZW": saved(rgb, "TIFF", compression="tiff_lzw"),
        "TIFF with JPEG inside": saved(rgb, "TIFF", compression="jpeg"),
        "AVIF": saved(rgb, "AVIF"),
        "JPEG with a second picture": saved(rgb, "MPO", save_all=True, append_images=[rgb]),
        "image of one pixel": saved(noise(size=(1, 1)), "PNG"),
        "image of 1 x 4,000": saved(noise(size=(1, 4000)), "PNG"),
        "image of 4,000 x 1": saved(noise(size=(4000, 1)), "JPEG"),
        "JPEG with a damaged EXIF block": saved(rgb, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff"),
    }
    for orientation in range(10):
        kinds[f"JPEG of EXIF orientation {orientation}"] = saved(rgb, "JPEG", exif=exif(orientation))
    return kinds


def _refused() -> dict[str, tuple[str, bytes]]:
    """Files that must be rejected, each with the reason's code."""
    jpeg, png, webp, tiff, gif = (saved(noise(), kind) for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF"))
    frames = [noise("P"), Image.new("P", SIZE, 3)]
    progressive = saved(Image.new("L", (200, 200), 99), "JPEG", progressive=True)
    last_scan = progressive[progressive.rindex(b"\xff\xda") : -2]
    return {
        "empty file": ("empty", b""),
        "one byte": ("not_an_image", b"\xff"),
        "text": ("not_an_image", b"this is no image\n"),
        "HTML": ("not_an_image", b"<!doctype html><title>404</title>"),
        "JSON": ("not_an_image", b'{"message": "Forbidden"}'),
        "zeros": ("not_an_image", bytes(4096)),
        "random bytes": ("not_an_image", b"\x07" + random.Random(4).randbytes(4096)),
        "zip": ("not_an_image", zipped("cat.jpg", jpeg)),
        "gzip": ("not_an_image", gzip.compress(png)),
        "PDF": ("unsupported", b"%PDF-1.7\n"),
        "SVG": ("unsupported", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        "SVG with an external entity": (
            "not_an_image",
            b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg>&e;</svg>',
        ),
        "Photoshop document": ("unsupported", b"8BPS\0\1" + bytes(20)),
        "icon": ("unsupported", b"\0\0\1\0\1\0" + bytes(20)),
        "JPEG 2000": ("unsupported", b"\0\0\0\x0cjP  \r\n\x87\n"),
        "JPEG XL": ("unsupported", b"\xff\x0a\0\0"),
        "video": ("unsupported", b"\0\0\0\x18ftypmp42\0\0\0\1isommp42"),
        "DICOM file": ("unsupported", bytes(128) + b"DICM" + bytes(64)),
        "raw image of a camera": ("unsupported", b"II*\0\x10\0\0\0CR\2\0" + bytes(64)),
        "start of a JPEG": ("corrupt", b"\xff\xd8\xff\xe0"),
        "JPEG that is cut off": ("truncated", jpeg[: len(jpeg) // 2]),
        "PNG that is cut off": ("truncated", png[: len(png) // 2]),
        "WebP that is cut off": ("corrupt|truncated", webp[: len(webp) // 2]),
        "TIFF that is cut off": ("corrupt|truncated", tiff[: len(tiff) // 2]),
        "GIF that is cut off": ("corrupt|truncated", gif[: len(gif) // 2]),
        "BMP that is cut off": ("corrupt|truncated", saved(noise(), "BMP")[:400]),
        "AVIF that is cut off": ("corrupt|truncated", saved(noise(), "AVIF")[:300]),
        "PNG with damaged pixels": ("corrupt|truncated", damaged(png, 0.5)),
        "PNG with a damaged header": ("corrupt", png[:20] + b"\xff" * 4 + png[24:]),
        "PNG of no pixels": ("corrupt", png_of(0, 9)),
        "PNG that announces 60,000 x 60,000": ("too_many_pixels", png_of(60_000, 60_000)),
        "PNG that announces a column of 60 million": ("too_many_pixels", png_of(1, 60_000_000)),
        "PNG whose pixels are missing": ("corrupt|truncated", png_of(5000, 5000)),
        "BMP that announces 30,000 x 30,000": (
            "too_many_pixels",
            b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, 30_000, 30_000, 1, 24, 0, 0, 0, 0, 0, 0),
        ),
        "animated GIF": ("animated", saved(frames[0], "GIF", save_all=True, append_images=frames[1:])),
        "animated PNG": ("animated", saved(noise(), "PNG", save_all=True, append_images=[noise("L").convert("RGB")])),
        "animated WebP": ("animated", saved(noise(), "WEBP", save_all=True, append_images=[Image.new("RGB", SIZE)])),
        "TIFF of two pages": ("several_pages", saved(noise(), "TIFF", save_all=True, append_images=[noise()])),
        "floating-point TIFF": ("unsupported", saved(Image.new("F", SIZE, 0.5), "TIFF")),
        "JPEG of 3,000 scans": ("too_many_scans", progressive[:-2] + last_scan * 3000 + progressive[-2:]),
    }


def files() -> dict[str, tuple[str, bytes]]:
    """Every file by its name: the status, or codes with ``|`` between them of which one is right; and the bytes."""
    return {**{name: ("predicted", data) for name, data in _whole().items()}, **_refused()}
