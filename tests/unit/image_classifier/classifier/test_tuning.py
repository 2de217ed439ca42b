"""Checks the part of a file about tuning, and its fields in the trigger form."""

import pytest

from image_classifier.classifier import Classifier
from image_classifier.classifier.run_params import run_params_schema, with_run_params
from image_classifier.contracts.errors import ClassifierFileError
from image_classifier.contracts.training.hyperparameters import Hyperparameters

CATS = Classifier(name="cats", source="cats")
HALF = {"min": 0.1, "max": 0.5}


def tuned(**values):
    return Classifier.model_validate({"name": "cats", "source": "cats", "tuning": values})


def test_without_the_word_a_classifier_does_not_tune():
    assert CATS.tuning is None


def test_the_word_alone_searches_two_hyperparameters_in_ten_jobs():
    tuning = tuned().tuning

    assert (tuning.enabled, tuning.strategy, tuning.max_jobs, tuning.tuned_jobs) == (True, "Bayesian", 10, 9)
    assert list(tuning.ranges) == ["learning_rate", "weight_decay"]


def advice(optimizer, **values):
    return tuned(**values).tuning.advice(Hyperparameters(optimizer=optimizer))


@pytest.mark.parametrize(
    ("optimizer", "ranges", "unused"),
    [
        ("adam", {"weight_decay": HALF, "beta_1": HALF}, "weight_decay"),
        ("rmsprop", {"gamma": HALF, "beta_1": HALF}, "beta_1"),
        ("sgd", {"gamma": HALF, "eps": HALF}, "gamma and eps"),
    ],
)
def test_a_range_that_the_optimizer_does_not_use_is_named(optimizer, ranges, unused):
    (sentence,) = advice(optimizer, ranges=ranges)

    assert f"leave {unused} out of `tuning.ranges`: without effect on {optimizer}," in sentence


def test_a_range_that_an_optimizer_of_the_search_uses_is_not_named():
    assert advice("adam", ranges={"optimizer": ["adam", "sgd"], "weight_decay": HALF}) == ()
    assert advice("nag") == advice("adam", enabled=False) == ()
    assert advice("adam") != ()


def refusal(**values):
    with pytest.raises(ClassifierFileError) as caught:
        tuned().revised({"tuning": values})
    return str(caught.value)


@pytest.mark.parametrize(
    ("ranges", "words"),
    [
        ({"epochs": {"min": 1, "max": 9}}, "epochs, which cannot be tuned; these can: learning_rate"),
        ({"optimizer": ["sgd", "adagrad"]}, "optimizer must be a list of some of sgd, adam, rmsprop, nag"),
        ({"optimizer": ["sgd", "sgd"]}, "optimizer names a value twice"),
        ({"optimizer": {"min": 0, "max": 1}}, "optimizer must be a list"),
        ({"learning_rate": ["0.1", "0.2"]}, "learning_rate must have a min and a max within 1e-06 and 0.5"),
        ({"learning_rate": [0.1, 0.2]}, "learning_rate must have a min and a max within 1e-06 and 0.5"),
        ({"optimizer": "adam"}, "optimizer must be a list of some of sgd, adam, rmsprop, nag"),
        ({"learning_rate": {"min": 0.1}}, "'tuning.ranges.learning_rate.max' is a required property."),
        ({"learning_rate": {"min": 0.1, "max": 0.9}}, "learning_rate must have a min and a max within 1e-06 and 0.5"),
        ({"learning_rate": {"min": 0.2, "max": 0.1}}, "min is 0.2 and max 0.1; min must be less"),
        ({"momentum": {"min": 0, "max": 0.9, "scaling": "Logarithmic"}}, "it must be more than 0"),
        ({"eps": {"min": 0.5, "max": 1, "scaling": "ReverseLogarithmic"}}, "it needs 0 <= min < max < 1"),
        ({"mini_batch_size": {"min": 8.5, "max": 64}}, "mini_batch_size must have whole numbers"),
        ({}, "at least 1 item"),
    ],
)
def test_a_range_that_the_algorithm_does_not_take_is_named(ranges, words):
    assert words in refusal(ranges=ranges)
    assert "tuple" not in refusal(ranges=ranges)


@pytest.mark.parametrize("values", [{"max_jobs": 1}, {"max_jobs": 101}, {"max_parallel": 11}, {"finalists": 0}])
def test_limits_are_those_of_aws_and_of_a_purse(values):
    assert f"tuning.{next(iter(values))}" in refusal(**values)


def test_gpus_that_share_a_batch_forbid_to_tune_its_size():
    values = {"tuning": {"ranges": {"mini_batch_size": {"min": 8, "max": 64}}}}
    machine = {"training": {"instance_type": "ml.p3.8xlarge"}}

    Classifier.model_validate({"name": "cats", "source": "cats", **values})
    with pytest.raises(ValueError, match=r"the 4 GPUs of an ml\.p3\.8xlarge share it"):
        Classifier.model_validate({"name": "cats", "source": "cats", **values, **machine})


def test_the_form_has_fields_for_tuning_only_if_the_file_has_it():
    names = {"tune", "tuning_strategy", "tuning_max_jobs", "tuning_max_parallel", "tuning_early_stopping"}

    assert run_params_schema(tuned()).keys() - run_params_schema(CATS).keys() == {*names, "tuning_ranges"}
    with pytest.raises(ClassifierFileError, match="There is no param tune"):
        with_run_params(CATS, {"tune": True})


def test_a_run_may_change_the_search():
    params = {
        "tune": False,
        "tuning_strategy": "Random",
        "tuning_max_jobs": 3,
        "tuning_ranges": {"optimizer": ["sgd", "nag"]},
    }

    tuning = with_run_params(tuned(), params).tuning

    assert (tuning.enabled, tuning.strategy, tuning.max_jobs) == (False, "Random", 3)
    assert tuning.ranges == {"optimizer": ("sgd", "nag")}


def test_a_run_with_ranges_that_cannot_be_searched_is_refused():
    with pytest.raises(ClassifierFileError, match="epochs, which cannot be tuned"):
        with_run_params(tuned(), {"tuning_ranges": {"epochs": {"min": 1, "max": 2}}})
