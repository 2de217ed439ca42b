"""Generates files that must be rejected, each with the code of the reason."""

import random
import struct

import numpy as np
from PIL import Image
from tests.unit.odd_images.heic import HEIC
from tests.unit.odd_images.makers import (
    PALETTE,
    SIZE,
    bmp,
    chunk,
    cut,
    damaged,
    grey_scene,
    gzipped,
    noise,
    png,
    png_16_bit,
    png_of,
    saved,
    tiff,
    tiff_of,
    zipped,
)

Refused = dict[str, tuple[str, bytes]]
UNREADABLE = "corrupt|truncated"


def refused() -> Refused:
    """Return every file by its name: codes with ``|`` between them, of which one is right; and the bytes."""
    return {**_general(), **_cut_off(), **_bombs(), **_several(), **_kinds()}


def _general() -> Refused:
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
        "gzip": ("not_an_image", gzipped(png)),
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


def _cut_off() -> Refused:
    """Files of every format that end too early."""
    still, wide = noise().quantize(64), noise("L")
    files = {
        "progressive JPEG": saved(noise(), "JPEG", progressive=True),
        "JPEG with restarts": saved(noise(), "JPEG", restart_marker_blocks=2),
        "grey JPEG": saved(wide, "JPEG"),
        "JPEG": saved(noise(), "JPEG", quality=90),
        "PNG": saved(noise(), "PNG"),
        "GIF": saved(still, "GIF"),
        "BMP": saved(noise(), "BMP"),
        "WebP": saved(noise(), "WEBP"),
        "lossless WebP": saved(noise(), "WEBP", lossless=True),
        "LZW TIFF": saved(noise(), "TIFF", compression="tiff_lzw"),
        "TIFF": saved(noise(), "TIFF"),
        "AVIF": saved(noise(), "AVIF"),
        "HEIC": HEIC,
    }
    return {
        f"{name} of which {share:.0%} is there": (UNREADABLE, cut(data, share))
        for name, data in files.items()
        for share in (0.05, 0.4, 0.75, 0.97)
    } | {f"{name} of 8 bytes": (UNREADABLE + "|unsupported|not_an_image", data[:8]) for name, data in files.items()}


def _bombs() -> Refused:
    """Small files that announce very many pixels."""
    jpeg, gif, webp = (saved(noise(), kind) for kind in ("JPEG", "GIF", "WEBP"))
    frame = jpeg.index(b"\xff\xc0") + 5
    vp8x = b"VP8X" + struct.pack("<II", 10, 0) + (16_382).to_bytes(3, "little") * 2
    sides = {256: (4, [60_000]), 257: (4, [60_000]), 258: (3, [8]), 259: (3, [1]), 262: (3, [1]), 277: (3, [1])}
    return {
        "JPEG of 65,000 x 65,000": ("too_many_pixels", jpeg[:frame] + b"\xfd\xe8" * 2 + jpeg[frame + 4 :]),
        "GIF of 65,535 x 65,535": ("too_many_pixels", gif[:6] + b"\xff" * 4 + gif[10:]),
        "WebP of 16,383 x 16,383": ("too_many_pixels|corrupt", webp[:12] + vp8x + webp[12:]),
        "TIFF of 60,000 x 60,000": ("too_many_pixels", tiff({**sides, 273: (4, [8]), 279: (4, [9])}, data=bytes(9))),
        "BMP of 1 x 60 million": ("too_many_pixels", bmp(bytes(4), (1, 60_000_000), 24)),
        "PNG of 60 million x 1": ("too_many_pixels", png_of(60_000_000, 1)),
        "PNG of one bit and 40,000 x 40,000": ("too_many_pixels", png_of(40_000, 40_000, bits=1, colour=0)),
        "PNG of 70,000 x 1": ("too_many_pixels", png_of(70_000, 1, data=bytes(210_001))),
    }


def _several() -> Refused:
    """Files of several pictures."""
    frames = [noise(), Image.new("RGB", SIZE, (9, 200, 9))]
    page = {"save_all": True, "append_images": frames[1:]}
    return {
        "animated GIF of three frames": ("animated", saved(frames[0], "GIF", save_all=True, append_images=frames * 2)),
        "animated AVIF": ("animated", saved(frames[0], "AVIF", **page)),
        "lossless animated WebP": ("animated", saved(frames[0], "WEBP", lossless=True, **page)),
        "TIFF of 20 pages": ("several_pages", saved(frames[0], "TIFF", save_all=True, append_images=frames * 10)),
    }


def _kinds() -> Refused:
    """Images of kinds that are not read, and files whose header contradicts their pixels."""
    lab = saved(noise("LAB"), "TIFF")
    thumbnail = tiff_of(grey_scene(), photometric=1, t254=(4, [1]))
    no_colours = png(grey_scene() % 4, colour=PALETTE)
    return {
        "start of a camera's raw image (NEF, DNG)": ("unsupported", thumbnail),
        "TIFF of LAB": ("unsupported", lab),
        "TIFF of 32 bits": ("unsupported", tiff_of(grey_scene().astype(np.uint32), bits=32, photometric=1)),
        "PNG of 16 bits in colour that uses 8": ("unsupported", png_16_bit(200, significant=8, colour=2)),
        "palette PNG without a palette": ("corrupt", no_colours),
        "PNG without its pixels": (UNREADABLE, png_of(9, 9)[:33] + chunk(b"IEND", b"")),
        "PNG of an unknown kind of colour": (UNREADABLE, png_of(9, 9, colour=5)),
        "JPEG of no lines": (UNREADABLE, _with_lines(saved(noise(), "JPEG"), 0)),
        "BMP of 24 bits without pixels": (UNREADABLE, bmp(b"", (60, 45), 24)),
        **{
            f"BMP of the compression {kind}": ("unsupported", bmp(bytes(900), (60, 45), 24, compression=kind))
            for kind in (4, 5, 9, 11)
        },
        "BMP of the compression 9 without pixels": ("corrupt", bmp(bytes(900), (60, 45), 24, compression=9)[:40]),
        "GIF without a frame": (UNREADABLE, b"GIF89a" + struct.pack("<HHBBB", 60, 45, 0, 0, 0) + b";"),
        "TIFF without a directory": (UNREADABLE, b"II*\0" + bytes(12)),
        "JPEG 2000 codestream": ("unsupported", b"\xff\x4f\xff\x51" + bytes(99)),
        "OpenEXR image": ("unsupported", b"\x76\x2f\x31\x01" + bytes(99)),
        "portable pixel map": ("unsupported", b"P6 1 1 255\n\0\0\0"),
        "Targa image": ("not_an_image", struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, 1, 1, 24, 0) + bytes(3)),
        "Word document": ("not_an_image", zipped("word/document.xml", b"<w:document/>")),
        "pointer to Git LFS": ("not_an_image", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"),
        "Windows bitmap's first letters": (UNREADABLE + "|not_an_image", b"BM and a text that goes on for a while"),
        "sound file in RIFF": ("corrupt|not_an_image", b"RIFF" + struct.pack("<I", 36) + b"WAVEfmt " + bytes(28)),
    }


def _with_lines(jpeg: bytes, count: int) -> bytes:
    at = jpeg.index(b"\xff\xc0") + 5
    return jpeg[:at] + struct.pack(">H", count) + jpeg[at + 2 :]
