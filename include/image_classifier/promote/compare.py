"""Compares two models on the same test images, in total and by class."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from image_classifier.evaluate.holm import holm
from image_classifier.evaluate.proportions import proportion
from image_classifier.promote.decision import ClassComparison, Comparison
from image_classifier.promote.paired import PairedCounts, exact_p, mid_p, mid_p_of_worse, newcombe_interval, upper_bound

DIGITS = 6


@dataclass(frozen=True)
class Pair:
    """One test image with the answers of both models: which of them are right."""

    label: str
    candidate_right: bool
    champion_right: bool


def compare(pairs: Sequence[Pair], *, alpha: float) -> Comparison:
    """Compare the accuracies of both models on all pairs."""
    counts = paired_counts(pairs)
    low, high = newcombe_interval(counts, confidence=1 - 2 * alpha)
    return Comparison(
        images=counts.images,
        both_right=counts.both_right,
        only_candidate=counts.only_candidate,
        only_champion=counts.only_champion,
        both_wrong=counts.both_wrong,
        candidate=proportion(counts.both_right + counts.only_candidate, counts.images),
        champion=proportion(counts.both_right + counts.only_champion, counts.images),
        difference=round(counts.difference, DIGITS),
        low=round(low, DIGITS),
        high=round(high, DIGITS),
        mid_p=round(mid_p(counts), DIGITS),
        exact_p=round(exact_p(counts), DIGITS),
    )


def compare_classes(pairs: Sequence[Pair], *, alpha: float, margin: float) -> tuple[ClassComparison, ...]:
    """Compare each class's recall; a class blocks if it is shown to be worse by more than the margin.

    With many small classes some are worse by chance, so the tests are corrected by Holm's method.
    """
    by_class = defaultdict[str, list[Pair]](list)
    for pair in pairs:
        by_class[pair.label].append(pair)
    counts = {label: paired_counts(by_class[label]) for label in sorted(by_class)}
    return compare_class_counts(counts, alpha=alpha, margin=margin)


def compare_class_counts(
    counts: Mapping[str, PairedCounts], *, alpha: float, margin: float
) -> tuple[ClassComparison, ...]:
    """Compare each class's recall from its counts."""
    p_values = [mid_p_of_worse(one) for one in counts.values()]
    shown = zip(counts, counts.values(), p_values, holm(p_values), strict=True)
    return tuple(
        _class_comparison(label, one, (p_value, adjusted), alpha=alpha, margin=margin)
        for label, one, p_value, adjusted in shown
    )


def paired_counts(pairs: Iterable[Pair]) -> PairedCounts:
    times = Counter((pair.candidate_right, pair.champion_right) for pair in pairs)
    return PairedCounts(times[True, True], times[True, False], times[False, True], times[False, False])


def _class_comparison(
    label: str, counts: PairedCounts, p_values: tuple[float, float], *, alpha: float, margin: float
) -> ClassComparison:
    p_value, adjusted = p_values
    share = alpha * p_value / adjusted if adjusted else alpha  # Holm's significance level for this class
    high = upper_bound(counts, alpha=share)
    return ClassComparison(
        label=label,
        images=counts.images,
        candidate=proportion(counts.both_right + counts.only_candidate, counts.images),
        champion=proportion(counts.both_right + counts.only_champion, counts.images),
        difference=round(counts.difference, DIGITS),
        high=round(high, DIGITS),
        p_value=round(p_value, DIGITS),
        adjusted=round(adjusted, DIGITS),
        blocks=adjusted < alpha and high < -margin,
    )
