"""Checks that files of cameras, telephones and other programs are decoded correctly, or refused with the right code."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from tests.unit.odd_images.makers import (
    bmp_with_alpha,
    chunk,
    palette_tiff,
    planar_tiff,
    png_16_bit,
    saved,
    tiff,
    with_chunk,
)

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


LONG_TEXT = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2_000_000)))
PROFILE = chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(2_000_000)))


@pytest.mark.parametrize(
    "data",
    [
        with_chunk(saved(quarters()), PROFILE),
        with_chunk(saved(quarters()), LONG_TEXT),
        with_chunk(saved(quarters()), LONG_TEXT, behind_pixels=True),
        with_chunk(saved(quarters()), chunk(b"tEXt", b"Comment\0text", checksum=1)),
    ],
    ids=["large profile", "large text", "large text behind the pixels", "bad checksum"],
)
def test_metadata_of_a_png_does_not_cost_the_image(data):
    assert prepare(data, PARAMETERS) == prepare(saved(quarters()), PARAMETERS)
    assert measure(data, PARAMETERS) == (80, 64)


def test_damaged_pixels_of_a_png_with_bad_metadata_are_refused():
    data = bytearray(with_chunk(saved(Image.effect_noise((80, 80), 90)), LONG_TEXT))
    middle = len(data) - 2000
    data[middle : middle + 50] = bytes(50)

    assert rejected(bytes(data)) == "corrupt"


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}], ids=["baseline", "progressive", "restarts"]
)
def test_a_jpeg_that_lacks_only_its_end_marker_is_whole(options):
    data = saved(Image.effect_noise((160, 120), 90).convert("RGB"), "JPEG", **options)

    assert prepare(data[:-2], PARAMETERS) == prepare(data, PARAMETERS)


@pytest.mark.parametrize(
    "options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}], ids=["baseline", "progressive", "restarts"]
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.97])
def test_a_jpeg_that_lacks_pixels_is_truncated(options, share):
    data = saved(Image.effect_noise((160, 120), 90).convert("RGB"), "JPEG", **options)

    assert rejected(data[: int(len(data) * share)]) == "truncated"


def test_a_jpeg_cut_at_a_restart_marker_is_truncated():
    data = saved(Image.effect_noise((160, 120), 90).convert("RGB"), "JPEG", restart_marker_blocks=4)

    assert rejected(data[: data.index(b"\xff\xd3")]) == "truncated"


def scans_of(data):
    return [position for position in range(len(data)) if data[position : position + 2] == b"\xff\xda"]


def test_a_progressive_jpeg_cut_between_two_scans_is_truncated():
    data = saved(Image.effect_noise((160, 120), 90).convert("RGB"), "JPEG", progressive=True)

    assert rejected(data[: scans_of(data)[-1]]) == "truncated"


def with_scans(count):
    data = saved(Image.new("L", (200, 200), 99), "JPEG", progressive=True)
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


def test_a_bmp_whose_alpha_is_zero_everywhere_is_opaque():
    assert picture(bmp_with_alpha(0), PARAMETERS).square.getpixel((30, 30)) == (60, 200, 10)


def test_a_bmp_with_real_alpha_keeps_it():
    assert picture(bmp_with_alpha(128), PARAMETERS).square.getpixel((30, 30))[2] > 100


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


def test_colours_in_the_low_8_of_16_bits_are_refused_if_the_file_says_so():
    assert rejected(png_16_bit(200, significant=8, colour=2)) == "unsupported"


PLANAR_16_BIT = planar_tiff(np.full((30, 40, 3), (60 << 8 | 7, 200 << 8 | 7, 10 << 8 | 7)), bits=16)


def test_a_planar_tiff_of_16_bits_shows_its_colours():
    assert picture(PLANAR_16_BIT, PARAMETERS).square.getpixel((30, 30)) == (60, 200, 10)


@pytest.mark.parametrize("factor", [1, 257])
def test_a_palette_of_8_bits_is_as_bright_as_one_of_16(factor):
    data = palette_tiff([value * factor for value in range(256)] * 3)

    assert picture(data, PARAMETERS).square.getpixel((30, 30)) == (200, 200, 200)


def test_a_preview_in_place_of_the_picture_is_refused():
    tags = {254: (4, [1]), 256: (3, [40]), 257: (3, [30]), 258: (3, [8]), 259: (3, [1]), 262: (3, [1]), 277: (3, [1])}
    data = tiff({**tags, 273: (4, [8]), 279: (4, [1200])}, data=bytes(1200))

    assert rejected(data) == "unsupported"


def test_a_tiff_whose_other_pages_are_smaller_copies_is_one_image():
    small = Image.new("RGB", (20, 16))
    small.encoderinfo = {"tiffinfo": {254: 1}}
    data = saved(quarters(), "TIFF", save_all=True, append_images=[small])

    assert shows_quarters(data)


def test_a_whole_tiff_of_an_unknown_kind_is_unsupported_and_not_damaged():
    tags = {256: (3, [40]), 257: (3, [30]), 258: (3, [7]), 259: (3, [1]), 262: (3, [9]), 277: (3, [1])}
    whole = tiff({**tags, 273: (4, [8]), 279: (4, [1200])}, data=bytes(1200))
    cut_off = tiff({**tags, 273: (4, [8]), 279: (4, [999_999])}, data=bytes(1200))

    assert (rejected(whole), rejected(cut_off)) == ("unsupported", "corrupt")


def test_a_file_at_which_a_decoder_asserts_is_corrupt(monkeypatch):
    def fail(image):
        raise AssertionError

    monkeypatch.setattr(PngImagePlugin.PngImageFile, "load", fail)

    assert rejected(saved(quarters())) == "corrupt"


def test_heic_is_read(heic):
    assert shows_quarters(heic)
    assert measure(heic, PARAMETERS) == (80, 64)


def test_a_damaged_heic_is_refused(heic):
    assert rejected(heic[:300]) == "corrupt"
    assert rejected(heic[:-100]) in ("corrupt", "truncated")


def test_avif_is_read():
    assert shows_quarters(saved(quarters(), "AVIF", quality=90))


def test_a_damaged_avif_is_refused():
    data = saved(quarters(), "AVIF")

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


def test_a_git_lfs_pointer_is_named_with_the_command_that_helps():
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 12345\n"

    with pytest.raises(ImageRejectedError, match="run `git lfs pull`") as caught:
        prepare(pointer, PARAMETERS)

    assert caught.value.code == "not_an_image"


@pytest.mark.parametrize(
    "data",
    [bmp_with_alpha(0), png_16_bit(2000, significant=12), PLANAR_16_BIT, palette_tiff(list(range(256)) * 3)],
    ids=["BMP", "PNG", "planar TIFF", "palette TIFF"],
)
def test_an_image_that_was_prepared_wrongly_gets_another_identity(data):
    assert revision(data, PARAMETERS) == "-2"


@pytest.mark.parametrize(
    "data",
    [*(saved(quarters(), kind) for kind in ("JPEG", "PNG", "BMP", "TIFF")), bmp_with_alpha(9), png_16_bit(9)],
    ids=["JPEG", "PNG", "BMP", "TIFF", "BMP with alpha", "16-bit PNG"],
)
def test_every_other_image_keeps_its_identity(data):
    assert revision(data, PARAMETERS) == ""
