"""Generates files that are one image each, with the picture that each must show."""

import struct
import zlib

import numpy as np
from PIL import Image
from tests.unit.odd_images.bitmaps import bmps, tiffs
from tests.unit.odd_images.expected import (
    COLOURS,
    GREYS,
    HEIGHT,
    INDEXED,
    INDICES,
    LOSSY,
    MEGABYTES_2,
    SHOWN,
    TRANSPARENT,
    WIDTH,
    Named,
    Pictured,
    grey_rgb,
    on_white,
)
from tests.unit.odd_images.heic import HEIC, QUARTERS
from tests.unit.odd_images.makers import (
    PALETTE,
    RGBA,
    alpha_scene,
    chunk,
    exif,
    grey_scene,
    laced_png,
    png,
    saved,
    scene,
    segment,
    tiff_of,
    with_chunk,
    with_segments,
    with_text,
)


def pictured() -> dict[str, Pictured]:
    """Return every file by its name."""
    return dict(item for kind in (_jpegs, _pngs, _others, bmps, tiffs, _orientations) for item in kind())


def _jpegs() -> Named:
    def jpeg(data: bytes, **changes: object) -> Pictured:
        return Pictured(data, "jpg", **{"differs": LOSSY, **changes})  # type: ignore[arg-type]

    plain = saved(SHOWN, "JPEG", quality=95)
    icc = [segment(0xE2, b"ICC_PROFILE\0" + bytes((part, 33)) + bytes(65_000)) for part in range(1, 34)]
    yield "JPEG of quality 95", jpeg(plain)
    yield "JPEG of full colour resolution", jpeg(saved(SHOWN, "JPEG", quality=95, subsampling=0))
    yield "JPEG that stores RGB", jpeg(saved(SHOWN, "JPEG", quality=95, keep_rgb=True))
    yield "JPEG of progressive scans", jpeg(saved(SHOWN, "JPEG", quality=95, progressive=True))
    yield "JPEG of one channel", jpeg(saved(Image.fromarray(grey_scene()), "JPEG", quality=95), **GREYS)
    yield "JPEG with a profile of 2 MiB", jpeg(with_segments(plain, *icc))
    yield "JPEG with comments of 2 MiB", jpeg(with_segments(plain, *[segment(0xFE, bytes(65_000))] * 33))
    yield "JPEG with a broken profile", jpeg(with_segments(plain, segment(0xE2, b"ICC_PROFILE\0\1\1broken")))
    yield "JPEG with filling before its markers", jpeg(plain[:2] + b"\xff" * 9 + plain[2:])
    yield "JPEG whose end is missing", jpeg(plain[:-2])
    yield "JPEG with a megabyte behind its end", jpeg(plain + bytes(1024 * 1024))
    yield "JPEG that is called PNG", Pictured(plain, "PNG", traits=("extension_differs",), differs=LOSSY)
    yield "JPEG without a suffix", Pictured(plain, "", differs=LOSSY)
    yield "JPEG with upper-case suffix", Pictured(plain, "JPEG", differs=LOSSY)
    cmyk = Image.fromarray(scene()).convert("CMYK")
    yield "JPEG of CMYK", jpeg(saved(cmyk, "JPEG", quality=95), traits=("cmyk",))
    yield (
        "MPO of two photographs",
        jpeg(saved(SHOWN, "MPO", quality=95, save_all=True, append_images=[SHOWN.rotate(180)])),
    )


def _pngs() -> Named:
    def made(data: bytes, **changes: object) -> Pictured:
        return Pictured(data, "png", **changes)  # type: ignore[arg-type]

    plain, alpha, table = png(scene()), alpha_scene(), chunk(b"PLTE", COLOURS.tobytes())
    with_alpha = np.dstack([scene(), alpha])
    sixteen = scene().astype(np.uint16) * 257
    yield "PNG of 8 bits", made(plain)
    yield "PNG in seven passes", made(laced_png(scene()))
    yield "PNG with alpha of each pixel", made(png(with_alpha), **TRANSPARENT)
    yield (
        "PNG whose alpha is 0 everywhere",
        made(png(np.dstack([scene(), alpha * 0])), shows=scene() * 0 + 255, traits=("transparent",)),
    )
    yield "grey PNG with alpha of each pixel", made(
        png(np.dstack([grey_scene(), alpha])), shows=on_white(grey_rgb(grey_scene()), alpha), differs=0.6,
        traits=("grey", "transparent"),
    )  # fmt: skip
    yield "grey PNG of 8 bits", made(png(grey_scene()), **GREYS)
    for bits in (1, 2, 4):
        values = INDICES % 2**bits
        shows = grey_rgb((values * (255 // (2**bits - 1))).astype(np.uint8))
        yield f"grey PNG of {bits} bits", made(png(values, bits=bits), shows=shows, traits=("grey",))
    for bits in (4, 8):
        yield f"palette PNG of {bits} bits", made(png(INDICES, bits=bits, colour=PALETTE, before=table), **INDEXED)
    yield "palette PNG with transparent colours", made(
        png(INDICES, colour=PALETTE, before=table + chunk(b"tRNS", b"\xff\x00\x80")),
        shows=on_white(COLOURS[INDICES], np.array([255, 0, 128, 255, 255, 255], np.uint8)[INDICES]),
        traits=("palette", "transparent"), differs=0.6,
    )  # fmt: skip
    keyed = np.where(INDICES == 1, 0, 255).astype(np.uint8)
    yield "PNG with one transparent colour", made(
        png(COLOURS[INDICES], before=chunk(b"tRNS", bytes((0, 30, 0, 200, 0, 30)))),
        shows=on_white(COLOURS[INDICES], keyed), traits=("transparent",),
    )  # fmt: skip
    yield "PNG of 16 bits in colour", made(png(sixteen, bits=16), traits=("16_bit",), differs=1)
    yield (
        "grey PNG of 16 bits",
        made(
            png(grey_scene().astype(np.uint16) * 257, bits=16), **{**GREYS, "traits": ("16_bit", "grey"), "differs": 1}
        ),
    )
    dark = grey_scene().astype(np.uint16)
    black = {"shows": scene() * 0, "traits": ("16_bit", "dark_16_bit", "grey"), "differs": 1}
    twelve = {**GREYS, "traits": ("16_bit", "grey"), "differs": 1}
    yield "dark grey PNG of 16 bits", made(png(dark, bits=16), **black)
    yield (
        "grey PNG of 16 bits that uses 12",
        made(png(dark * 16, bits=16, before=chunk(b"sBIT", b"\x0c")), **twelve),
    )
    yield (
        "PNG of 16 bits with alpha",
        made(
            png(np.dstack([sixteen, alpha.astype(np.uint16) * 257]), bits=16, colour=RGBA),
            **{**TRANSPARENT, "traits": ("16_bit", "transparent"), "differs": 1},
        ),
    )
    yield (
        "PNG with a profile of 2 MiB",
        made(with_chunk(plain, chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(MEGABYTES_2))))),
    )
    yield "PNG with a text of 2 MiB", made(with_text(plain, bytes(MEGABYTES_2)))
    yield "PNG with its pixels in many chunks", made(_split_idat(plain))
    yield "PNG with a wrong checksum of its pixels", made(_bad_checksum(plain))
    yield "PNG with one frame of an animation", made(with_chunk(plain, _one_frame()))


def _one_frame() -> bytes:
    frame = struct.pack(">IIIIIHHBB", 0, WIDTH, HEIGHT, 0, 0, 1, 10, 0, 0)
    return chunk(b"acTL", struct.pack(">II", 1, 0)) + chunk(b"fcTL", frame)


def _split_idat(data: bytes, size: int = 7) -> bytes:
    start, end = data.index(b"IDAT") - 4, data.index(b"IEND") - 4
    body = data[start + 8 : end - 4]
    parts = [chunk(b"IDAT", body[at : at + size]) for at in range(0, len(body), size)]
    return data[:start] + b"".join(parts) + data[end:]


def _bad_checksum(data: bytes) -> bytes:
    at = data.index(b"IEND") - 8
    return data[:at] + bytes(4) + data[at + 4 :]


def _others() -> Named:
    clear = Image.fromarray(INDICES)
    clear.putpalette(COLOURS.tobytes())
    keyed = np.where(INDICES == 1, 0, 255).astype(np.uint8)
    shown = on_white(COLOURS[INDICES], keyed)
    yield "GIF with a palette", Pictured(saved(clear, "GIF", interlace=False), "gif", **INDEXED)
    yield "GIF in four passes", Pictured(saved(clear, "GIF", interlace=True), "gif", **INDEXED)
    yield (
        "GIF with a transparent colour",
        Pictured(saved(clear, "GIF", transparency=1), "gif", shows=shown, traits=("palette", "transparent")),
    )
    yield "WebP of quality 95", Pictured(saved(SHOWN, "WEBP", quality=95), "webp", differs=LOSSY)
    yield "WebP without loss", Pictured(saved(SHOWN, "WEBP", lossless=True), "webp")
    layers = Image.fromarray(np.dstack([scene(), alpha_scene()]))
    yield "WebP with alpha", Pictured(saved(layers, "WEBP", lossless=True, exact=True), "webp", **TRANSPARENT)
    yield "AVIF of quality 95", Pictured(saved(SHOWN, "AVIF", quality=95), "avif", differs=LOSSY)
    yield (
        "AVIF of full colour resolution",
        Pictured(saved(SHOWN, "AVIF", quality=95, subsampling="4:4:4"), "avif", differs=LOSSY),
    )
    yield "HEIC of a telephone", Pictured(HEIC, "heic", shows=QUARTERS, differs=LOSSY)
    yield (
        "AVIF with alpha",
        Pictured(saved(layers, "AVIF", quality=95), "avif", **{**TRANSPARENT, "differs": LOSSY + 2}),
    )


def _orientations() -> Named:
    """Yield the scene as a camera stores it under each orientation of EXIF (and of TIFF 6.0, page 36)."""
    upright = scene()
    lying = upright.transpose(1, 0, 2)
    halves = (upright, upright[:, ::-1], upright[::-1, ::-1], upright[::-1])
    stored_as = (*halves, lying, lying[::-1], lying[::-1, ::-1], lying[:, ::-1])
    for number, stored in enumerate(stored_as, start=1):
        traits = ("rotated",) if number > 1 else ()
        image = Image.fromarray(np.ascontiguousarray(stored))
        tagged = with_segments(saved(image, "JPEG", quality=95), segment(0xE1, b"Exif\0\0" + exif(number)[6:]))
        yield f"JPEG of orientation {number}", Pictured(tagged, "jpg", traits=traits, differs=LOSSY)
        behind = with_chunk(png(stored), chunk(b"eXIf", exif(number)[6:]), behind_pixels=True)
        yield f"PNG of orientation {number}", Pictured(behind, "png", traits=traits)
        yield f"TIFF of orientation {number}", Pictured(tiff_of(stored, t274=(3, [number])), "tiff", traits=traits)
