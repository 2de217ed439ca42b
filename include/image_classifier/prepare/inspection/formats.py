"""Lists the suffixes of image files and their formats."""

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
# Also suffixes of formats that are not read: such a file is meant as an image, and is reported as rejected.
ENDINGS: Final = frozenset((*FORMATS_BY_ENDING, ".jp2", ".jxl", ".svg", ".psd", ".ico", ".ppm", ".pgm", ".tga"))
