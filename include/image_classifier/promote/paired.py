"""Computes McNemar's mid-p test and Newcombe's interval for two models on the same images; standard library only."""

import math
from dataclasses import dataclass

from image_classifier.evaluate.proportions import wilson_interval

MOST_SUMMED_EXACTLY = 1000  # number of discordant images; with more, integers are slower than logarithms
NEGLIGIBLE = 1e-17  # relative to the sum; smaller terms are ignored


@dataclass(frozen=True)
class PairedCounts:
    """The numbers of images on which both models, only one of them, or none is right."""

    both_right: int
    only_candidate: int
    only_champion: int
    both_wrong: int

    @property
    def images(self) -> int:
        return self.both_right + self.only_candidate + self.only_champion + self.both_wrong

    @property
    def difference(self) -> float:
        """Return the accuracy of the candidate minus that of the champion."""
        return (self.only_candidate - self.only_champion) / self.images if self.images else 0.0

    @property
    def discordant(self) -> float:
        """Return the share of the images on which exactly one of the two is right."""
        return (self.only_candidate + self.only_champion) / self.images if self.images else 0.0


def exact_p(counts: PairedCounts) -> float:
    """Return the p-value of McNemar's exact two-sided test, a binomial test of the discordant images."""
    fewer, total = _discordant(counts)
    return min(1.0, 2 * binomial_half_cdf(fewer, total))


def mid_p(counts: PairedCounts) -> float:
    """Return McNemar's two-sided mid-p (Fagerland, Lydersen, Laake, BMC Med Res Methodol 13:91, 2013)."""
    fewer, total = _discordant(counts)
    point = binomial_half_pmf(fewer, total)
    if counts.only_candidate == counts.only_champion:
        return 1 - point / 2
    return 2 * binomial_half_cdf(fewer, total) - point


def mid_p_of_worse(counts: PairedCounts) -> float:
    """Return the one-sided mid-p for the hypothesis that the candidate is worse than the champion."""
    total = counts.only_candidate + counts.only_champion
    few = counts.only_candidate
    return binomial_half_cdf(few, total) - binomial_half_pmf(few, total) / 2


def newcombe_interval(counts: PairedCounts, *, confidence: float) -> tuple[float, float]:
    """Return the two-sided interval of the difference, Newcombe's method 10 (Statistics in Medicine 17:2635, 1998)."""
    if not counts.images:
        return -1.0, 1.0
    candidate, champion = counts.both_right + counts.only_candidate, counts.both_right + counts.only_champion
    ours, theirs = candidate / counts.images, champion / counts.images
    low_ours, high_ours = wilson_interval(candidate, counts.images, confidence=confidence)
    low_theirs, high_theirs = wilson_interval(champion, counts.images, confidence=confidence)
    phi = _correlation(counts)
    below = _distance(ours - low_ours, high_theirs - theirs, phi)
    above = _distance(high_ours - ours, theirs - low_theirs, phi)
    return counts.difference - below, counts.difference + above


def binomial_half_cdf(most: int, total: int) -> float:
    """Return P(X <= most) for ``total`` trials of probability one half; numerically stable for any size."""
    if most >= total:
        return 1.0
    if total <= MOST_SUMMED_EXACTLY:
        return float(sum(math.comb(total, count) for count in range(most + 1)) / 2**total)
    if 2 * most >= total:  # the shorter tail is summed
        return 1 - binomial_half_cdf(total - most - 1, total)
    term, added = 1.0, 1.0
    for count in range(most, 0, -1):
        term *= count / (total - count + 1)
        added += term
        if term < NEGLIGIBLE * added:
            break
    return added * binomial_half_pmf(most, total)


def binomial_half_pmf(count: int, total: int) -> float:
    """Return P(X = count) of the same distribution."""
    if total <= MOST_SUMMED_EXACTLY:
        return float(math.comb(total, count) / 2**total)
    ways = math.lgamma(total + 1) - math.lgamma(count + 1) - math.lgamma(total - count + 1)
    return math.exp(ways - total * math.log(2))


def upper_bound(counts: PairedCounts, *, alpha: float) -> float:
    """Return the one-sided upper bound of the difference at alpha."""
    return newcombe_interval(counts, confidence=1 - 2 * alpha)[1]


def _discordant(counts: PairedCounts) -> tuple[int, int]:
    total = counts.only_candidate + counts.only_champion
    return min(counts.only_candidate, counts.only_champion), total


def _correlation(counts: PairedCounts) -> float:
    """Return phi of method 10, with its continuity correction if the models agree more than by chance."""
    a, b, c, d = counts.both_right, counts.only_candidate, counts.only_champion, counts.both_wrong
    margins = (a + b) * (c + d) * (a + c) * (b + d)
    if not margins:
        return 0.0
    cross = float(a * d - b * c)
    if cross > 0:
        cross = max(0.0, cross - counts.images / 2)
    return cross / math.sqrt(margins)


def _distance(first: float, second: float, phi: float) -> float:
    return math.sqrt(max(0.0, first**2 - 2 * phi * first * second + second**2))
