"""Applies the promotion rules to a candidate's figures and its comparison with the champion."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from image_classifier.classifier.promotion import Promotion
from image_classifier.evaluate.proportions import Proportion, images_to_show_better, images_to_show_not_worse
from image_classifier.evaluate.report.model import Report
from image_classifier.promote.compare import Pair, compare, compare_classes
from image_classifier.promote.decision import ClassComparison, Comparison, Decision, Verdict
from image_classifier.promote.eligibility import FEWEST_COMPARED

LEAST_DISCORDANT = 0.03  # the assumed share of discordant images if a small test set shows fewer


@dataclass(frozen=True)
class Ruling:
    """The verdict of a rule, its reason, and the number of images missing for a verdict."""

    verdict: Verdict
    reason: str
    missing_images: int | None = None


SERVES = Ruling("promote", "It is live already, so only the floors apply.")


def decide(
    report: Report, *, rule: Promotion, champion: str | None, pairs: Sequence[Pair], excluded: int = 0
) -> Decision:
    """Decide about the model of a report.

    Args:
        report: the candidate's report, on the whole test set.
        rule: the classifier's rule.
        champion: the training job of the live model; None without one.
        pairs: the eligible test images with both models' answers.
        excluded: number of test images that were not eligible.

    """
    comparison = compare(pairs, alpha=rule.alpha) if champion and pairs else None
    classes = compare_classes(pairs, alpha=rule.alpha, margin=rule.margin) if comparison else ()
    if comparison and len(pairs) < FEWEST_COMPARED and not _is_shown_worse(comparison, classes, rule):
        comparison, classes = None, ()
    if comparison is None:
        serves = champion == report.training.training_job
        whole = SERVES if serves else _first_model(champion, len(pairs), excluded)
    else:
        whole = _compared(comparison, rule)
    rulings = [*_floors(report, rule), whole, *_blocking(classes, rule)]
    refusing = [ruling for ruling in rulings if ruling.verdict == "refuse"]
    deciding = refusing[0] if refusing else whole
    return Decision(
        schema=1,
        classifier=report.classifier,
        candidate=report.training.training_job,
        champion=champion,
        test_manifest=report.dataset.test_manifest,
        rule=rule,
        basis="comparison" if comparison else "first model",
        verdict=deciding.verdict,
        summary=_summary(report, deciding, comparison),
        reasons=tuple(ruling.reason for ruling in (refusing or rulings)),
        images=report.images,
        excluded=excluded,
        accuracy=report.accuracy,
        comparison=comparison,
        classes=classes,
        missing_images=deciding.missing_images,
    )


def _floors(report: Report, rule: Promotion) -> Iterator[Ruling]:
    floor = rule.floors.accuracy
    if floor is not None and report.accuracy.value < floor:
        yield Ruling("refuse", f"Its accuracy is {told(report.accuracy)}, below the floor of {floor:.1%}.")
    least = rule.floors.class_recall
    for one in report.classes:
        if least is not None and one.recall is not None and one.recall.value < least:
            reason = f"Its recall of class {one.label!r} is {told(one.recall)}, below the floor of {least:.1%}."
            yield Ruling("refuse", reason)


def _blocking(classes: Sequence[ClassComparison], rule: Promotion) -> Iterator[Ruling]:
    for one in classes:
        if one.blocks:
            reason = (
                f"It is worse on class {one.label!r} by more than {100 * rule.margin:.1f} points: recall "
                f"{told(one.candidate)}, before {told(one.champion)}; p {told_p(one.adjusted)} after Holm's correction."
            )
            yield Ruling("refuse", reason)


def _first_model(champion: str | None, compared: int, excluded: int) -> Ruling:
    if champion is None:
        return Ruling("promote", "No model is live yet, so only the floors apply.")
    reason = (
        f"Only {compared:,} test images are left that neither model has learned from ({excluded:,} are excluded), and "
        f"a comparison needs {FEWEST_COMPARED}: it is not shown to be worse, and only the floors apply."
    )
    return Ruling("promote", reason)


def _is_shown_worse(comparison: Comparison, classes: Sequence[ClassComparison], rule: Promotion) -> bool:
    """Return whether the images show that the candidate is worse; the tests are valid for any number of images."""
    return _is_worse(comparison, rule) or any(one.blocks for one in classes)


def _is_worse(comparison: Comparison, rule: Promotion) -> bool:
    return comparison.difference < 0 and comparison.mid_p < rule.alpha


def _compared(comparison: Comparison, rule: Promotion) -> Ruling:
    """Apply the classifier's rule to the comparison of all images."""
    if _is_worse(comparison, rule):
        return Ruling("refuse", f"It is worse than the live model: {_figures(comparison)}.")
    if rule.when == "not_worse":
        return _not_worse(comparison, rule)
    if rule.when == "better":
        return _better(comparison, rule)
    return Ruling("promote", f"It is not shown to be worse than the live model: {_figures(comparison)}.")


def _not_worse(comparison: Comparison, rule: Promotion) -> Ruling:
    margin = f"{100 * rule.margin:.1f} points"
    if comparison.low > -rule.margin:
        return Ruling(
            "promote", f"It is shown to be at most {margin} worse than the live model: {_figures(comparison)}."
        )
    if comparison.difference <= -rule.margin:
        return Ruling(
            "refuse", f"It is not shown to be at most {margin} worse than the live model: {_figures(comparison)}."
        )
    needed = images_to_show_not_worse(
        rule.margin + min(0.0, comparison.difference), discordant=_discordant(comparison), alpha=rule.alpha
    )
    return _undecided(comparison, needed, f"whether it is worse by {margin}")


def _better(comparison: Comparison, rule: Promotion) -> Ruling:
    if comparison.difference <= 0:
        return Ruling("refuse", f"It is not better than the live model: {_figures(comparison)}.")
    if comparison.mid_p < rule.alpha:
        return Ruling("promote", f"It is better than the live model: {_figures(comparison)}.")
    needed = images_to_show_better(comparison.difference, discordant=_discordant(comparison), alpha=rule.alpha)
    return _undecided(comparison, needed, "whether it is better")


def _undecided(comparison: Comparison, needed: int, question: str) -> Ruling:
    missing = max(1, needed - comparison.images)
    reason = (
        f"{comparison.images:,} test images are too few to tell {question}: about {missing:,} more are needed. "
        f"{_figures(comparison)[0].upper()}{_figures(comparison)[1:]}."
    )
    return Ruling("undecided", reason, missing)


def _discordant(comparison: Comparison) -> float:
    return max(LEAST_DISCORDANT, (comparison.only_candidate + comparison.only_champion) / comparison.images)


def _figures(comparison: Comparison) -> str:
    return (
        f"right on {comparison.candidate.right:,} of {comparison.images:,} compared images "
        f"({comparison.candidate.value:.1%}) where that is right on {comparison.champion.right:,} "
        f"({comparison.champion.value:.1%}); difference {100 * comparison.difference:+.1f} points "
        f"({100 * comparison.low:+.1f} to {100 * comparison.high:+.1f}), McNemar's mid-p {told_p(comparison.mid_p)}"
    )


def told(proportion: Proportion) -> str:
    """Format a proportion with its interval: "96.4% (93.5% to 98.0%)"."""
    return f"{proportion.value:.1%} ({proportion.low:.1%} to {proportion.high:.1%})"


def told_p(p_value: float) -> str:
    """Format a p-value."""
    return "below 0.0001" if p_value < 0.0001 else f"{p_value:.4f}"


def _summary(report: Report, deciding: Ruling, comparison: Comparison | None) -> str:
    words = {"promote": "may serve", "refuse": "is refused", "undecided": "is undecided, and the earlier model stays"}
    compared = f", the live model {comparison.champion.value:.1%}" if comparison else ""
    return (
        f"Model {report.training.training_job} {words[deciding.verdict]}: test accuracy {told(report.accuracy)}"
        f"{compared}. {deciding.reason}"
    )
