"""Files as cameras, telephones and other programs write them: the right picture, or the right refusal."""

import io
import struct
import zlib

import pytest
from PIL import Image

from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.contracts.pixels import PixelParameters, measure, picture, prepare, revision

SIDE = 64
PARAMETERS = PixelParameters(SIDE)
RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (255, 255, 255)


def quarters(width=80, height=64):
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(WHITE, (width // 2, height // 2, width, height))
    return image


def encoded(image, image_format="PNG", **options):
    out = io.BytesIO()
    image.save(out, image_format, **options)
    return out.getvalue()


def shows_quarters(data, tolerance=14):
    square = picture(data, PARAMETERS).square
    found = [square.getpixel(at) for at in ((12, 20), (52, 20), (12, 44), (52, 44))]
    wanted = (RED, GREEN, BLUE, WHITE)
    return all(
        abs(a - b) <= tolerance
        for one, other in zip(found, wanted, strict=True)
        for a, b in zip(one, other, strict=True)
    )


def rejected(data, parameters=PARAMETERS):
    with pytest.raises(ImageRejectedError) as caught:
        prepare(data, parameters)
    return caught.value.code


def chunk(name, body, *, checksum=None):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", checksum or zlib.crc32(name + body))


def with_chunk(data, added, *, behind_pixels=False):
    position = data.index(b"IEND") - 4 if behind_pixels else 33
    return data[:position] + added + data[position:]


LONG_TEXT = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2_000_000)))
PROFILE = chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(2_000_000)))


@pytest.mark.parametrize(
    "data",
    [
        with_chunk(encoded(quarters()), PROFILE),
        with_chunk(encoded(quarters()), LONG_TEXT),
        with_chunk(encoded(quarters()), LONG_TEXT, behind_pixels=True),
        with_chunk(encoded(quarters()), chunk(b"tEXt", b"Comment\0text", checksum=1)),
    ],
    ids=["large profile", "large text", "large text behind the pixels", "bad checksum"],
)
def test_metadata_of_a_png_does_not_cost_the_image(data):
    assert prepare(data, PARAMETERS) == prepare(encoded(quarters()), PARAMETERS)
    assert measure(data, PARAMETERS) == (80, 64)


def test_damaged_pixels_of_a_png_with_bad_metadata_are_refused():
    data = bytearray(with_chunk(encoded(Image.effect_noise((80, 80), 90)), LONG_TEXT))
    middle = len(data) - 2000
    data[middle : middle + 50] = bytes(50)

    assert rejected(bytes(data)) == "corrupt"


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}], ids=["baseline", "progressive", "restarts"]
)
def test_a_jpeg_that_lacks_only_its_end_marker_is_whole(options):
    data = encoded(Image.effect_noise((160, 120), 90).convert("RGB"), "JPEG", **options)

    assert prepare(data[:-2], PARAMETERS) == prepare(data, PARAMETERS)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}], ids=["baseline", "progressive", "restarts"]
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.97])
def test_a_jpeg_that_lacks_pixels_is_truncated(options, share):
    data = encoded(Image.effect_noise((160, 120), 90).convert("RGB"), "JPEG", **options)

    assert rejected(data[: int(len(data) * share)]) == "truncated"


def test_a_jpeg_cut_at_a_restart_marker_is_truncated():
    data = encoded(Image.effect_noise((160, 120), 90).convert("RGB"), "JPEG", restart_marker_blocks=4)

    assert rejected(data[: data.index(b"\xff\xd3")]) == "truncated"


def scans_of(data):
    return [position for position in range(len(data)) if data[position : position + 2] == b"\xff\xda"]


def test_a_progressive_jpeg_cut_between_two_scans_is_truncated():
    data = encoded(Image.effect_noise((160, 120), 90).convert("RGB"), "JPEG", progressive=True)

    assert rejected(data[: scans_of(data)[-1]]) == "truncated"


def with_scans(count):
    data = encoded(Image.new("L", (200, 200), 99), "JPEG", progressive=True)
    last = data[scans_of(data)[-1] : -2]
    return data[:-2] + last * count + data[-2:]


def test_a_jpeg_of_very_many_scans_is_refused():
    assert rejected(with_scans(3000)) == "too_many_scans"


def test_a_jpeg_of_as_many_scans_as_encoders_write_is_decoded():
    assert prepare(with_scans(20), PARAMETERS)


def test_an_image_that_is_one_pixel_wide_and_millions_high_is_refused():
    header = struct.pack(">IIBBBBB", 1, 60_000_000, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(9))) + chunk(b"IEND", b"")

    assert rejected(data) == "too_many_pixels"


def bmp_with_alpha(alpha):
    """A BMP of 32 bits whose header announces an alpha channel (BITMAPV4HEADER, BI_BITFIELDS)."""
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    header = struct.pack("<IiiHHIIiiII", 108, 16, -16, 1, 32, 3, 0, 0, 0, 0, 0) + masks + bytes(52)
    pixels = bytes((10, 200, 60, alpha)) * 256
    return b"BM" + struct.pack("<IHHI", 14 + len(header) + len(pixels), 0, 0, 14 + len(header)) + header + pixels


def test_a_bmp_whose_alpha_is_zero_everywhere_is_opaque():
    assert picture(bmp_with_alpha(0), PARAMETERS).square.getpixel((30, 30)) == (60, 200, 10)


def test_a_bmp_with_real_alpha_keeps_it():
    assert picture(bmp_with_alpha(128), PARAMETERS).square.getpixel((30, 30))[2] > 100


def png_16_bit(value, *, significant=None, colour=0):
    channels = 3 if colour else 1
    rows = (b"\0" + struct.pack(">H", value) * 80 * channels) * 64
    bits = chunk(b"sBIT", bytes([significant]) * channels) if significant else b""
    header = struct.pack(">IIBBBBB", 80, 64, 16, 2 if colour else 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + bits + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("value", "bits"), [(2000, 12), (125, 8)])
def test_grey_of_16_bits_is_scaled_by_the_bits_that_it_calls_significant(value, bits):
    found = picture(png_16_bit(value, significant=bits), PARAMETERS)

    assert abs(found.square.getpixel((30, 30))[0] - value * 255 / (2**bits - 1)) <= 2
    assert not found.dark_16_bit


def test_significant_bits_in_the_upper_bits_change_nothing():
    found = picture(png_16_bit(40_000, significant=12), PARAMETERS)

    assert abs(found.square.getpixel((30, 30))[0] - (40_000 >> 8)) <= 2


@pytest.mark.parametrize("colour", [0, 2])
def test_a_dark_image_of_16_bits_is_called_so(colour):
    assert picture(png_16_bit(255, colour=colour), PARAMETERS).dark_16_bit
    assert not picture(png_16_bit(30_000, colour=colour), PARAMETERS).dark_16_bit


def test_colours_in_the_lower_of_16_bits_are_refused_where_the_file_says_so():
    assert rejected(png_16_bit(200, significant=8, colour=2)) == "unsupported"


def tiff(tags, *, data=b""):
    """A little-endian TIFF of one directory: ``{tag: (type, values)}``; what ``data`` holds starts at byte 8."""
    extra = 8 + len(data)
    sizes, codes = {3: 2, 4: 4}, {3: "H", 4: "I"}
    entries, tail = b"", b""
    offset = extra + 2 + 12 * len(tags) + 4
    for tag, (kind, values) in sorted(tags.items()):
        packed = struct.pack(f"<{len(values)}{codes[kind]}", *values)
        place = packed.ljust(4, b"\0") if len(values) * sizes[kind] <= 4 else struct.pack("<I", offset + len(tail))
        tail += b"" if len(packed) <= 4 else packed
        entries += struct.pack("<HHI", tag, kind, len(values)) + place
    return b"II*\0" + struct.pack("<I", extra) + data + struct.pack("<H", len(tags)) + entries + bytes(4) + tail


def planar_16_bit():
    planes = [struct.pack("<H", value << 8 | 7) * 40 * 30 for value in (60, 200, 10)]
    size = len(planes[0])
    tags = {
        256: (3, [40]),
        257: (3, [30]),
        258: (3, [16] * 3),
        259: (3, [1]),
        262: (3, [2]),
        277: (3, [3]),
        278: (3, [30]),
    }
    tags |= {273: (4, [8, 8 + size, 8 + 2 * size]), 279: (4, [size] * 3), 284: (3, [2])}
    return tiff(tags, data=b"".join(planes))


def palette(values):
    tags = {256: (3, [40]), 257: (3, [30]), 258: (3, [8]), 259: (3, [1]), 262: (3, [3]), 277: (3, [1]), 278: (3, [30])}
    tags |= {273: (4, [8]), 279: (4, [1200]), 320: (3, values)}
    return tiff(tags, data=bytes([200]) * 1200)


def test_a_planar_tiff_of_16_bits_shows_its_colours():
    assert picture(planar_16_bit(), PARAMETERS).square.getpixel((30, 30)) == (60, 200, 10)


@pytest.mark.parametrize("factor", [1, 257])
def test_a_palette_of_8_bits_is_as_bright_as_one_of_16(factor):
    data = palette([value * factor for value in range(256)] * 3)

    assert picture(data, PARAMETERS).square.getpixel((30, 30)) == (200, 200, 200)


def test_a_preview_in_place_of_the_picture_is_refused():
    tags = {254: (4, [1]), 256: (3, [40]), 257: (3, [30]), 258: (3, [8]), 259: (3, [1]), 262: (3, [1]), 277: (3, [1])}
    data = tiff({**tags, 273: (4, [8]), 279: (4, [1200])}, data=bytes(1200))

    assert rejected(data) == "unsupported"


def test_a_tiff_whose_other_pages_are_smaller_copies_is_one_image():
    small = Image.new("RGB", (20, 16))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    data = encoded(quarters(), "TIFF", save_all=True, append_images=[small])

    assert shows_quarters(data)


def test_a_whole_tiff_of_an_unknown_kind_is_unsupported_and_not_damaged():
    tags = {256: (3, [40]), 257: (3, [30]), 258: (3, [7]), 259: (3, [1]), 262: (3, [9]), 277: (3, [1])}
    whole = tiff({**tags, 273: (4, [8]), 279: (4, [1200])}, data=bytes(1200))
    cut_off = tiff({**tags, 273: (4, [8]), 279: (4, [999_999])}, data=bytes(1200))

    assert (rejected(whole), rejected(cut_off)) == ("unsupported", "corrupt")


def test_heic_is_read(heic):
    assert shows_quarters(heic)
    assert measure(heic, PARAMETERS) == (80, 64)


def test_a_damaged_heic_is_refused(heic):
    assert rejected(heic[:300]) == "corrupt"
    assert rejected(heic[:-100]) in ("corrupt", "truncated")


def test_avif_is_read():
    assert shows_quarters(encoded(quarters(), "AVIF", quality=90))


def test_a_damaged_avif_is_refused():
    data = encoded(quarters(), "AVIF")

    assert rejected(data[: len(data) // 2]) in ("corrupt", "truncated")


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image"),
        (b"\xff\x0a\0\0", "a JPEG XL image"),
        (b"%PDF-1.7", "a PDF document"),
        (b"8BPS\0\1", "a Photoshop document"),
        (b"\0\0\1\0\1\0", "an icon (ICO)"),
        (b"II*\0\x10\0\0\0CR\2\0", "a camera's raw image"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "a camera's raw image"),
        (b"\0\0\0\x18ftypmp42\0\0\0\1isommp42", "a video"),
        (b'<?xml version="1.0"?>\n<!-- drawn --><svg xmlns="http://www.w3.org/2000/svg"/>', "an SVG drawing"),
        (bytes(128) + b"DICM", "a DICOM file"),
    ],
)
def test_a_format_that_is_not_read_is_named(data, name):
    with pytest.raises(ImageRejectedError, match="save it as JPEG or PNG") as caught:
        prepare(data, PARAMETERS)

    assert caught.value.code == "unsupported"
    assert name in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [bmp_with_alpha(0), png_16_bit(2000, significant=12), planar_16_bit(), palette(list(range(256)) * 3)],
    ids=["BMP", "PNG", "planar TIFF", "palette TIFF"],
)
def test_an_image_that_was_prepared_wrongly_gets_another_identity(data):
    assert revision(data, PARAMETERS) == "-2"


@pytest.mark.parametrize(
    "data",
    [*(encoded(quarters(), kind) for kind in ("JPEG", "PNG", "BMP", "TIFF")), bmp_with_alpha(9), png_16_bit(9)],
    ids=["JPEG", "PNG", "BMP", "TIFF", "BMP with alpha", "16-bit PNG"],
)
def test_every_other_image_keeps_its_identity(data):
    assert revision(data, PARAMETERS) == ""
