import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance

from image_classifier.prepare.near_duplicates import MAX_DISTANCE, difference_hash, group_near_duplicates

HASHES = st.integers(0, 2**64 - 1)


def photograph(seed, side=128):
    """Soft patches of grey, as a photograph has."""
    random_bytes = random.Random(seed).randbytes(36)
    return Image.frombytes("L", (6, 6), random_bytes).resize((side, side), Image.Resampling.BICUBIC).convert("RGB")


def differing(value, bits):
    for bit in bits:
        value ^= 1 << bit
    return value


def slowly(hashes):
    """The definition, without an index."""
    firsts = []
    for position, value in enumerate(hashes):
        if value is not None and value in hashes[:position]:
            firsts.append(firsts[hashes.index(value)])
            continue
        near = [
            ((value ^ hashes[first]).bit_count(), first)
            for first in sorted({first for first in firsts if hashes[first] is not None})
            if value is not None and (value ^ hashes[first]).bit_count() <= MAX_DISTANCE
        ]
        firsts.append(min(near)[1] if near else position)
    return firsts


@given(HASHES, st.lists(st.integers(0, 63), unique=True, max_size=12))
def test_hashes_within_six_bits_are_one_group(value, bits):
    together = group_near_duplicates([value, differing(value, bits)]) == [0, 0]

    assert together == (len(bits) <= MAX_DISTANCE)


@given(
    st.lists(
        st.tuples(st.sampled_from([0, 2**64 - 1, 0x5555555555555555]), st.sets(st.integers(0, 63), max_size=9)),
        max_size=30,
    )
)
def test_the_index_finds_what_comparing_all_finds(near):
    hashes = [differing(value, bits) for value, bits in near]

    assert group_near_duplicates(hashes) == slowly(hashes)


@given(st.lists(HASHES, max_size=20), st.lists(HASHES, max_size=5))
def test_images_that_are_added_change_no_group(before, added):
    assert group_near_duplicates([*before, *added])[: len(before)] == group_near_duplicates(before)


def test_an_image_without_a_hash_is_alone():
    assert group_near_duplicates([None, None, 1, None]) == [0, 1, 2, 3]


def test_a_copy_of_other_size_quality_and_brightness_is_a_near_duplicate():
    original = photograph(1)
    saved = io.BytesIO()
    ImageEnhance.Brightness(original.resize((90, 90))).enhance(0.8).save(saved, "JPEG", quality=40)

    hashes = [difference_hash(original), difference_hash(Image.open(saved))]

    assert group_near_duplicates(hashes) == [0, 0]


def test_other_pictures_are_no_near_duplicates():
    hashes = [difference_hash(photograph(seed)) for seed in range(200)]

    assert None not in hashes
    assert group_near_duplicates(hashes) == list(range(200))


@pytest.mark.parametrize(
    "image",
    [Image.new("RGB", (64, 64)), Image.new("L", (64, 64), 255), Image.linear_gradient("L")],
    ids=["black", "white", "one gradient"],
)
def test_an_image_that_shows_hardly_anything_has_no_hash(image):
    assert difference_hash(image) is None
