"""Writes a model artifact of an untrained ResNet-20 for 20 pixels, which is as fast as a trained one.

PYTHONPATH=include .venv/local-aws/bin/python tests/benchmarks/served_model.py FILE
"""

import sys
import tarfile
import tempfile
from pathlib import Path

from image_classification_algorithm import artifact
from image_classification_algorithm.artifact import Description
from image_classification_algorithm.networks.onnx_graph import IMAGENET, onnx_model
from image_classification_algorithm.networks.resnet import resnet

NUM_LAYERS, CLASSES, SIDE_PX = 20, 10, 20


def main(file: Path) -> None:
    """Write model.tar.gz."""
    net = resnet(NUM_LAYERS, num_classes=CLASSES).eval()
    graph = onnx_model(net, normalisation=IMAGENET, image_size_px=(SIDE_PX, SIDE_PX))
    shape = f"3,{SIDE_PX},{SIDE_PX}"
    params = "image-classification-0001.params"
    description = Description(params, "resnet", NUM_LAYERS, CLASSES, shape, False, 1, None, {})
    with tempfile.TemporaryDirectory() as temporary:
        artifact.write(Path(temporary), description, graph=graph)
        with tarfile.open(file, "w:gz") as tar:
            for path in sorted(Path(temporary).iterdir()):
                tar.add(path, path.name)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
