"""Writes a trained network as one ONNX graph, from the pixels of an image to the probabilities of its classes.

PyTorch's own exporter takes 14 s for a ResNet-56. This one supports the dozen operations that these networks use and
takes milliseconds, so the best model is on disk after every epoch. It keeps each weight under its name in the network,
so that a later training job can read it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, fx, nn

from image_classification_algorithm.networks.onnx_names import INPUT, OUTPUT

OPSET = 17
IR_VERSION = 8
Inputs = list[str]


@dataclass(frozen=True)
class Normalisation:
    """The normalisation of a network's input, `(pixel - mean) / deviation` for each channel; pixels are 0 to 255."""

    mean: tuple[float, ...]
    deviation: tuple[float, ...]


IMAGENET = Normalisation(mean=(123.675, 116.28, 103.53), deviation=(58.395, 57.12, 57.375))
# The same images in grey: the mean is exact, the deviation approximate.
GREY = Normalisation(mean=(117.0,), deviation=(57.4,))


@dataclass(frozen=True)
class Backbone:
    """A frozen network before the trained one: its weights, and the function that adds it to a graph."""

    state: Mapping[str, Tensor]
    add: Callable[["GraphWriter", str], str]


def onnx_model(
    net: nn.Module,
    *,
    normalisation: Normalisation,
    image_size_px: tuple[int, int],
    last: str | None = "Softmax",
    backbone: Backbone | None = None,
) -> bytes:
    """Return the ONNX graph of `net`: uint8 images (count, height, width, channels) in, floats (count, classes) out.

    Args:
        net: the trained network.
        normalisation: applied to the pixels inside the graph.
        image_size_px: height and width of the images.
        last: the operation after the network's output; None adds no operation.
        backbone: a frozen network before `net`, if any.

    """
    frozen = backbone.state if backbone else {}
    writer = GraphWriter(dict(net.named_modules()), {**frozen, **net.state_dict()})
    value = writer.add_pixels(normalisation)
    if backbone is not None:
        value = backbone.add(writer, value)
    value = writer.add_network(fx.symbolic_trace(net), value)
    writer.add(last or "Identity", [value], OUTPUT, **({"axis": 1} if last == "Softmax" else {}))
    return writer.serialized((*image_size_px, len(normalisation.mean)))


def weights(model: bytes) -> dict[str, np.ndarray]:
    """Return the weights of a graph by their names, as `onnx_model` wrote them."""
    return {tensor.name: numpy_helper.to_array(tensor) for tensor in onnx.load_from_string(model).graph.initializer}


class GraphWriter:
    """Collects the nodes and weights of one graph."""

    def __init__(self, modules: Mapping[str, nn.Module], state: Mapping[str, Tensor]) -> None:
        self.modules, self.state = modules, state
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def add(self, operation: str, inputs: Inputs, output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    def add_array(self, name: str, array: np.ndarray) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def number(self, name: str, value: float) -> str:
        """Add a constant that several nodes may use; return its name."""
        if all(tensor.name != name for tensor in self.initializers):
            self.add_array(name, np.array(value, np.float32))
        return name

    def add_weights(self, module: str, *names: str) -> Inputs:
        """Add those of the named weights that the module has; return their names in the network."""
        found = [f"{module}.{name}" for name in names if f"{module}.{name}" in self.state]
        return [self.add_array(name, self.state[name].detach().cpu().float().numpy()) for name in found]

    def add_pixels(self, normalisation: Normalisation) -> str:
        """Transpose to (count, channels, height, width) before normalising: moving bytes is faster than floats."""
        mean = self.add_array("pixels.mean", _planes(np.array(normalisation.mean, np.float32)))
        scale = self.add_array("pixels.scale", _planes(1 / np.array(normalisation.deviation, np.float32)))
        planes = self.add("Transpose", [INPUT], "pixels.planes", perm=[0, 3, 1, 2])
        pixels = self.add("Cast", [planes], "pixels.float", to=TensorProto.FLOAT)
        centred = self.add("Sub", [pixels, mean], "pixels.centred")
        return self.add("Mul", [centred, scale], "pixels")

    def add_network(self, traced: fx.GraphModule, pixels: str) -> str:
        """Walk the traced network in its own order; every value is named after its node."""
        named: dict[fx.Node, str] = {}
        for node in traced.graph.nodes:
            inputs = [named[argument] for argument in node.all_input_nodes]
            if node.op == "placeholder":
                named[node] = pixels
            elif node.op == "output":
                return inputs[0]
            elif node.op == "call_module":
                module = self.modules[str(node.target)]
                named[node] = MODULES[type(module)](self, module, str(node.target), inputs)
            else:
                named[node] = self.add(FUNCTIONS[node.target.__name__], inputs, f"value.{node.name}")
        raise ValueError("The traced network has no output")

    def serialized(self, image_shape: tuple[int, int, int]) -> bytes:
        graph = helper.make_graph(
            self.nodes,
            "image-classification",
            [helper.make_tensor_value_info(INPUT, TensorProto.UINT8, ["count", *image_shape])],
            [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["count", None])],
            self.initializers,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        content: bytes = model.SerializeToString()
        return content


def _planes(channels: np.ndarray) -> np.ndarray:
    """Reshape one number per channel so that it broadcasts over (count, channels, height, width)."""
    return channels.reshape(-1, 1, 1)


def _conv(to: GraphWriter, module: nn.Conv2d, name: str, inputs: Inputs) -> str:
    padding = [int(side) for side in module.padding]
    return to.add(
        "Conv",
        [*inputs, *to.add_weights(name, "weight", "bias")],
        f"value.{name}",
        strides=list(module.stride),
        pads=[*padding, *padding],
        group=module.groups,
    )


def _normalise(to: GraphWriter, module: nn.BatchNorm2d, name: str, inputs: Inputs) -> str:
    arrays = to.add_weights(name, "weight", "bias", "running_mean", "running_var")
    return to.add("BatchNormalization", [*inputs, *arrays], f"value.{name}", epsilon=module.eps)


def _max_pool(to: GraphWriter, module: nn.MaxPool2d, name: str, inputs: Inputs) -> str:
    size, stride, padding = int(module.kernel_size), int(module.stride), int(module.padding)  # type: ignore[arg-type]
    return to.add("MaxPool", inputs, f"value.{name}", kernel_shape=[size] * 2, strides=[stride] * 2, pads=[padding] * 4)


def _linear(to: GraphWriter, _: nn.Linear, name: str, inputs: Inputs) -> str:
    return to.add("Gemm", [*inputs, *to.add_weights(name, "weight", "bias")], f"value.{name}", transB=1)


def _same(_: GraphWriter, __: nn.Module, ___: str, inputs: Inputs) -> str:
    return inputs[0]


def _plain(operation: str) -> Callable[[GraphWriter, nn.Module, str, Inputs], str]:
    return lambda to, _, name, inputs: to.add(operation, inputs, f"value.{name}")


MODULES: dict[type[nn.Module], Callable[[GraphWriter, Any, str, Inputs], str]] = {
    nn.Conv2d: _conv,
    nn.BatchNorm2d: _normalise,
    nn.MaxPool2d: _max_pool,
    nn.Linear: _linear,
    nn.ReLU: _plain("Relu"),
    nn.AdaptiveAvgPool2d: _plain("GlobalAveragePool"),
    nn.Flatten: _plain("Flatten"),
    nn.Identity: _same,
    nn.Dropout: _same,
}
FUNCTIONS = {"add": "Add"}
