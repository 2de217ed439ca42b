"""Checks that no file takes time or memory out of proportion to its size; a test that hangs ends at its time limit."""

import io
import struct
import tracemalloc
import zlib

import pytest
from PIL import Image

from image_classifier.contracts import exif, pixels, signatures, tiff
from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.contracts.pixels import PixelParameters

BYTE, ASCII, SHORT, LONG, RATIONAL, FLOAT = 1, 2, 3, 4, 5, 11
SUBFILE, COLOUR_MAP = 254, 320


def prepared(data):
    return pixels.prepare(data, PixelParameters(8))


def refused(data):
    with pytest.raises(ImageRejectedError) as error:
        prepared(data)
    return error.value.code


def jpeg(**options):
    noise = Image.effect_noise((64, 64), 60)
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def tiff_of(*pages):
    """A TIFF of grey 2 x 2 pixels; each page adds tags (number, type, count, value or offset) to those it needs."""
    data = bytearray(b"II*\0\x0c\0\0\0" + bytes((10, 20, 30, 40)))
    for number, tags in enumerate(pages):
        needed = [(256, SHORT, 1, 2), (257, SHORT, 1, 2), (258, SHORT, 1, 8), (259, SHORT, 1, 1), (262, SHORT, 1, 1),
                  (273, LONG, 1, 8), (277, SHORT, 1, 1), (278, SHORT, 1, 2), (279, LONG, 1, 4)]  # fmt: skip
        rows = sorted([*needed, *tags])
        end = len(data) + 2 + 12 * len(rows) + 4
        data += struct.pack("<H", len(rows))
        for tag, kind, count, value in rows:
            data += struct.pack("<HHI", tag, kind, count)
            data += value if isinstance(value, bytes) else struct.pack("<I", value)
        data += struct.pack("<I", end if number + 1 < len(pages) else 0)
    return bytes(data)


def test_many_comments_before_something_else_than_svg_end_at_once():
    assert signatures.unread_format(b"<!---->" * 500 + b"<html>") is None
    assert signatures.unread_format(b" " * 4096) is None


def test_comments_before_an_svg_are_part_of_it():
    drawing = b'\n<?xml version="1.0"?>\n<!-- a --><!-- b -->\n<!DOCTYPE svg>\n<svg xmlns="x">'

    assert signatures.unread_format(drawing) == "an SVG drawing"


@pytest.mark.parametrize("padding", [1, 10, 3_000_000])
def test_a_half_jpeg_with_erased_memory_behind_it_is_cut_off(padding):
    whole = jpeg()

    assert refused(whole[: len(whole) // 2] + b"\xff" * padding) == "truncated"


def test_a_whole_jpeg_with_erased_memory_for_its_end_marker_is_read():
    whole = jpeg()

    assert prepared(whole[:-2] + b"\xff" * 100_000).jpeg == prepared(whole).jpeg


def test_a_jpeg_of_nothing_but_scans_is_refused_at_the_first_too_many():
    start = jpeg()

    assert refused(start[:-2] + b"\xff\xda\0\2" * 2_000_000) == "too_many_scans"


def test_restart_markers_take_no_memory_of_their_own():
    data = jpeg(restart_marker_blocks=1)[:-2] + b"\xff\xd0" * 4_000_000
    tracemalloc.start()
    scans = signatures.jpeg_scans(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert scans.next_restart is not None
    assert peak < 2 * len(data)


def with_parts(image_format, count):
    """An image with this many more parts than it needs."""
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, image_format)
    data = out.getvalue()
    start, part = {
        "PNG": (33, struct.pack(">I4sI", 0, b"teXt", zlib.crc32(b"teXt"))),
        "JPEG": (2, b"\xff\xe1\0\2"),
        "GIF": (data.find(b",\0\0\0\0"), b"!\xfe\0"),
    }[image_format]
    return data[:start] + part * count + data[start:]


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "GIF"])
def test_an_image_of_very_many_parts_is_refused(image_format):
    assert refused(with_parts(image_format, signatures.MAX_PARTS)) == "unsupported"
    assert prepared(with_parts(image_format, 500)).jpeg == prepared(with_parts(image_format, 0)).jpeg


def test_fill_bytes_in_a_jpeg_s_header_are_parts():
    whole = jpeg()

    assert refused(whole[:2] + b"\xff" * (signatures.MAX_PARTS + 1) + whole[2:]) == "unsupported"
    assert prepared(whole[:2] + b"\xff" * 500 + whole[2:]).jpeg == prepared(whole).jpeg


@pytest.mark.parametrize(
    "hidden_behind",
    [
        b"",
        b"\xff\xd9",  # an end marker, at which Pillow does not end
        b"\xff\xf0\xff\xff",  # a marker without a length
    ],
)
def test_no_marker_hides_segments_of_a_jpeg(hidden_behind):
    whole = jpeg()
    many = (hidden_behind + b"\xff\xfe\0\2" * 16_000) * 7

    assert refused(whole[:2] + many + whole[2:]) == "unsupported"


def test_bytes_behind_the_last_marker_of_a_jpeg_are_parts():
    assert refused(jpeg()[:2] + b"\xff\xfe\0\2" + bytes(signatures.MAX_PARTS)) == "unsupported"


def test_components_that_no_frame_has_are_parts():
    frame = b"\xff\xc0\xff\xff\x08\0\x40\0\x40\1" + b"\1\x11\0" * 21_842 + b"\0"
    whole = jpeg()

    assert refused(whole[:2] + frame * 5 + whole[2:]) == "unsupported"


def with_copied(image_format, count):
    """An image with as many EXIF segments or colour profiles."""
    out = io.BytesIO()
    Image.new("L", (8, 8)).save(out, image_format)
    data, profile = out.getvalue(), b"a\0\0" + zlib.compress(b"profile")
    start, part = {
        "PNG": (
            33,
            struct.pack(">I4s", len(profile), b"iCCP") + profile + struct.pack(">I", zlib.crc32(b"iCCP" + profile)),
        ),
        "JPEG": (2, b"\xff\xe1\0\x10Exif\0\0II*\0\0\0\0\0"),
    }[image_format]
    return data[:start] + part * count + data[start:]


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_an_image_of_very_many_profiles_is_refused(image_format):
    whole = prepared(with_copied(image_format, 0)).jpeg

    assert refused(with_copied(image_format, signatures.MAX_COPIED + 1)) == "unsupported"
    assert prepared(with_copied(image_format, signatures.MAX_COPIED)).jpeg == whole


@pytest.mark.parametrize("progressive", [False, True])
def test_scans_do_not_hide_between_very_many_segments(progressive):
    start = jpeg(progressive=progressive)[:-2] + b"\xff\xfe\0\2" * 2_000_000

    assert refused(start + b"\xff\xda\0\2" * 100) == "too_many_scans"
    assert signatures.jpeg_endings(start) is None


@pytest.mark.parametrize("colours", [2, 16, 256])
def test_all_blocks_of_a_gif_are_found(colours):
    frames = [Image.effect_noise((90, 90), 50).quantize(colours) for _ in range(3)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], optimize=False)
    data = out.getvalue() + b";" + b"not a block" * 100
    blocks = list(signatures._gif_blocks(data))

    assert data[blocks[-1] :].index(b"\0;") < 256
    assert [data[at] for at in blocks].count(ord(",")) >= 3


@pytest.mark.parametrize("tag", [(BYTE, 1, b"\0\0\0\0"), (ASCII, 2, b"0\0\0\0"), (RATIONAL, 1, 0), (FLOAT, 1, 0)])
@pytest.mark.parametrize("page", [0, 1])
def test_a_tiff_whose_kind_of_page_has_another_type_is_no_crash(tag, page):
    pages = [[], [(SUBFILE, LONG, 1, 1)]]
    pages[page] = [(SUBFILE, *tag)]
    try:
        found = prepared(tiff_of(*pages)).jpeg
    except ImageRejectedError as error:
        found = error.code

    assert found in (prepared(tiff_of([])).jpeg, "several_pages")


def test_a_palette_with_a_negative_value_is_not_taken_for_one_of_8_bits():
    image = Image.new("P", (2, 2))
    image.tag_v2 = {COLOUR_MAP: (-1, 5, 255)}

    assert not tiff.has_8_bit_palette(image)


@pytest.mark.parametrize("tag", [(282, RATIONAL, 8), (274, SHORT, 2), (271, RATIONAL, 8), (34_675, LONG, 4)])
def test_a_tiff_with_very_many_values_where_one_is_expected_is_refused(tag):
    number, kind, size = tag
    values = bytes(tiff.MAX_OTHER_BYTES + size)

    assert refused(tiff_of([(number, kind, len(values) // size, 4096)]).ljust(4096, b"\0") + values) == "unsupported"


def test_a_private_tag_of_a_tiff_may_be_long():
    values = bytes(tiff.MAX_OTHER_BYTES + 4)
    data = tiff_of([(50_838, LONG, len(values) // 4, 4096)]).ljust(4096, b"\0") + values

    assert prepared(data).jpeg == prepared(tiff_of([])).jpeg


@pytest.mark.parametrize(("length", "turned"), [(exif.MAX_BYTES, True), (exif.MAX_BYTES + 1, False)])
def test_a_very_long_exif_block_is_not_read(length, turned):
    image = Image.new("L", (4, 8))
    image.info["exif"] = b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\6\0".ljust(length, b"\0")

    assert (exif.orientation(image) == 6) is turned


def test_pages_that_share_a_large_tag_take_no_memory_for_it():
    start = tiff_of(*[[(65_000, SHORT, 2_000_000, 4096)]] * 12)
    data = start + bytes(range(256)) * 16_384
    tracemalloc.start()
    code = refused(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert code == "several_pages"
    assert peak < 4 * len(data)
