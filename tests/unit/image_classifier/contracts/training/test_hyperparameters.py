"""Checks that hyperparameters which the algorithm would refuse are refused, with a sentence for each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from image_classifier.contracts.errors import HyperparameterError
from image_classifier.contracts.training.hyperparameters import PRETRAINED_NUM_LAYERS, Hyperparameters
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters, for_job

DOCUMENTED = """
num_layers image_shape use_pretrained_model multi_label use_weighted_loss precision_dtype epochs
mini_batch_size learning_rate lr_scheduler_factor lr_scheduler_step augmentation_type top_k kv_store optimizer
momentum weight_decay beta_1 beta_2 eps gamma early_stopping early_stopping_min_epochs early_stopping_patience
early_stopping_tolerance checkpoint_frequency num_classes num_training_samples resize
"""
SAMPLES = {"num_classes": 3, "num_training_samples": 300, "num_validation_samples": 60}


def job(**values):
    return for_job(Hyperparameters(**values), **SAMPLES)


def refusal(values):
    with pytest.raises(HyperparameterError) as caught:
        JobHyperparameters.from_strings(values)
    return str(caught.value)


def test_every_documented_hyperparameter_is_there_and_no_other():
    assert set(JobHyperparameters.model_fields) == set(DOCUMENTED.split())


def test_strings_are_spelt_as_the_algorithm_reads_them():
    strings = job(use_pretrained_model=True, early_stopping=True, lr_scheduler_step="10,20").as_strings()

    assert strings["use_pretrained_model"] == "1"
    assert strings["multi_label"] == "0"
    assert strings["early_stopping"] == "True"
    assert strings["lr_scheduler_step"] == "10,20"
    assert strings["momentum"] == "0.9"


def test_what_is_not_set_is_not_sent():
    assert {"top_k", "kv_store", "augmentation_type", "checkpoint_frequency"}.isdisjoint(job().as_strings())


@given(
    num_layers=st.sampled_from(PRETRAINED_NUM_LAYERS),
    learning_rate=st.floats(0, 1),
    eps=st.floats(0, 1),
    epochs=st.integers(1, 500),
    early_stopping=st.booleans(),
    use_pretrained_model=st.booleans(),
    top_k=st.none() | st.just(2),
)
def test_strings_read_back_as_they_were(**values):
    before = job(**values)

    assert JobHyperparameters.from_strings(before.as_strings()) == before


def test_images_are_prepared_as_large_as_the_network_sees_them():
    assert job(image_shape="3,28,28").resize == 28


FRACTION = "less than or equal to 1."
# A value that each refuses, and what is said of it.
REFUSED = {
    "num_layers": ("17", "num_layers is 17. Input should be 18, 34,"),
    "image_shape": ("3,224", "image_shape is '3,224'. Give channels, height and width"),
    "use_pretrained_model": ("True", "use_pretrained_model is 'True'; it must be 0 or 1."),
    "multi_label": ("yes", "multi_label is 'yes'; it must be 0 or 1."),
    "use_weighted_loss": ("1", "use_weighted_loss works only with multi_label"),
    "precision_dtype": ("bfloat16", "precision_dtype is 'bfloat16'. Input should be 'float32' or 'float16'."),
    "epochs": ("3.0", "epochs is '3.0'; it must be a whole number."),
    "mini_batch_size": ("301", "mini_batch_size is 301; the number of input images, 300, must be bigger"),
    "learning_rate": ("1.5", f"learning_rate is '1.5'. Input should be {FRACTION}"),
    "lr_scheduler_factor": ("-0.1", "lr_scheduler_factor is '-0.1'. Input should be greater than or equal to 0."),
    "lr_scheduler_step": ("10;20", "lr_scheduler_step is '10;20'. Give epochs"),
    "augmentation_type": ("flip", "augmentation_type is 'flip'. Input should be 'crop', 'crop_color' or"),
    "top_k": ("3", "top_k is 3; it must be less than num_classes, 3."),
    "kv_store": ("local", "kv_store is 'local'. Input should be 'dist_sync' or 'dist_async'."),
    "optimizer": ("lion", "optimizer is 'lion'. Input should be 'sgd', 'adam', 'rmsprop' or 'nag'."),
    "momentum": ("1.1", f"momentum is '1.1'. Input should be {FRACTION}"),
    "weight_decay": ("2", f"weight_decay is '2'. Input should be {FRACTION}"),
    "beta_1": ("1.1", f"beta_1 is '1.1'. Input should be {FRACTION}"),
    "beta_2": ("1.1", f"beta_2 is '1.1'. Input should be {FRACTION}"),
    "eps": ("nan", "eps is 'nan'."),
    "gamma": ("1.1", f"gamma is '1.1'. Input should be {FRACTION}"),
    "early_stopping": ("1", "early_stopping is '1'; it must be False or True."),
    "early_stopping_min_epochs": ("0", "early_stopping_min_epochs is '0'. Input should be greater than or equal to 1."),
    "early_stopping_patience": ("0", "early_stopping_patience is '0'. Input should be greater than or equal to 1."),
    "early_stopping_tolerance": ("1.1", f"early_stopping_tolerance is '1.1'. Input should be {FRACTION}"),
    "checkpoint_frequency": ("31", "checkpoint_frequency is 31; it must be at most epochs, 30."),
    "num_classes": ("0", "num_classes is '0'. Input should be greater than or equal to 1."),
    "num_training_samples": ("many", "num_training_samples is 'many'; it must be a whole number."),
    "resize": ("200", "resize is 200; it must be at least the sides of image_shape, 3,224,224."),
}


def test_each_refuses_something():
    assert set(REFUSED) == set(JobHyperparameters.model_fields)


@pytest.mark.parametrize(("name", "value", "sentence"), [(name, *case) for name, case in REFUSED.items()])
def test_a_refused_value_is_named_with_what_is_allowed(name, value, sentence):
    assert sentence in refusal({**job().as_strings(), name: value})


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"lr": "1"}, "Additional properties are not allowed ('lr' was unexpected)."),
        ({"a": "1", "b": "1"}, "Additional properties are not allowed ('a', 'b' were unexpected)."),
        ({"epochs": "0"}, "epochs is '0'. Input should be greater than or equal to 1."),
        ({"num_layers": "many"}, "num_layers is 'many'. Input should be 18, 34,"),
        ({"learning_rate": "nan"}, "learning_rate is 'nan'."),
        ({"top_k": "1"}, "top_k is '1'. Input should be greater than or equal to 2."),
        ({"mini_batch_size": "0"}, "mini_batch_size is '0'. Input should be greater than or equal to 1."),
    ],
)
def test_what_cannot_be_is_explained_in_a_sentence(values, sentence):
    assert sentence in refusal({**job().as_strings(), **values})


def test_what_is_missing_is_named_in_the_containers_words():
    assert refusal({}) == "'num_classes' is a required property. 'num_training_samples' is a required property."


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"image_shape": "4,28,28"}, "image_shape is 4,28,28, which has 4 channels; images have 3, or 1 in grey."),
        (
            {"image_shape": "1,224,224", "use_pretrained_model": True, "num_layers": 18},
            "use_pretrained_model needs colour, .* image_shape is 1,224,224: make it 3,224,224.",
        ),
        ({"use_pretrained_model": True, "num_layers": 20}, "use_pretrained_model needs num_layers of"),
        ({"use_weighted_loss": True}, "use_weighted_loss works only with multi_label"),
        ({"lr_scheduler_step": "5,5"}, "its epochs must grow"),
        ({"lr_scheduler_step": "10,30"}, "its epochs must be less than epochs, 30"),
        ({"checkpoint_frequency": 31}, "checkpoint_frequency is 31; it must be at most epochs, 30"),
    ],
)
def test_values_that_forbid_each_other_are_refused(values, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Hyperparameters(**values)


@pytest.mark.parametrize(
    "values", [{"lr_scheduler_step": "29"}, {"checkpoint_frequency": 30}, {"epochs": 1}, {"image_shape": "1,28,28"}]
)
def test_values_at_their_limits_are_allowed(values):
    assert Hyperparameters(**values)


def test_all_problems_are_reported_at_once():
    with pytest.raises(HyperparameterError) as caught:
        for_job(Hyperparameters(mini_batch_size=400, top_k=5), **SAMPLES)

    assert str(caught.value).count("mini_batch_size is 400") == 2
    assert "top_k is 5" in str(caught.value)


def test_a_batch_larger_than_the_validation_set_is_refused():
    with pytest.raises(HyperparameterError, match="there are 60 validation images"):
        job(mini_batch_size=64)


def test_a_single_step_may_be_a_number_as_yaml_reads_it():
    assert Hyperparameters(lr_scheduler_step=10).lr_steps == (10,)
