"""A second decoder (simplejpeg) shows the odd JPEG files, and what is prepared of them, as Pillow does."""

import numpy as np
import pytest
import simplejpeg
from tests.unit.odd_images.pictured import pictured

from image_classifier.contracts.pixels import PixelParameters, picture, prepare

JPEGS = {
    name: one
    for name, one in pictured().items()
    if one.data.startswith(b"\xff\xd8\xff") and not {"rotated", "cmyk"} & {*one.traits}
}
SIDE = 60
MEAN_DIFFERENCE = 1.0  # of 255: the releases of libjpeg-turbo may interpolate colours differently


def decoded(data):
    return simplejpeg.decode_jpeg(data, colorspace="RGB", strict=False).astype(int)


@pytest.mark.parametrize("name", JPEGS)
def test_an_odd_jpeg_shows_what_a_second_decoder_shows(name):
    theirs = decoded(JPEGS[name].data)
    height, width, _ = theirs.shape

    square = np.asarray(picture(JPEGS[name].data, PixelParameters(SIDE)).square).astype(int)

    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    assert np.abs(square[top : top + height, left : left + width] - theirs).mean() <= MEAN_DIFFERENCE


@pytest.mark.parametrize("name", pictured())
def test_a_prepared_copy_is_the_same_to_the_algorithm_s_decoder(name):
    data, parameters = pictured()[name].data, PixelParameters(SIDE, jpeg_quality=95)

    ours = np.asarray(picture(data, parameters).square).astype(int)

    assert np.abs(decoded(prepare(data, parameters).jpeg) - ours).mean() <= 2 * MEAN_DIFFERENCE
