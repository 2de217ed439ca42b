"""Endings of image files, and the formats that they promise."""

from typing import Final

FORMATS_BY_ENDING: Final = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif"), ("JPEG", "MPO")),
    ".mpo": ("MPO", "JPEG"),
    ".png": ("PNG",),
    ".gif": ("GIF",),
    ".webp": ("WEBP",),
    **dict.fromkeys((".bmp", ".dib"), ("BMP",)),
    **dict.fromkeys((".tif", ".tiff"), ("TIFF",)),
    **dict.fromkeys((".heic", ".heif"), ("HEIF",)),
    ".avif": ("AVIF",),
}
# Also images that are not read: a person means an image by them, and is told that it was rejected.
ENDINGS: Final = frozenset((*FORMATS_BY_ENDING, ".jp2", ".jxl", ".svg", ".psd", ".ico", ".ppm", ".pgm", ".tga"))
