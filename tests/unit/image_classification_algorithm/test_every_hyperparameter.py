"""Checks that every hyperparameter has its documented effect: another value changes model, log or end of the job.

What each refuses stands in tests/unit/image_classifier/test_hyperparameters.py.
"""

import json

import numpy as np
import pytest

from image_classification_algorithm import artifact
from image_classification_algorithm.__main__ import train
from image_classification_algorithm.networks.onnx_graph import weights
from image_classification_algorithm.training.epochs import Trainer
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters

ADAM, RMSPROP = {"optimizer": "adam", "learning_rate": "0.001"}, {"optimizer": "rmsprop", "learning_rate": "0.001"}
STEP = {"epochs": "2", "lr_scheduler_step": "1"}
EARLY = {"epochs": "6", "early_stopping": "True", "early_stopping_min_epochs": "2", "early_stopping_patience": "2"}

# What else the job has, and another value than its own, with which it learns something else.
CHANGES_THE_WEIGHTS = {
    "learning_rate": ({}, "0.02"),
    "mini_batch_size": ({}, "8"),
    "optimizer": ({}, "nag"),
    "momentum": ({"epochs": "2"}, "0.5"),
    "weight_decay": ({"epochs": "2"}, "0.5"),
    "beta_1": (ADAM, "0.5"),
    "beta_2": (ADAM, "0.5"),
    "eps": (ADAM, "0.1"),
    "gamma": (RMSPROP, "0.5"),
    "lr_scheduler_step": ({"epochs": "2"}, "1"),
    "lr_scheduler_factor": (STEP, "0.5"),
    "augmentation_type": ({"resize": "10"}, "crop"),
    "resize": ({}, "10"),
    "use_weighted_loss": ({"multi_label": "1", "images": 15, "num_training_samples": "15"}, "1"),  # 8 and 7 of a class
}
# What the documentation says acts only with something else, and acts without it on nothing.
CHANGES_NOTHING = {
    "momentum": (ADAM, "0.5"),
    "weight_decay": (ADAM, "0.5"),
    "beta_1": ({}, "0.5"),
    "beta_2": (RMSPROP, "0.5"),
    "eps": ({}, "0.1"),
    "gamma": (ADAM, "0.5"),
    "lr_scheduler_factor": ({"epochs": "2"}, "0.5"),
    "kv_store": ({}, "dist_async"),
    "top_k": ({"num_classes": "3"}, "2"),
    "checkpoint_frequency": ({}, "1"),
    "early_stopping_patience": ({"epochs": "2"}, "1"),
}
# What shows in the model itself: the field of its description, or the shape of its weights.
CHANGES_THE_NETWORK = {
    "num_layers": ("32", "num_layers", 32),
    "image_shape": ("1,8,8", "image_shape", "1,8,8"),
    "num_classes": ("3", "num_classes", 3),
    "multi_label": ("1", "multi_label", True),
}
# What shows in the log.
SAYS = {
    "num_training_samples": ({}, "20", "num_training_samples is 20, but the train channel has 16 images"),
    "kv_store": ({}, "dist_sync", "kv_store dist_sync acts on several machines only"),
    "precision_dtype": ({}, "float16", "a CPU computes in float32"),
    "top_k": ({"num_classes": "3"}, "2", "Epoch[0] Train-top_k_accuracy_2="),
    "use_pretrained_model": ({"num_layers": "18"}, "1", "stands where the built-in algorithm has its pretrained"),
    "checkpoint_frequency": ({"epochs": "2"}, "1", "image-classification-0002.params"),
}
# After how many epochs a job ends whose validation accuracy stays the same, or gains a hundredth in each.
ENDS = {
    "epochs": ({}, "3", 3),
    "early_stopping": ({"epochs": "11"}, "True", 10),
    "early_stopping_min_epochs": (EARLY, "5", 5),
    "early_stopping_patience": (EARLY, "3", 4),
    "early_stopping_tolerance": (EARLY, "0.5", 3),
}


def test_each_is_shown_here():
    shown = {*CHANGES_THE_WEIGHTS, *CHANGES_THE_NETWORK, *SAYS, *ENDS}

    assert shown == set(JobHyperparameters.model_fields)


@pytest.fixture
def accuracies(monkeypatch):
    """Validation finds what a test wants: each epoch better than the one before, so that the last one is stored."""

    def gain(per_epoch: float) -> None:
        found = iter(0.5 + per_epoch * epoch for epoch in range(100))
        monkeypatch.setattr(Trainer, "validate", lambda *_: ({"accuracy": next(found)}, 0.5))

    return gain


@pytest.fixture
def learnt(make_job, accuracies):
    """The weights of the two jobs that differ in one value."""

    def train_both(name: str, given: dict[str, object], value: str) -> list[dict[str, np.ndarray]]:
        folders = make_job(columns=2 if "multi_label" in given else 1, **given)
        return [_weights(folders, accuracies), _weights(changed(folders, **{name: value}), accuracies)]

    return train_both


def changed(folders, **values):
    given = json.loads(folders.hyperparameters.read_text())
    folders.hyperparameters.write_text(json.dumps({**given, **values}))
    return folders


def _weights(folders, accuracies) -> dict[str, np.ndarray]:
    accuracies(0.001)
    assert train(folders) == 0, folders.failure.read_text()
    return weights(artifact.read(folders.model).graph)


def same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> bool:
    return all(np.array_equal(value, second[name]) for name, value in first.items())


@pytest.mark.parametrize(("name", "given", "value"), [(name, *case) for name, case in CHANGES_THE_WEIGHTS.items()])
def test_another_value_learns_something_else(learnt, name, given, value):
    assert not same(*learnt(name, given, value))


@pytest.mark.parametrize(("name", "given", "value"), [(name, *case) for name, case in CHANGES_NOTHING.items()])
def test_another_value_changes_nothing_where_it_does_not_act(learnt, name, given, value):
    assert same(*learnt(name, given, value))


@pytest.mark.parametrize(("name", "value", "field", "found"), [(n, *case) for n, case in CHANGES_THE_NETWORK.items()])
def test_another_value_makes_another_network(make_job, name, value, field, found):
    folders = make_job(columns=2 if name == "multi_label" else 1, **{name: value})

    assert train(folders) == 0

    made = artifact.read(folders.model)
    assert getattr(made.description, field) == found
    assert _shown_by(made.graph)[field] == found


def _shown_by(graph: bytes) -> dict[str, object]:
    """What the graph itself says of the four."""
    read = weights(graph)
    convolutions = sum(value.ndim == 4 and "shortcut" not in name for name, value in read.items())
    linear = next(value for name, value in read.items() if value.ndim == 2)
    return {
        "num_layers": convolutions + 1,
        "image_shape": f"{next(value for value in read.values() if value.ndim == 4).shape[1]},8,8",
        "num_classes": len(linear),
        "multi_label": b"Sigmoid" in graph and b"Softmax" not in graph,
    }


@pytest.mark.parametrize(("name", "given", "value", "words"), [(name, *case) for name, case in SAYS.items()])
def test_another_value_shows_in_the_log(make_job, capsys, accuracies, name, given, value, words):
    accuracies(0.0)
    folders = make_job(**given)
    train(folders)
    assert words not in capsys.readouterr().out

    train(changed(folders, **{name: value}))

    assert words in capsys.readouterr().out


@pytest.mark.parametrize(("name", "given", "value", "epochs"), [(name, *case) for name, case in ENDS.items()])
def test_another_value_ends_the_job_elsewhere(make_job, capsys, accuracies, name, given, value, epochs):
    folders = make_job(**given)
    gain = 0.01 if name == "early_stopping_tolerance" else 0.0

    def epochs_of(folders) -> int:
        accuracies(gain)
        assert train(folders) == 0
        return capsys.readouterr().out.count("Validation-accuracy=")

    assert epochs_of(folders) != epochs
    assert epochs_of(changed(folders, **{name: value})) == epochs
