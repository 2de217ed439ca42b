import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_classifier.classifier.promotion import Floors, Promotion
from image_classifier.evaluate.proportions import proportion
from image_classifier.evaluate.report.model import ClassFigures, DatasetVersion, Report, Training
from image_classifier.promote.compare import Pair
from image_classifier.promote.decide import decide


def report(*, right=950, of=1000, recalls=(("cat", 480, 500), ("dog", 470, 500))):
    classes = [
        ClassFigures(label=label, support=n, predicted=n, precision=1, recall=proportion(k, n) if n else None, f1=1)
        for label, k, n in recalls
    ]
    return Report.model_construct(
        classifier="pets",
        training=Training(training_job="image-classifier-pets-1"),
        dataset=DatasetVersion(fingerprint="f", test_manifest="0badcafe", train=8, validation=1, test=1),
        images=of,
        accuracy=proportion(right, of),
        classes=tuple(classes),
    )


def pairs(both, candidate, champion, neither, label="cat"):
    answers = [(True, True)] * both + [(True, False)] * candidate + [(False, True)] * champion
    return [Pair(label, *answer) for answer in answers + [(False, False)] * neither]


def decided(compared, *, champion="image-classifier-pets-0", of=None, **rule):
    return decide(of or report(), rule=Promotion(**rule), champion=champion, pairs=compared)


EQUAL = pairs(920, 15, 15, 50)
WORSE = pairs(900, 10, 40, 50)
A_LITTLE_BETTER = pairs(920, 22, 14, 44)
BETTER = pairs(900, 45, 15, 40)


@pytest.mark.parametrize(
    ("when", "equal", "worse", "a_little_better", "better"),
    [
        ("unless_worse", "promote", "refuse", "promote", "promote"),
        ("not_worse", "promote", "refuse", "promote", "promote"),
        ("better", "refuse", "refuse", "undecided", "promote"),
    ],
)
def test_what_each_rule_does_with_each_outcome(when, equal, worse, a_little_better, better):
    found = [decided(compared, when=when).verdict for compared in (EQUAL, WORSE, A_LITTLE_BETTER, BETTER)]

    assert found == [equal, worse, a_little_better, better]


def test_a_small_test_set_decides_nothing_and_says_what_is_missing():
    decision = decided(pairs(110, 4, 4, 2), when="not_worse")

    assert decision.verdict == "undecided"
    assert decision.missing_images == 1031 - 120  # 6.67 % discordant, by the formula of the report
    assert "about 911 more are needed" in decision.summary
    assert "the earlier model stays" in decision.summary


def test_an_improvement_too_small_to_show_says_how_many_images_are_missing():
    decision = decided(A_LITTLE_BETTER, when="better")

    assert decision.missing_images > 1000
    assert f"{decision.missing_images:,}" in decision.reasons[0]


def test_a_candidate_that_seems_worse_by_the_margin_is_refused():
    assert decided(pairs(110, 1, 5, 4), when="not_worse").verdict == "refuse"


def test_the_first_model_is_promoted_without_a_comparison():
    decision = decided([], champion=None)

    assert (decision.verdict, decision.basis, decision.comparison) == ("promote", "first model", None)
    assert "No model is live yet" in decision.summary


def test_with_few_images_a_model_not_shown_worse_is_as_a_first_one():
    decision = decide(report(), rule=Promotion(when="better"), champion="old", pairs=pairs(90, 0, 4, 5), excluded=901)

    assert (decision.verdict, decision.basis, decision.excluded) == ("promote", "first model", 901)
    assert "Only 99 test images are left" in decision.reasons[0]
    assert decided(pairs(90, 0, 4, 6), when="better").verdict == "refuse"


def test_a_model_that_few_images_show_to_be_worse_is_refused():
    decision = decided(pairs(4, 0, 53, 1))

    assert (decision.verdict, decision.basis, decision.comparison.images) == ("refuse", "comparison", 58)
    assert "right on 4 of 58 compared images (6.9%) where that is right on 57 (98.3%)" in decision.summary
    assert "class 'cat'" in decision.reasons[1]


def test_a_class_that_few_images_show_to_be_worse_refuses_the_model():
    decision = decided(pairs(10, 0, 12, 0) + pairs(40, 12, 0, 0, label="dog"))

    assert (decision.verdict, decision.comparison.difference) == ("refuse", 0)
    assert "class 'cat'" in decision.summary


@pytest.mark.parametrize("champion", [None, "old"])
def test_a_missed_floor_refuses_a_first_model_and_a_better_one(champion):
    decision = decided(BETTER, champion=champion, when="better", floors=Floors(accuracy=0.96))

    assert decision.verdict == "refuse"
    assert decision.reasons == ("Its accuracy is 95.0% (93.5% to 96.2%), below the floor of 96.0%.",)


def test_a_class_below_its_floor_refuses_and_one_without_images_does_not():
    of = report(recalls=(("cat", 480, 500), ("dog", 440, 500), ("emu", 0, 0)))

    decision = decided(EQUAL, of=of, floors=Floors(class_recall=0.9))

    assert decision.verdict == "refuse"
    assert ["'dog'" in reason for reason in decision.reasons] == [True]


def test_a_class_that_is_much_worse_refuses_a_model_better_in_total():
    compared = pairs(130, 2, 60, 8) + pairs(1500, 200, 50, 50, label="dog")

    decision = decided(compared)

    assert decision.comparison.difference > 0
    assert decision.verdict == "refuse"
    assert "class 'cat'" in decision.summary


def test_the_record_holds_the_rule_the_figures_and_the_words():
    record = json.loads(decided(WORSE).document())

    assert record["rule"]["when"] == "unless_worse"
    assert record["comparison"]["only_champion"] == 40
    assert record["summary"].startswith("Model image-classifier-pets-1 is refused: test accuracy 95.0%")
    assert record["reasons"] == [
        "It is worse than the live model: right on 910 of 1,000 compared images (91.0%) where that is right on "
        "940 (94.0%); difference -3.0 points (-4.2 to -1.9), McNemar's mid-p below 0.0001."
    ]


@given(
    st.tuples(*[st.integers(0, 400)] * 4),
    st.sampled_from(["unless_worse", "not_worse", "better"]),
    st.floats(0.001, 0.5),
)
def test_only_an_undecided_comparison_has_missing_images(counts, when, margin):
    decision = decided(pairs(*counts), when=when, margin=margin)

    assert (decision.missing_images is not None) == (decision.verdict == "undecided")
    assert decision.missing_images is None or decision.missing_images > 0


@given(st.tuples(*[st.integers(0, 400)] * 4))
def test_every_rule_promotes_a_better_model_unless_a_class_blocks(counts):
    verdicts = [decided(pairs(*counts), when=when).verdict for when in ("better", "not_worse", "unless_worse")]

    if verdicts[0] == "promote":
        assert verdicts[2] == "promote"
