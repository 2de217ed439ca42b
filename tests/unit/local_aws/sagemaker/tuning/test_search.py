"""Checks that a tuning job tries values within the ranges, on their scale, near good ones."""

import pytest

from local_aws.sagemaker.tuning.ranges import Range
from local_aws.sagemaker.tuning.search import Search

RANGES = [
    Range("rate", "Continuous", 0.0001, 1.0, "Logarithmic"),
    Range("decay", "Continuous", 0.9, 0.9999, "ReverseLogarithmic"),
    Range("batch", "Integer", 8, 64),
    Range("optimizer", "Categorical", values=("sgd", "adam")),
]


def search(strategy="Bayesian", *, maximize=True, ranges=RANGES, seed=1):
    return Search(ranges, strategy=strategy, maximize=maximize, seed=seed)


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_values_are_texts_within_the_ranges(strategy):
    asked = search(strategy)
    for number in range(40):
        values = asked.ask(str(number))
        asked.tell(str(number), values, objective=float(number))

        assert 0.0001 <= float(values["rate"]) <= 1.0
        assert 0.9 <= float(values["decay"]) <= 0.9999
        assert 8 <= int(values["batch"]) <= 64
        assert values["optimizer"] in ("sgd", "adam")


def test_logarithmic_scales_spend_as_much_on_each_order_of_magnitude():
    asked = search("Random")
    found = [asked.ask(str(number)) for number in range(200)]

    assert 60 <= sum(float(values["rate"]) < 0.01 for values in found) <= 140
    assert 60 <= sum(float(values["decay"]) > 0.997 for values in found) <= 140


@pytest.mark.parametrize("maximize", [True, False])
def test_the_bayesian_search_comes_near_the_best_value(maximize):
    asked = search(ranges=[Range("x", "Continuous", 0.0, 10.0)], maximize=maximize)
    found = []
    for number in range(40):
        values = asked.ask(str(number))
        loss = abs(float(values["x"]) - 7)
        asked.tell(str(number), values, objective=-loss if maximize else loss)
        found.append(loss)

    assert sum(found[-10:]) < sum(found[:10])
    assert min(found) < 0.5


def test_the_same_seed_gives_the_same_values():
    assert search(seed=5).ask("a") == search(seed=5).ask("a")
    assert search(seed=5).ask("a") != search(seed=6).ask("a")


def test_a_search_continues_from_what_an_earlier_one_found():
    one = [Range("x", "Continuous", 0.0, 10.0)]
    asked = search(ranges=one)
    for number in range(30):
        asked.tell(f"earlier-{number}", {"x": str(number / 3)}, objective=-abs(number / 3 - 7))

    found = [float(asked.ask(str(number))["x"]) for number in range(10)]

    assert sum(abs(value - 7) < 1.5 for value in found) >= 6


def test_training_jobs_without_an_objective_are_left_out():
    asked = search()
    values = asked.ask("a")

    asked.tell("a", values, objective=None)
    asked.tell("unknown", values, objective=None)

    assert asked.ask("b")
