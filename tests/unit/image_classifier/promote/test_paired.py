import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, bootstrap
from statsmodels.stats.contingency_tables import mcnemar

from image_classifier.promote.paired import (
    PairedCounts,
    binomial_half_cdf,
    exact_p,
    mid_p,
    mid_p_of_worse,
    newcombe_interval,
    upper_bound,
)

AIRWAYS = PairedCounts(1, 1, 7, 12)  # Bentur et al. 2009, in Fagerland, Lydersen, Laake 2013, table 1
counts_of = st.builds(PairedCounts, *[st.integers(0, 3000)] * 4)


def test_the_published_example_of_the_mid_p_test():
    assert exact_p(AIRWAYS) == pytest.approx(0.0703, abs=5e-5)
    assert mid_p(AIRWAYS) == pytest.approx(0.0391, abs=5e-5)


@pytest.mark.parametrize(
    ("candidate", "champion", "exact", "mid"),
    [(22, 10, 0.0501, 0.0351), (15, 5, 0.0414, 0.0266), (35, 20, 0.0583, 0.044)],
)
def test_the_mid_p_test_is_less_conservative_than_the_exact_one(candidate, champion, exact, mid):
    counts = PairedCounts(100, candidate, champion, 5)

    assert exact_p(counts) == pytest.approx(exact, abs=1e-3)
    assert mid_p(counts) == pytest.approx(mid, abs=1e-3)


def test_equally_many_discordant_images_follow_the_papers_special_case():
    assert mid_p(PairedCounts(0, 3, 3, 0)) == pytest.approx(1 - binom.pmf(3, 6, 0.5) / 2)
    assert mid_p(PairedCounts(5, 0, 0, 5)) == 0.5
    assert exact_p(PairedCounts(5, 0, 0, 5)) == 1


@given(counts_of)
def test_the_exact_test_is_that_of_statsmodels(counts):
    table = [[counts.both_right, counts.only_candidate], [counts.only_champion, counts.both_wrong]]

    assert exact_p(counts) == pytest.approx(mcnemar(table, exact=True).pvalue, rel=1e-6, abs=1e-12)


@given(total=st.integers(1, 10**6), share=st.floats(0.4, 0.6))
def test_the_binomial_is_scipys_also_where_two_to_the_n_overflows(total, share):
    count = round(share * total)

    assert binomial_half_cdf(count, total) == pytest.approx(binom.cdf(count, total, 0.5), rel=1e-6, abs=1e-12)


def test_ten_million_images_take_no_time_and_do_not_overflow():
    counts = PairedCounts(0, 4_997_000, 5_003_000, 0)

    assert mid_p(counts) == pytest.approx(2 * binom.cdf(4_997_000, 10**7, 0.5), rel=1e-3)
    assert 0 < mid_p(PairedCounts(0, 5_000_000, 5_000_000, 0)) <= 1


@given(counts_of)
def test_the_one_sided_p_values_of_worse_and_of_better_sum_to_one(counts):
    mirrored = PairedCounts(counts.both_right, counts.only_champion, counts.only_candidate, counts.both_wrong)

    assert mid_p_of_worse(counts) + mid_p_of_worse(mirrored) == pytest.approx(1)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        (AIRWAYS, -0.507, -0.026),  # Fagerland, Lydersen, Laake 2014
        (PairedCounts(14, 5, 0, 22), 0.0115, 0.2265),  # Altman et al., Statistics with Confidence, table 6.2
    ],
)
def test_published_examples_of_newcombes_interval(counts, low, high):
    assert newcombe_interval(counts, confidence=0.95) == pytest.approx((low, high), abs=5e-4)


def test_newcombes_interval_is_close_to_a_paired_bootstrap():
    counts = PairedCounts(420, 40, 25, 15)
    differences = np.repeat([0, 1, -1, 0], [420, 40, 25, 15])
    drawn = bootstrap((differences,), np.mean, method="percentile", rng=np.random.default_rng(3)).confidence_interval

    assert newcombe_interval(counts, confidence=0.95) == pytest.approx((drawn.low, drawn.high), abs=0.004)


@given(counts_of)
def test_newcombes_interval_contains_the_difference_and_is_within_1(counts):
    low, high = newcombe_interval(counts, confidence=0.95)

    assert -1 - 1e-9 <= low <= counts.difference + 1e-12
    assert counts.difference - 1e-12 <= high <= 1 + 1e-9
    assert math.isfinite(low)


def test_the_upper_bound_is_that_of_the_interval_with_twice_the_error():
    assert upper_bound(AIRWAYS, alpha=0.05) == newcombe_interval(AIRWAYS, confidence=0.9)[1]
