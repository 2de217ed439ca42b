"""Checks the networks, and their ONNX graphs."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from image_classification_algorithm.networks.onnx_graph import IMAGENET, onnx_model, weights
from image_classification_algorithm.networks.resnet import resnet

# Parameters of the same networks in the paper (CIFAR-10 family) and in torchvision (ImageNet family), for 1,000 classes
# there and 10 here.
MILLIONS_OF_PARAMETERS = {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85, 110: 1.7}
PARAMETERS_OF_1000_CLASSES = {18: 11_689_512, 34: 21_797_672, 50: 25_557_032, 101: 44_549_160, 152: 60_192_808}


def parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())


def random_statistics(net: nn.Module) -> nn.Module:
    """A network whose normalisations have seen something."""
    torch.manual_seed(1)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.8, 1.2)
    return net.eval()


@pytest.mark.parametrize(("num_layers", "millions"), MILLIONS_OF_PARAMETERS.items())
def test_small_networks_are_as_large_as_in_the_paper(num_layers, millions):
    # The paper's shortcuts have no weights; ours have two 1x1 convolutions with normalisation, 2,752 weights.
    assert (parameters(resnet(num_layers, num_classes=10)) - 2752) / 1e6 == pytest.approx(millions, abs=0.04)


@pytest.mark.parametrize(("num_layers", "count"), PARAMETERS_OF_1000_CLASSES.items())
def test_large_networks_are_as_large_as_everywhere(num_layers, count):
    with torch.device("meta"):
        assert parameters(resnet(num_layers, num_classes=1000)) == count


def test_the_deepest_network_has_200_layers():
    with torch.device("meta"):
        net = resnet(200, num_classes=2)
    shortcuts = 4
    assert sum(isinstance(module, nn.Conv2d | nn.Linear) for module in net.modules()) - shortcuts == 200


@pytest.mark.parametrize(("num_layers", "side_px"), [(20, 16), (18, 32), (50, 32)])
def test_the_graph_answers_as_the_network_does(num_layers, side_px):
    net = random_statistics(resnet(num_layers, num_classes=3))
    images = np.random.default_rng(0).integers(0, 256, (2, side_px, side_px, 3), dtype=np.uint8)
    graph = onnx_model(net, normalisation=IMAGENET, image_size_px=(side_px, side_px))
    onnx.checker.check_model(onnx.load_from_string(graph), full_check=True)
    (answer,) = onnxruntime.InferenceSession(graph).run(None, {"image": images})
    pixels = (torch.tensor(images) - torch.tensor(IMAGENET.mean)) / torch.tensor(IMAGENET.deviation)
    with torch.inference_mode():
        expected = torch.softmax(net(pixels.permute(0, 3, 1, 2)), 1).numpy()
    assert answer == pytest.approx(expected, abs=1e-5)


def test_the_weights_come_back_by_their_names():
    net = random_statistics(resnet(20, num_classes=3))
    read = weights(onnx_model(net, normalisation=IMAGENET, image_size_px=(8, 8)))
    for name, value in net.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert np.array_equal(read[name], value.numpy())
