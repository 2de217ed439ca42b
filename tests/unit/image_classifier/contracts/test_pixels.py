import contextlib
import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageFile, JpegImagePlugin, PngImagePlugin
from tests.unit.odd_images.makers import png_of, saved, tiff_of

from image_classifier.contracts import decoding
from image_classifier.contracts.errors import ImageRejectedError
from image_classifier.contracts.pixels import BACKGROUND, PADDING, PixelParameters, keep, measure, prepare

RED, GREEN, BLUE, WHITE = (220, 30, 30), (30, 200, 30), (30, 30, 220), (255, 255, 255)
SIDE = 64
PAD = PixelParameters(SIDE)
CROP = PixelParameters(SIDE, fit="crop")
EXIF_ORIENTATION = 0x0112
# How a camera stores an upright picture under each orientation: the operation that undoes what the tag asks for.
STORED_AS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def quarters(width=80, height=80, mode="RGB"):
    """Red and green above, blue and white below."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    image.paste(WHITE, (width // 2, height // 2, width, height))
    return image.convert(mode)


def decoded(data, parameters=PAD):
    return Image.open(io.BytesIO(prepare(data, parameters).jpeg))


def near(pixel, colour, tolerance=8):
    return all(abs(one - other) <= tolerance for one, other in zip(pixel, colour, strict=True))


def corners(image):
    near_edge, far_edge = image.width // 8, image.width - image.width // 8
    return [
        image.getpixel(at)
        for at in ((near_edge, near_edge), (far_edge, near_edge), (near_edge, far_edge), (far_edge, far_edge))
    ]


def shows_quarters(image, tolerance=6):
    return all(near(*pair, tolerance) for pair in zip(corners(image), (RED, GREEN, BLUE, WHITE), strict=True))


def rejected(data, parameters=PAD, by=prepare):
    with pytest.raises(ImageRejectedError) as caught:
        by(data, parameters)
    assert str(caught.value).endswith(".")
    return caught.value.code


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "BMP", "WEBP", "TIFF"])
def test_every_format_gives_the_same_square_rgb_jpeg(image_format):
    image = decoded(saved(quarters(), image_format))

    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (SIDE, SIDE))
    assert shows_quarters(image, tolerance=10)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_the_camera_s_orientation_is_applied(image_format, orientation):
    upright = quarters(120, 80)
    stored = upright.transpose(STORED_AS[orientation]) if orientation in STORED_AS else upright
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = orientation
    data = saved(stored, image_format, exif=exif)

    prepared = prepare(data, CROP)

    assert shows_quarters(Image.open(io.BytesIO(prepared.jpeg)), tolerance=10)
    assert (prepared.width, prepared.height) == (120, 80) == measure(data, CROP)


def test_an_upright_photo_and_the_same_stored_rotated_give_the_same_pixels():
    upright = quarters(101, 60)
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6

    lying = saved(upright.transpose(Image.Transpose.ROTATE_90), exif=exif)

    difference = ImageChops.difference(decoded(lying), decoded(saved(upright)))
    assert max(most for _, most in difference.getextrema()) <= 3


def test_a_damaged_exif_block_does_not_cost_the_image():
    text = PngImagePlugin.PngInfo()
    text.add_text("Raw profile type exif", "\nexif\n8\nno hexadecimal digits")
    data = saved(quarters(), pnginfo=text)
    with pytest.raises(ValueError, match="non-hexadecimal"):
        Image.open(io.BytesIO(data)).getexif()

    assert shows_quarters(decoded(data))


def test_padding_keeps_the_whole_image_between_grey_bars():
    image = decoded(saved(Image.new("RGB", (200, 100), RED)))

    assert [near(image.getpixel((32, y)), PADDING) for y in (0, 12, 51, 63)] == [True] * 4
    assert [near(image.getpixel((x, y)), RED) for x in (1, 62) for y in (20, 43)] == [True] * 4


def test_padding_stands_at_the_sides_of_a_tall_image():
    image = decoded(saved(Image.new("RGB", (100, 200), RED)))

    assert near(image.getpixel((3, 32)), PADDING)
    assert near(image.getpixel((60, 32)), PADDING)
    assert near(image.getpixel((32, 2)), RED)


def test_cropping_keeps_the_central_square():
    wide = Image.new("RGB", (300, 100), GREEN)
    wide.paste(RED, (100, 0, 200, 100))

    image = decoded(saved(wide), CROP)

    assert [near(pixel, RED) for pixel in corners(image)] == [True] * 4


def test_a_line_of_pixels_keeps_at_least_one():
    assert decoded(saved(Image.new("RGB", (3000, 1), RED))).size == (SIDE, SIDE)


def test_small_images_are_enlarged_smoothly():
    image = decoded(saved(quarters(8, 8)))

    assert shows_quarters(image)
    middle = image.getpixel((SIDE // 2, SIDE // 8))
    assert not near(middle, RED)
    assert not near(middle, GREEN)


def test_shrinking_averages_instead_of_picking_pixels():
    checkerboard = Image.new("L", (512, 512))
    checkerboard.putdata([255 * ((x + y) % 2) for y in range(512) for x in range(512)])

    image = decoded(saved(checkerboard))

    assert near(image.getpixel((30, 30)), (127, 127, 127), tolerance=8)


def test_transparency_shows_white():
    image = Image.new("RGBA", (80, 80), (0, 0, 0, 0))
    image.paste((*RED, 255), (40, 0, 80, 80))

    result = decoded(saved(image))

    assert near(result.getpixel((5, 30)), BACKGROUND)
    assert near(result.getpixel((58, 30)), RED)


def test_half_transparency_is_mixed_with_white():
    assert near(decoded(saved(Image.new("RGBA", (80, 80), (0, 0, 0, 128)))).getpixel((30, 30)), (127, 127, 127))


def test_invisible_colours_do_not_bleed_into_the_edge():
    image = Image.new("RGBA", (512, 512), (0, 255, 0, 0))
    image.paste((*RED, 255), (256, 0, 512, 512))

    edge = decoded(saved(image)).getpixel((31, 30))

    assert edge[1] <= edge[0]


def test_bars_of_a_transparent_image_are_grey_like_any_other_s():
    image = decoded(saved(Image.new("RGBA", (200, 100), (0, 0, 0, 0))))

    assert near(image.getpixel((32, 2)), PADDING)
    assert near(image.getpixel((32, 32)), BACKGROUND)


@pytest.mark.parametrize(
    ("image", "options"),
    [
        (quarters(mode="P"), {"transparency": 255}),
        (quarters(mode="LA"), {}),
        (quarters(mode="L"), {"transparency": 255}),
        (quarters(mode="RGB"), {"transparency": (1, 2, 3)}),
    ],
    ids=["palette", "grey with alpha", "grey with a transparent value", "RGB with a transparent colour"],
)
def test_other_kinds_of_transparency_are_opaque_in_the_end(image, options):
    result = decoded(saved(image, **options))

    assert near(corners(result)[3], WHITE)


def test_a_transparent_palette_entry_shows_white():
    image = Image.new("P", (80, 80), 1)
    image.putpalette([0, 0, 0, *RED])
    image.paste(0, (0, 0, 40, 80))

    result = decoded(saved(image, transparency=0))

    assert near(result.getpixel((5, 30)), BACKGROUND)
    assert near(result.getpixel((58, 30)), RED)


def test_grey_becomes_grey_rgb():
    assert near(decoded(saved(Image.new("L", (80, 80), 99))).getpixel((30, 30)), (99, 99, 99), tolerance=2)


def test_black_and_white_is_read():
    assert near(decoded(saved(Image.new("1", (80, 80), 1))).getpixel((30, 30)), WHITE)


def test_sixteen_bit_grey_keeps_its_brightness():
    result = decoded(saved(Image.new("I;16", (80, 80), 40_000))).getpixel((30, 30))

    assert near(result, (40_000 >> 8,) * 3, tolerance=2)


def grey_tiff(order, *, bits, photometric, row, extra_samples=0):
    """A TIFF of 40 x 40 grey pixels, each row as given; the tags that a reader needs and no others."""
    data = row * 40
    short, long = order + "HHIHxx", order + "HHII"
    tags = [
        struct.pack(short, 256, 3, 1, 40),
        struct.pack(short, 257, 3, 1, 40),
        struct.pack(order + "HHIHH", 258, 3, 1 + extra_samples, bits, bits if extra_samples else 0),
        struct.pack(short, 259, 3, 1, 1),
        struct.pack(short, 262, 3, 1, photometric),
        struct.pack(long, 273, 4, 1, 8),
        struct.pack(short, 277, 3, 1, 1 + extra_samples),
        struct.pack(long, 279, 4, 1, len(data)),
        *([struct.pack(short, 338, 3, 1, 1)] if extra_samples else []),
    ]
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "HI", 42, 8 + len(data))
    return head + data + struct.pack(order + "H", len(tags)) + b"".join(tags) + bytes(4)


@pytest.mark.parametrize("order", ["<", ">"])
def test_sixteen_bit_tiff_keeps_its_brightness_in_either_order_of_bytes(order):
    data = grey_tiff(order, bits=16, photometric=1, row=struct.pack(order + "H", 30_000) * 40)

    assert near(decoded(data).getpixel((30, 30)), (30_000 >> 8,) * 3, tolerance=2)


@pytest.mark.parametrize(
    "data",
    [
        grey_tiff("<", bits=12, photometric=1, row=b"\xff" * 60),
        grey_tiff("<", bits=16, photometric=0, row=struct.pack("<H", 60_000) * 40),
        grey_tiff("<", bits=8, photometric=1, row=b"\x80\xff" * 40, extra_samples=1),
    ],
    ids=["12 bits", "zero is white", "premultiplied alpha"],
)
def test_grey_that_would_come_out_wrong_is_refused(data):
    assert rejected(data) == "unsupported"


def test_webp_takes_twice_the_memory_and_half_the_pixels(monkeypatch):
    monkeypatch.setitem(decoding.MAX_PIXELS_OF, "WEBP", 80 * 80 - 1)

    assert rejected(saved(quarters(80, 80), "WEBP")) == "too_many_pixels"
    assert prepare(saved(quarters(80, 80), "PNG"), PAD)


def test_sixteen_bit_colour_keeps_its_brightness():
    row = b"\0" + struct.pack(">HHH", 60_000, 30_000, 5_000) * 80
    data = png_of(80, 80, bits=16, data=row * 80)

    assert near(decoded(data).getpixel((30, 30)), (60_000 >> 8, 30_000 >> 8, 5_000 >> 8))


def test_cmyk_photos_keep_their_colours():
    assert shows_quarters(decoded(saved(quarters(mode="CMYK"), "JPEG")), tolerance=12)


@pytest.mark.parametrize("mode", ["I", "F"])
def test_pixels_of_unknown_brightness_are_refused(mode):
    assert rejected(saved(Image.new(mode, (80, 80)), "TIFF")) == "unsupported"


def test_a_gif_with_one_frame_is_an_image():
    assert shows_quarters(decoded(saved(quarters(mode="P"), "GIF")), tolerance=40)


@pytest.mark.parametrize("image_format", ["GIF", "PNG", "WEBP", "TIFF"])
def test_several_frames_are_refused(image_format):
    data = saved(quarters(), image_format, save_all=True, append_images=[Image.new("RGB", (80, 80), RED)])

    assert rejected(data) == ("several_pages" if image_format == "TIFF" else "animated")


def test_of_a_phone_s_double_picture_the_first_counts():
    data = saved(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (80, 80), RED)])

    assert shows_quarters(decoded(data), tolerance=10)


def test_metadata_is_stripped():
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    data = saved(quarters(), "JPEG", exif=exif, comment=b"SecretComment", icc_profile=b"SecretProfile", dpi=(300, 300))
    assert data.count(b"Secret") == 3

    image = decoded(data)

    assert b"Secret" not in prepare(data, PAD).jpeg
    assert not {"exif", "icc_profile", "comment", "dpi"} & set(image.info)


def test_the_result_is_a_baseline_jpeg_with_full_colour_resolution():
    image = decoded(saved(quarters(), "JPEG", progressive=True, subsampling=2))

    assert "progressive" not in image.info
    assert JpegImagePlugin.get_sampling(image) == 0


def test_the_quality_is_the_one_asked_for():
    noise = saved(Image.effect_noise((80, 80), 90))

    worse, better = (prepare(noise, PixelParameters(SIDE, jpeg_quality=quality)).jpeg for quality in (60, 95))

    assert len(worse) < len(better)


def test_the_same_bytes_give_the_same_bytes():
    data = saved(Image.effect_noise((80, 50), 90).convert("RGB"), "JPEG")

    assert prepare(data, PAD) == prepare(data, PAD)


@pytest.mark.parametrize(("parameters", "size"), [(PAD, (128, 96)), (CROP, (192, 144))])
def test_a_large_photo_is_decoded_at_a_fraction_not_below_twice_the_side(parameters, size, monkeypatch):
    sizes, resize = [], Image.Image.resize
    monkeypatch.setattr(
        Image.Image, "resize", lambda image, *given, **how: sizes.append(image.size) or resize(image, *given, **how)
    )
    data = saved(quarters(1024, 768) if parameters is PAD else quarters(768, 576), "JPEG")

    prepared = prepare(data, parameters)

    assert sizes == [size]
    assert (prepared.width, prepared.height) == (1024, 768) if parameters is PAD else (768, 576)
    assert shows_quarters(Image.open(io.BytesIO(prepare(saved(quarters(1024, 1024), "JPEG"), PAD).jpeg)), tolerance=10)


def test_an_empty_file_is_refused():
    assert rejected(b"") == "empty"


def test_a_text_is_not_an_image():
    assert rejected(b"version https://git-lfs.github.com/spec/v1\n") == "not_an_image"


@pytest.mark.parametrize(
    ("image_format", "code"), [("PPM", "unsupported"), ("TGA", "not_an_image"), ("PCX", "not_an_image")]
)
def test_formats_beyond_the_list_are_not_even_tried(image_format, code):
    assert rejected(saved(quarters(), image_format)) == code


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_half_a_file_is_refused(image_format):
    data = saved(Image.effect_noise((200, 200), 90).convert("RGB"), image_format)

    assert rejected(data[: len(data) // 2]) in {"truncated", "corrupt"}


def test_a_cut_off_photo_is_called_truncated():
    data = saved(Image.effect_noise((200, 200), 90).convert("RGB"), "JPEG")

    assert rejected(data[: len(data) // 2]) == "truncated"


def test_a_large_photo_decoded_at_a_fraction_is_still_read_to_its_end():
    data = saved(Image.effect_noise((1600, 1600), 90).convert("RGB"), "JPEG")

    assert rejected(data[: len(data) * 9 // 10]) == "truncated"


def test_a_damaged_header_is_called_corrupt():
    assert rejected(saved(quarters(), "JPEG")[:20]) == "corrupt"
    assert rejected(saved(quarters())[:20]) == "corrupt"


def test_damaged_pixels_are_called_corrupt():
    data = bytearray(saved(Image.effect_noise((80, 80), 90)))
    middle = len(data) // 2
    data[middle : middle + 50] = bytes(50)

    assert rejected(bytes(data)) == "corrupt"


def test_a_file_of_too_many_bytes_is_not_looked_at():
    data = saved(quarters())

    assert rejected(data, PixelParameters(SIDE, max_image_bytes=len(data) - 1)) == "too_large"
    assert prepare(data, PixelParameters(SIDE, max_image_bytes=len(data)))


def test_too_many_pixels_are_refused_before_any_is_decoded(monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("decoded"))

    assert rejected(saved(quarters(80, 80)), PixelParameters(SIDE, max_image_pixels=80 * 80 - 1)) == "too_many_pixels"


def test_exactly_as_many_pixels_as_allowed_are_decoded():
    assert prepare(saved(quarters(80, 80)), PixelParameters(SIDE, max_image_pixels=80 * 80))


def test_a_decompression_bomb_is_refused_by_its_header():
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = (
        b"\x89PNG\r\n\x1a\n"
        + struct.pack(">I", 13)
        + b"IHDR"
        + header
        + struct.pack(">I", zlib.crc32(b"IHDR" + header))
    )
    bomb += struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))

    assert rejected(bomb) == "too_many_pixels"


@settings(max_examples=300)
@given(st.data())
def test_damaged_bytes_are_prepared_or_rejected_and_nothing_else(data):
    image_format = data.draw(st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "WEBP"]))
    original = bytearray(saved(quarters(20, 12), image_format))
    for position in data.draw(st.lists(st.integers(0, len(original) - 1), min_size=1, max_size=6)):
        original[position] = data.draw(st.integers(0, 255))

    with contextlib.suppress(ImageRejectedError):  # any other error fails this test
        assert decoded(bytes(original)).size == (SIDE, SIDE)


@settings(max_examples=60)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(8, 96), st.sampled_from(["pad", "crop"]))
def test_any_size_becomes_the_square(width, height, side, fit):
    prepared = prepare(saved(Image.new("RGB", (width, height), RED)), PixelParameters(side, fit=fit))
    image = Image.open(io.BytesIO(prepared.jpeg))

    assert image.size == (side, side)
    assert (prepared.width, prepared.height) == (width, height)
    if max(width, height) < 2 * min(width, height):
        assert near(image.getpixel((side // 2, side // 2)), RED)


def test_the_key_names_what_changes_pixels_and_nothing_else():
    assert PAD.key() == "1-pad-64-q90"
    others = [CROP, PixelParameters(65), PixelParameters(SIDE, jpeg_quality=91)]
    assert len({PAD.key(), *(other.key() for other in others)}) == 4
    assert PixelParameters(SIDE, max_image_bytes=1, max_image_pixels=1).key() == PAD.key()


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "MPO"])
def test_an_image_that_is_kept_keeps_its_bytes(image_format):
    exif = Image.Exif()
    exif[EXIF_ORIENTATION] = 6
    data = saved(quarters(120, 80), image_format, exif=exif)

    kept = keep(data, PAD)

    assert (kept.jpeg, kept.width, kept.height) == (data, 80, 120)


@pytest.mark.parametrize("image_format", ["GIF", "WEBP", "BMP", "TIFF"])
def test_only_what_the_algorithm_reads_is_kept(image_format):
    assert rejected(saved(quarters(), image_format), by=keep) == "unsupported"


def test_a_truncated_image_is_not_kept():
    assert rejected(saved(Image.effect_noise((80, 80), 90))[:2000], by=keep) in {"truncated", "corrupt"}


def test_measuring_decodes_nothing(monkeypatch):
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda image: pytest.fail("decoded"))

    assert measure(saved(quarters(30, 20), "JPEG"), PAD) == (30, 20)


def test_a_satellite_s_tiff_of_many_bands_is_refused_without_log_lines(caplog):
    bands = tiff_of(np.zeros((8, 8, 13), np.uint16), bits=16, photometric=1)

    assert rejected(bands) == "unsupported"
    assert caplog.records == []
