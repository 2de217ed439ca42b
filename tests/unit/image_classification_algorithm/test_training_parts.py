"""Checks the parts of a training job that its log does not show."""

import numpy as np
import pytest
import torch
from torch import nn

from image_classification_algorithm.training import images as images_module
from image_classification_algorithm.training import optimization
from image_classification_algorithm.training.augmentation import hsl_of, jittered, rgb_of, transformed
from image_classification_algorithm.training.batches import shuffled_batches
from image_classification_algorithm.training.images import Crop, read_splits
from image_classification_algorithm.training.metrics import Accuracy
from image_classification_algorithm.training.stopping import EarlyStopping, StopRequest
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters


def hyperparameters(**values: object) -> JobHyperparameters:
    return JobHyperparameters.model_validate({"num_classes": 4, "num_training_samples": 100, **values})


def test_batches_are_full_and_what_is_left_out_changes():
    first, second = (shuffled_batches(10, batch_size=4, epoch=epoch) for epoch in (0, 1))
    assert [len(batch) for batch in first] == [4, 4]
    assert len({position for batch in first for position in batch}) == 8
    assert first != second
    assert first == shuffled_batches(10, batch_size=4, epoch=0)


def test_the_learning_rate_falls_at_each_step():
    given = hyperparameters(learning_rate=1, lr_scheduler_step="2,3", lr_scheduler_factor=0.1, epochs=5)
    rates = [optimization.learning_rate(epoch, given) for epoch in range(5)]
    assert rates == pytest.approx([1, 1, 0.1, 0.01, 0.01])


@pytest.mark.parametrize(
    ("given", "kind", "settings"),
    [
        ({"optimizer": "sgd", "momentum": 0.5}, torch.optim.SGD, {"momentum": 0.5, "nesterov": False}),
        ({"optimizer": "nag", "weight_decay": 0.2}, torch.optim.SGD, {"nesterov": True, "weight_decay": 0.2}),
        ({"optimizer": "adam", "beta_1": 0.5}, torch.optim.Adam, {"betas": (0.5, 0.999), "weight_decay": 0}),
        ({"optimizer": "rmsprop", "gamma": 0.5}, torch.optim.RMSprop, {"alpha": 0.5, "eps": 1e-8, "weight_decay": 0}),
    ],
)
def test_every_optimizer_gets_its_hyperparameters(given, kind, settings):
    optimizer = optimization.optimizer_for(nn.Linear(2, 2), hyperparameters(**given))
    assert type(optimizer) is kind
    assert optimizer.param_groups[0].items() >= settings.items()


def test_biases_do_not_decay():
    optimizer = optimization.optimizer_for(nn.Linear(2, 2), hyperparameters(weight_decay=0.2))
    assert [(group["weight_decay"], len(group["params"])) for group in optimizer.param_groups] == [(0.2, 1), (0.0, 1)]


def test_a_rare_class_weighs_more():
    labels = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    given = hyperparameters(multi_label=True, use_weighted_loss=True, num_classes=2)
    loss = optimization.loss_for(given, labels=labels, device=torch.device("cpu"))
    assert loss.pos_weight.tolist() == pytest.approx([1 / 3, 3])


def test_accuracy_counts_right_answers_and_those_among_the_top():
    accuracy = Accuracy(top_k=2)
    accuracy.update(torch.tensor([[3.0, 2.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.0, 1.0]]), torch.tensor([0, 1, 2]))
    assert accuracy.values() == pytest.approx({"accuracy": 1 / 3, "top_k_accuracy_2": 2 / 3})


def test_multi_label_accuracy_is_the_mean_over_classes():
    accuracy = Accuracy()
    accuracy.update(torch.tensor([[1.0, -1.0], [1.0, 1.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    assert accuracy.values() == {"accuracy": 0.75}


def stops(accuracies: list[float], **rule: object) -> int | None:
    """After how many epochs the rule ends the training."""
    stopping = EarlyStopping(**{"enabled": True, "min_epochs": 1, "patience": 2, "tolerance": 0.0, **rule})
    for done, accuracy in enumerate(accuracies, start=1):
        if stopping.should_stop(epochs_done=done, accuracy=accuracy):
            return done
    return None


def test_early_stopping_waits_for_its_patience():
    assert stops([0.5, 0.4, 0.6, 0.6, 0.5]) == 5


def test_early_stopping_never_acts_before_the_earliest_epoch():
    assert stops([0.5] * 6, min_epochs=5) == 5


def test_a_gain_within_the_tolerance_is_none():
    assert stops([0.50, 0.52, 0.54], tolerance=0.1) == 3


def test_early_stopping_is_off_unless_asked_for():
    assert stops([0.5] * 9, enabled=False) is None


def test_training_sees_the_centre_of_an_image():
    pixels = np.arange(5 * 6 * 3, dtype=np.uint8).reshape(5, 6, 3)
    assert np.array_equal(Crop(3, 2).cut(pixels), pixels[1:4, 2:4])


def test_augmentation_cuts_anywhere_and_flips():
    pixels = np.arange(25, dtype=np.uint8).reshape(5, 5, 1).repeat(3, axis=2)
    crop = Crop(2, 2, np.random.default_rng(0))
    parts = [crop.cut(pixels)[..., 0] for _ in range(200)]
    assert {int(part.min()) for part in parts} == {5 * row + column for row in range(4) for column in range(4)}
    assert {bool(part[0, 0] > part[0, 1]) for part in parts} == {False, True}


def test_colours_survive_the_way_to_hsl_and_back():
    colours = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(rgb_of(*hsl_of(colours)), colours, atol=1e-4)


def test_colour_jitter_stays_within_pixels_and_varies_per_image():
    grey = torch.full((4, 3, 2, 2), 128.0)
    varied = jittered(grey, generator=torch.Generator().manual_seed(0))
    assert varied.min() >= 0
    assert varied.max() <= 255.1
    assert len({round(float(image.mean()), 3) for image in varied}) == 4


def test_grey_has_only_its_lightness_varied():
    varied = jittered(torch.full((4, 1, 2, 2), 128.0), generator=torch.Generator().manual_seed(0))
    assert varied.shape == (4, 1, 2, 2)
    assert len({round(float(image.mean()), 3) for image in varied}) == 4
    assert (varied - 128).abs().max() <= 50


def test_a_transformed_image_keeps_its_size_and_its_middle():
    images = torch.zeros(3, 3, 9, 9)
    images[:, :, 3:6, 3:6] = 200
    varied = transformed(images, generator=torch.Generator().manual_seed(0))
    assert varied.shape == images.shape
    assert (varied[:, :, 4, 4] > 190).all()
    assert not torch.equal(varied, images)


def test_images_beyond_the_memory_bound_are_decoded_again(make_job, monkeypatch):
    folders = make_job()
    one_image = 8 * 8 * 3
    monkeypatch.setattr(images_module, "cache_bytes", lambda: 3 * one_image)
    given = hyperparameters(num_classes=2, image_shape="3,8,8", resize=8)
    images, _ = read_splits(folders, hyperparameters=given, stop=StopRequest(), hosts_here=1)
    assert [kept is not None for kept in images.cached] == [True] * 3 + [False] * 13
    assert images.pixels(9).shape == (8, 8, 3)


@pytest.mark.parametrize(("hosts_here", "cached"), [(1, [16, 4]), (2, [10, 0])])
def test_both_splits_and_the_hosts_of_a_machine_share_the_cache(make_job, monkeypatch, hosts_here, cached):
    folders = make_job()
    one_image = 8 * 8 * 3
    monkeypatch.setattr(images_module, "usable_memory_bytes", lambda: 4 * 20 * one_image)
    given = hyperparameters(num_classes=2, image_shape="3,8,8", resize=8)
    splits = read_splits(folders, hyperparameters=given, stop=StopRequest(), hosts_here=hosts_here)
    assert [split.cached_bytes // one_image for split in splits] == cached
