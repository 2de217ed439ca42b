"""Generates images and other files, honest and hostile, each with the status that its record must have.

The status is ``predicted``, or the code of the reason with which the image is rejected.
"""

from PIL import Image
from tests.unit.odd_images.makers import SIZE, chunk, exif, noise, png_of, saved, with_text
from tests.unit.odd_images.pictured import pictured
from tests.unit.odd_images.refused import refused


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


def files() -> dict[str, tuple[str, bytes]]:
    """Every file by its name: the status, or codes with ``|`` between them of which one is right; and the bytes."""
    whole = {**_whole(), **{name: one.data for name, one in pictured().items()}}
    return {**{name: ("predicted", data) for name, data in whole.items()}, **refused()}
