"""Makes the small pictures of report.html, from the source's own files."""

import io
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from PIL import Image

from image_classifier.contracts import pixels
from image_classifier.contracts.errors import ImageRejectedError, StorageError
from image_classifier.contracts.pixels import MAX_IMAGE_BYTES, PixelParameters
from image_classifier.contracts.signatures import JPEG
from image_classifier.contracts.tiff import DECODER_ERRORS
from image_classifier.prepare.layout.images import Listed
from image_classifier.prepare.report.schema import Report
from image_classifier.prepare.sources.source import Source

SIDE_PX: Final = 96
QUALITY: Final = 75
WORKERS: Final = 8
MOST_CLASSES: Final = 60  # of the page's pictures; its tables and report.json have more
MOST_REJECTED: Final = 40
MOST_GROUPS: Final = 30
MOST_OF_A_GROUP: Final = 6
MOST_PAIRS: Final = 20
MOST_OF_A_TRAIT: Final = 3
_END_OF_JPEG: Final = b"\xff\xd9"


def pictures(report: Report, images: Mapping[str, Listed], *, source: Source) -> dict[str, bytes]:
    """Return small JPEGs by the name or key in the report; one that shows nothing is left out.

    Args:
        report: what the page shows.
        images: the source's files, by their names and by the keys of their prepared images.
        source: to read them.

    """
    names = [name for name in dict.fromkeys(shown_names(report)) if name in images]
    with ThreadPoolExecutor(WORKERS, thread_name_prefix="pictures") as pool:
        made = pool.map(lambda name: _picture(source, images[name]), names)
        return {name: jpeg for name, jpeg in zip(names, made, strict=True) if jpeg}


def shown_names(report: Report) -> Iterable[str]:
    """Yield the names, or keys of the prepared images, of what the page shows."""
    for one in report["classes"][:MOST_CLASSES]:
        yield from one["examples"]
    yield from (one["name"] for one in report["rejected"][:MOST_REJECTED])
    for conflict in report["conflicts"][:MOST_PAIRS]:
        yield from conflict["names"][:MOST_OF_A_GROUP]
    for pair in report["near_test"][:MOST_PAIRS]:
        yield from (pair["name"], pair["near"])
    for group in report["near_duplicates"][:MOST_GROUPS]:
        yield from (one["name"] for one in group["images"][:MOST_OF_A_GROUP])
    yield from (one["name"] for one in report["unusual"])
    for trait in report["traits"]:
        yield from trait["examples"][:MOST_OF_A_TRAIT]


def _picture(source: Source, image: Listed) -> bytes:
    try:
        data = source.read(image.name, limit_bytes=MAX_IMAGE_BYTES + 1, stamp=image.stamp)
    except (ImageRejectedError, StorageError):
        return b""
    try:
        return pixels.picture(data, PixelParameters(SIDE_PX)).jpeg(QUALITY)
    except ImageRejectedError as error:
        return _of_rejected(data, code=error.code)


def _of_rejected(data: bytes, *, code: str) -> bytes:
    """Return the first frame of an animation, or the readable part of a cut-off JPEG; None for other rejected files."""
    if code == "truncated" and data.startswith(JPEG):
        data += _END_OF_JPEG
    elif code != "animated":
        return b""
    out = io.BytesIO()
    try:
        with Image.open(io.BytesIO(data)) as opened:
            opened.draft("RGB", (SIDE_PX, SIDE_PX))
            small = opened.convert("RGB")
    except (*DECODER_ERRORS, Image.DecompressionBombError):
        return b""
    small.thumbnail((SIDE_PX, SIDE_PX))
    small.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()
