"""Checks that bytes become the same pixels in training and at the endpoint."""

import io

import numpy as np
import pytest
from PIL import Image

from image_classification_algorithm import decoding
from image_classification_algorithm.decoding import UnreadableImageError, decode, resized, shortest_side_resized


def image(mode: str, kind: str, **options: object) -> bytes:
    """A 40 x 30 image of one colour, (200, 100, 50) in RGB."""
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), (200, 100, 50)).convert(mode, palette=Image.Palette.ADAPTIVE).save(
        buffer, kind, **options
    )
    return buffer.getvalue()


@pytest.mark.parametrize(
    "data",
    [
        image("RGB", "JPEG", quality=95),
        image("RGB", "JPEG", quality=95, progressive=True),
        image("CMYK", "JPEG", quality=95),
        image("RGB", "PNG"),
        image("RGBA", "PNG"),
        image("P", "PNG"),
    ],
)
def test_every_kind_of_image_becomes_rgb(data):
    pixels = decode(data)
    assert (pixels.shape, pixels.dtype) == ((30, 40, 3), np.uint8)
    assert np.abs(pixels.astype(int) - [200, 100, 50]).max() <= 30


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_grey_becomes_three_equal_channels(kind):
    pixels = decode(image("L", kind))
    assert pixels.shape == (30, 40, 3)
    assert (pixels[..., 0] == pixels[..., 2]).all()


@pytest.mark.parametrize(
    "data",
    [
        image("RGB", "JPEG", quality=95),
        image("L", "JPEG", quality=95),
        image("CMYK", "JPEG", quality=95),
        image("RGBA", "PNG"),
        image("P", "PNG"),
        image("L", "PNG"),
    ],
)
def test_every_kind_of_image_becomes_grey(data):
    pixels = decode(data, channels=1)
    assert (pixels.shape, pixels.dtype) == ((30, 40, 1), np.uint8)
    assert np.abs(pixels.astype(int) - round(0.299 * 200 + 0.587 * 100 + 0.114 * 50)).max() <= 12


def test_a_grey_image_is_resized_as_a_colour_one_is():
    assert resized(decode(image("L", "PNG"), channels=1), height=7, width=9).shape == (7, 9, 1)


def test_sixteen_bit_grey_is_scaled_not_clipped():
    buffer = io.BytesIO()
    Image.fromarray(np.full((4, 4), 40_000, np.uint16)).save(buffer, "PNG")
    assert decode(buffer.getvalue())[0, 0].tolist() == [40_000 >> 8] * 3


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "neither a JPEG nor a PNG"),
        (b"hello", "neither a JPEG nor a PNG"),
        (image("RGB", "GIF"), "neither a JPEG nor a PNG"),
        (image("RGB", "JPEG")[:300], "damaged"),
        (image("RGB", "JPEG")[:-40], "damaged"),
        (image("RGB", "PNG")[:60], "damaged"),
        (b"\xff\xd8\xff", "damaged"),
    ],
)
def test_what_is_no_image_says_why(data, sentence):
    with pytest.raises(UnreadableImageError, match=sentence):
        decode(data)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_image_with_too_many_pixels_is_not_decoded(monkeypatch, kind):
    monkeypatch.setattr(decoding, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(UnreadableImageError, match="40 x 30 pixels; at most 1,000"):
        decode(image("RGB", kind))


def test_a_large_jpeg_may_come_back_smaller_but_not_below_the_minima():
    buffer = io.BytesIO()
    Image.new("RGB", (800, 600)).save(buffer, "JPEG")
    height, width, _ = decode(buffer.getvalue(), min_height=100, min_width=100).shape
    assert 100 <= height < 600
    assert 100 <= width < 800


@pytest.mark.parametrize(
    "harmless",
    [
        lambda jpeg: jpeg.replace(b"JFIF\0\1\1", b"JFIF\0\0\0"),
        lambda jpeg: jpeg[:-2] + bytes(200) + jpeg[-2:],
        lambda jpeg: jpeg.replace(b"\xff\xda", b"\0\0\xff\xda", 1),
    ],
    ids=["revision of JFIF", "bytes before the end", "bytes before the scan"],
)
def test_what_a_decoder_only_warns_of_is_decoded(harmless):
    jpeg = image("RGB", "JPEG", quality=95)
    assert harmless(jpeg) != jpeg
    assert np.array_equal(decode(harmless(jpeg)), np.asarray(Image.open(io.BytesIO(jpeg))))


def test_a_line_that_would_fill_the_memory_is_refused_by_its_size():
    with pytest.raises(UnreadableImageError, match=r"20000 x 1 pixels; resized, it has 4480000 x 224 pixels; at most"):
        shortest_side_resized(np.zeros((1, 20_000, 3), np.uint8), side_px=224)


def test_the_endpoint_squashes():
    assert resized(decode(image("RGB", "PNG")), height=7, width=9).shape == (7, 9, 3)


@pytest.mark.parametrize(("shape", "expected"), [((30, 40, 3), (15, 20, 3)), ((41, 10, 3), (62, 15, 3))])
def test_training_makes_the_shorter_side_fit(shape, expected):
    assert shortest_side_resized(np.zeros(shape, np.uint8), side_px=15).shape == expected


def test_the_right_size_costs_nothing():
    pixels = np.zeros((15, 15, 3), np.uint8)
    assert shortest_side_resized(pixels, side_px=15) is pixels
