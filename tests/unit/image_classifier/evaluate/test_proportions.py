import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from image_classifier.evaluate.holm import holm
from image_classifier.evaluate.proportions import (
    images_to_show_better,
    images_to_show_not_worse,
    margin_shown_by,
    proportion,
    wilson_interval,
)


@given(of=st.integers(1, 10**7), share=st.floats(0, 1), confidence=st.sampled_from([0.8, 0.9, 0.95, 0.999]))
def test_wilsons_interval_is_that_of_statsmodels_and_scipy(of, share, confidence):
    right = round(share * of)

    interval = wilson_interval(right, of, confidence=confidence)

    assert interval == pytest.approx(proportion_confint(right, of, alpha=1 - confidence, method="wilson"), abs=1e-9)
    assert interval == pytest.approx(tuple(binomtest(right, of).proportion_ci(confidence, method="wilson")), abs=1e-9)


def test_wilsons_interval_of_none_or_all_ends_at_the_edge():
    assert wilson_interval(0, 7)[0] == 0
    assert wilson_interval(7, 7)[1] == 1


def test_a_proportion_of_nothing_says_nothing():
    nothing = proportion(0, 0)

    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 1)


@pytest.mark.parametrize(
    ("difference", "discordant", "images"),
    [
        (0.01, 0.03, 2352),
        (0.01, 0.06, 4707),
        (0.01, 0.10, 7847),
        (0.02, 0.03, 586),
        (0.02, 0.06, 1175),
        (0.03, 0.1, 870),
    ],
)
def test_images_to_show_an_improvement_are_those_of_connors_formula(difference, discordant, images):
    assert images_to_show_better(difference, discordant=discordant, alpha=0.05) == pytest.approx(images, abs=2)


@pytest.mark.parametrize(("margin", "discordant", "images"), [(0.01, 0.03, 1855), (0.02, 0.06, 927), (0.03, 0.10, 687)])
def test_images_to_show_that_a_model_is_not_worse(margin, discordant, images):
    assert images_to_show_not_worse(margin, discordant=discordant, alpha=0.05) == pytest.approx(images, abs=1)


def test_the_margin_that_a_set_shows_and_the_images_it_takes_agree():
    images = images_to_show_not_worse(0.02, discordant=0.06, alpha=0.05)

    assert margin_shown_by(images, discordant=0.06, alpha=0.05) == pytest.approx(0.02, abs=1e-4)


def test_a_difference_larger_than_the_discordant_part_has_a_number_too():
    assert images_to_show_better(0.2, discordant=0.03, alpha=0.05) > 0


@pytest.mark.parametrize("size", [1, 2, 10, 40])
def test_holms_correction_is_that_of_statsmodels(size):
    random = np.random.default_rng(size)
    p_values = (random.random(size) ** 4).round(3).tolist()

    assert holm(p_values) == pytest.approx(list(multipletests(p_values, method="holm")[1]), abs=1e-12)


def test_holms_correction_of_nothing_is_nothing():
    assert holm([]) == []
