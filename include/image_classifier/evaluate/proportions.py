"""Computes intervals of proportions and the number of images that shows a difference; standard library only."""

import math
from statistics import NormalDist

from pydantic import BaseModel, ConfigDict

CONFIDENCE = 0.95
POWER = 0.8
NORMAL = NormalDist()


class Proportion(BaseModel):
    """`right` of `of` as a fraction from 0 to 1, with its Wilson interval (95%)."""

    model_config = ConfigDict(frozen=True)

    right: int
    of: int
    value: float
    low: float
    high: float


def proportion(right: int, of: int) -> Proportion:
    """Return the proportion with its interval; for `of` = 0 the interval is 0 to 1."""
    low, high = wilson_interval(right, of)
    return Proportion(
        right=right, of=of, value=round(right / of, 6) if of else 0.0, low=round(low, 6), high=round(high, 6)
    )


def wilson_interval(right: int, of: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return (low, high), Wilson's two-sided score interval without continuity correction (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    z = NORMAL.inv_cdf(0.5 + confidence / 2)
    share, z2 = right / of, z * z
    centre = share + z2 / (2 * of)
    half = z * math.sqrt(share * (1 - share) / of + z2 / (4 * of * of))
    # The exact bounds are 0 for none and 1 for all; floating point gives only nearly that.
    low = 0.0 if right == 0 else (centre - half) / (1 + z2 / of)
    high = 1.0 if right == of else (centre + half) / (1 + z2 / of)
    return low, high


def images_to_show_better(difference: float, *, discordant: float, alpha: float, power: float = POWER) -> int:
    """Return the number of test images with which McNemar's two-sided test shows a difference of accuracy.

    Connor's formula (Biometrics 43:207, 1987). ``discordant`` is the share of the images on which exactly one of the
    two models is right; it is at least the difference.
    """
    discordant = max(discordant, abs(difference))
    z_alpha, z_power = NORMAL.inv_cdf(1 - alpha / 2), NORMAL.inv_cdf(power)
    spread = z_alpha * math.sqrt(discordant) + z_power * math.sqrt(discordant - difference**2)
    return math.ceil(spread**2 / difference**2)


def images_to_show_not_worse(margin: float, *, discordant: float, alpha: float, power: float = POWER) -> int:
    """Return the number of test images that shows, for equally accurate models, that one is not worse by the margin."""
    z_alpha, z_power = NORMAL.inv_cdf(1 - alpha), NORMAL.inv_cdf(power)
    return math.ceil((z_alpha + z_power) ** 2 * discordant / margin**2)


def margin_shown_by(images: int, *, discordant: float, alpha: float, power: float = POWER) -> float:
    """Return the smallest margin by which this number of images shows an equally accurate model not to be worse."""
    z_alpha, z_power = NORMAL.inv_cdf(1 - alpha), NORMAL.inv_cdf(power)
    return (z_alpha + z_power) * math.sqrt(discordant / images)
