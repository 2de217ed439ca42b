import io
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance

from image_classifier.prepare.inspection import near_duplicates
from image_classifier.prepare.inspection.near_duplicates import (
    MAX_DISTANCE,
    MOST_COMPARED,
    Look,
    Looks,
    difference_hash,
)

HASHES = st.integers(0, 2**64 - 1)
GREY = random.Random(0).randbytes(128)


def photograph(seed, side=128):
    """Soft patches of grey, as a photograph has."""
    random_bytes = random.Random(seed).randbytes(36)
    return Image.frombytes("L", (6, 6), random_bytes).resize((side, side), Image.Resampling.BICUBIC).convert("RGB")


def look_of(image, size=(640, 480)):
    return Look.of(image, size=size)


def differing(value, bits):
    for bit in bits:
        value ^= 1 << bit
    return value


def index(*values):
    looks = Looks()
    for value in values:
        looks.add(Look(value, GREY))
    return looks


def nearest(looks, value):
    return looks.nearest(Look(value, GREY))


WAYS = {"comparing all": (1 << 16, 64), "following lists": (0, 1), "following some": (2, 2)}


@pytest.fixture(params=WAYS)
def way(request, monkeypatch):
    """Few looks are compared with all; the lists of many are followed, unless they are too long."""
    fewest, share = WAYS[request.param]
    monkeypatch.setattr(near_duplicates, "_FEWEST_TO_FOLLOW", fewest)
    monkeypatch.setattr(near_duplicates, "_FOLLOWED_SHARE", share)


@pytest.mark.usefixtures("way")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HASHES, st.lists(st.integers(0, 63), unique=True, max_size=12))
def test_hashes_within_six_bits_are_near(value, bits):
    found = nearest(index(value), differing(value, bits))

    assert (found is not None) == (len(bits) <= MAX_DISTANCE)


@pytest.mark.usefixtures("way")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.sampled_from([0, 2**64 - 1, 0x5555555555555555]), st.sets(st.integers(0, 63), max_size=9)),
        max_size=30,
    )
)
def test_the_index_finds_what_comparing_all_finds(near):
    hashes = list(dict.fromkeys(differing(value, bits) for value, bits in near))
    for position, value in enumerate(hashes):
        distances = [((value ^ other).bit_count(), place) for place, other in enumerate(hashes[:position])]
        best = min(distances, default=(MAX_DISTANCE + 1, 0))

        expected = best[1] if best[0] <= MAX_DISTANCE else None
        assert nearest(index(*hashes[:position]), value) == expected


@pytest.mark.usefixtures("way")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.booleans()), max_size=40),
    st.tuples(st.integers(0, 9), st.integers(0, 2), st.booleans()),
)
def test_the_first_of_the_nearest_that_looks_alike_is_found(added, wanted):
    def look(bits, grey, is_small):
        noise = random.Random(grey).randbytes(128)
        return Look((1 << bits) - 1, bytes(a if grey < 2 else b for a, b in zip(GREY, noise, strict=True)), is_small)

    looks, searched = Looks(), look(*wanted)
    for values in added:
        looks.add(look(*values))

    nearest_first = sorted((look(*values).distance(searched), number) for number, values in enumerate(added))
    near = [number for distance, number in nearest_first if distance <= MAX_DISTANCE][:MOST_COMPARED]
    alike = [number for number in near if look(*added[number]).is_like(searched)]
    assert looks.nearest(searched) == (alike[0] if alike else None)


def test_a_copy_of_other_size_quality_and_brightness_is_a_near_duplicate():
    original = photograph(1)
    saved = io.BytesIO()
    ImageEnhance.Brightness(original.resize((90, 90))).enhance(0.8).save(saved, "JPEG", quality=40)
    looks = Looks()
    looks.add(look_of(original))

    assert looks.nearest(look_of(Image.open(saved))) == 0


def test_other_pictures_are_no_near_duplicates():
    looks = Looks()
    for seed in range(200):
        assert looks.nearest(look_of(photograph(seed))) is None
        looks.add(look_of(photograph(seed)))


def test_pictures_of_one_hash_and_other_greys_are_no_near_duplicates():
    """As X-rays have: the same outline, and something else in it."""
    look = Look(0x123456789ABCDEF0, GREY)
    other = Look(look.difference_hash, random.Random(1).randbytes(128))

    assert look.is_like(look)
    assert not look.is_like(other)


def test_small_images_must_be_more_alike():
    grey = bytes(byte & 0xF0 | min(15, (byte & 15) + (number % 5)) for number, byte in enumerate(GREY))

    assert Look(0, GREY).is_like(Look(0, grey))
    assert not Look(0, GREY, is_small=True).is_like(Look(0, grey))


def test_a_look_is_read_as_it_was_written():
    for size in ((640, 480), (28, 28)):
        look = look_of(photograph(3), size)
        assert Look.loads(look.dumps()) == look


def two_colours():
    image = Image.new("RGB", (64, 64), (20, 30, 40))
    ImageDraw.Draw(image).rectangle((10, 10, 40, 50), fill=(90, 200, 40))
    return image


@pytest.mark.parametrize(
    "image",
    [Image.new("RGB", (64, 64)), Image.new("L", (64, 64), 255), Image.linear_gradient("L"), two_colours()],
    ids=["black", "white", "one gradient", "two colours"],
)
def test_an_image_that_shows_hardly_anything_has_no_look(image):
    assert difference_hash(image) is None
    assert look_of(image) is None


def test_an_image_of_fewer_pixels_than_are_compared_has_no_look():
    assert look_of(photograph(1), (15, 40)) is None
    assert look_of(photograph(1), (16, 16)) is not None


@given(st.binary(min_size=256, max_size=256))
def test_grey_values_are_stretched_to_16_steps(values):
    image = Image.frombytes("L", (16, 16), values)
    if (look := look_of(image)) is None:
        return
    low, high = min(values), max(values)
    steps = [round((value - low) * 15 / (high - low)) for value in values]
    assert look.grey == bytes(first << 4 | second for first, second in zip(steps[:128], steps[128:], strict=True))
