import numpy as np
import pytest

from image_classifier.promote.compare import Pair, compare, compare_class_counts, compare_classes
from image_classifier.promote.paired import PairedCounts

ALPHA, MARGIN = 0.05, 0.02


def pairs_of(label, both=0, candidate=0, champion=0, neither=0):
    return (
        [Pair(label, True, True)] * both
        + [Pair(label, True, False)] * candidate
        + [Pair(label, False, True)] * champion
        + [Pair(label, False, False)] * neither
    )


def draw(random, *, classes, images, worse_by=0.0, discordant=0.10, accuracy=0.92):
    """Counts by class of two models of the same accuracy, but for the first class, on which the candidate is worse."""
    counts = {}
    for label in range(classes):
        loss = worse_by if label == 0 else 0.0
        only_candidate, only_champion = discordant / 2, discordant / 2 + loss
        both = accuracy - only_candidate - loss
        neither = 1 - both - only_candidate - only_champion
        drawn = random.multinomial(images, [both, only_candidate, only_champion, neither])
        counts[str(label)] = PairedCounts(*map(int, drawn))
    return counts


def blocked(counts):
    return [one.label for one in compare_class_counts(counts, alpha=ALPHA, margin=MARGIN) if one.blocks]


def test_a_comparison_counts_and_rounds():
    found = compare(pairs_of("a", 420, 40, 25, 15), alpha=ALPHA)

    assert (found.images, found.candidate.right, found.champion.right) == (500, 460, 445)
    assert found.difference == 0.03
    assert -0.02 < found.low < 0.03 < found.high < 0.07
    assert found.mid_p < found.exact_p


def test_a_class_shown_to_be_worse_blocks_and_its_neighbour_does_not():
    pairs = pairs_of("cat", 130, 2, 60, 8) + pairs_of("dog", 180, 8, 8, 4)

    cat, dog = compare_classes(pairs, alpha=ALPHA, margin=MARGIN)

    assert (cat.label, cat.blocks, cat.difference) == ("cat", True, -0.29)
    assert cat.high < -0.2
    assert (dog.label, dog.blocks, dog.difference) == ("dog", False, 0)


def test_a_class_that_is_worse_by_less_than_the_margin_does_not_block():
    pairs = pairs_of("cat", 99_000, 100, 300, 600)

    [cat] = compare_classes(pairs, alpha=ALPHA, margin=MARGIN)

    assert cat.adjusted < ALPHA
    assert not cat.blocks


@pytest.mark.parametrize(("classes", "images"), [(10, 20), (10, 200), (100, 50)])
def test_of_equal_models_at_most_one_in_twenty_is_refused_for_a_class(classes, images):
    random, repeats = np.random.default_rng(20), 1000

    refused = sum(bool(blocked(draw(random, classes=classes, images=images))) for _ in range(repeats))

    assert refused <= 0.05 * repeats + 2 * (repeats * 0.05 * 0.95) ** 0.5


def test_a_class_thirty_points_worse_is_found_in_nine_of_ten_comparisons():
    random, repeats = np.random.default_rng(21), 1000

    found = sum("0" in blocked(draw(random, classes=10, images=200, worse_by=0.3)) for _ in range(repeats))

    assert found >= 0.9 * repeats
