"""Checks that the most accurate model on the validation images is chosen, and otherwise the first one."""

import pytest
from sklearn.metrics import log_loss

from image_classifier.classifier.tuning import Tuning
from image_classifier.evaluate.answers import Answer
from image_classifier.evaluate.trials import choice
from image_classifier.train.tuning.trials import Trial

BUCKET = "pictures"
LABELS = ("cat", "dog")


def answers(*, right, of=100, sure=0.8):
    values = [(sure, 1 - sure) if number < right else (1 - sure, sure) for number in range(of)]
    return [
        Answer(f"k{number}", f"{number}", "cat", LABELS[pair[1] > pair[0]], pair) for number, pair in enumerate(values)
    ]


def figures(name, found=None, *, first=False, last=0.5):
    trial = Trial(name, {"learning_rate": "0.1"}, "Completed", None if first else last)
    return choice.trial_figures(trial, found, labels=LABELS, is_default=first, billable_s=60)


def test_the_most_accurate_on_validation_is_chosen_and_not_the_tuners_best():
    first = figures("first", answers(right=80), first=True)
    tuners_best = figures("a", answers(right=85), last=0.99)
    best = figures("b", answers(right=90), last=0.6)

    assert choice.choose([first, tuners_best, best, figures("c")]) == best


def test_of_equally_accurate_models_the_lower_log_loss_wins_then_the_first():
    first = figures("first", answers(right=80, sure=0.9), first=True)

    assert choice.choose([first, figures("a", answers(right=80, sure=0.9))]) == first
    better = figures("b", answers(right=80, sure=0.8))
    assert better.log_loss < first.log_loss
    assert choice.choose([first, better]) == better


def test_no_other_model_is_chosen_than_one_at_least_as_good_as_the_first():
    for others in ([70, 79], [80], [10]):
        trials = [figures("first", answers(right=80), first=True), *(figures(str(n), answers(right=n)) for n in others)]
        assert choice.choose(trials).validation.right >= 80


def test_the_log_loss_is_scikit_learns():
    found = answers(right=70, sure=0.9)

    expected = log_loss(["cat"] * 100, [one.probabilities for one in found], labels=LABELS)
    assert figures("a", found).log_loss == pytest.approx(expected, abs=1e-6)


def test_a_probability_that_was_rounded_to_zero_has_a_finite_log_loss():
    assert 0 < figures("a", answers(right=50, sure=1.0)).log_loss < 20


def test_the_table_is_stored_and_read_again(s3):
    trials = [figures("first", answers(right=80), first=True), figures("a", answers(right=90)), figures("b")]
    table = choice.tuning_figures(Tuning(), tuning_job="t", trials=trials)

    key = choice.write_tuning(s3, table, classifier="pets", bucket=BUCKET)

    where = {"classifier": "pets", "bucket": BUCKET}
    assert key == "pets/evaluations/t/trials.json"
    assert choice.stored_tuning(s3, **where, tuning_job="t") == table
    assert choice.stored_tuning(s3, **where, tuning_job="u") is None
    assert table.chosen == "a"
    assert table.ranges["learning_rate"] == "0.0001 to 0.1, Logarithmic"


def test_the_log_shows_what_was_scored_and_which_is_chosen():
    trials = [figures("first", answers(right=80), first=True), figures("a", answers(right=90)), figures("b")]

    lines = choice.as_table(choice.tuning_figures(Tuning(), tuning_job="t", trials=trials)).splitlines()

    assert [line.split()[0] for line in lines] == ["first", "a"]
    assert "80.0% (71.1% to 86.7%)" in lines[0]
    assert lines[1].endswith("learning_rate 0.1  chosen")
