"""The endpoint's time for one 500 x 375 JPEG at 224 pixels, against ONNX Runtime and the decoder by themselves.

Both are measured in turn in one run, so that whatever else the machine does falls on both.

    PYTHONPATH=include .venv/local-aws/bin/python tests/benchmarks/serve_one_image.py [JPEG]
"""

import http.client
import io
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import simplejpeg
from PIL import Image
from training_job import INCLUDE

from image_classification_algorithm import artifact
from image_classification_algorithm.artifact import Description
from image_classification_algorithm.networks.onnx_graph import IMAGENET, onnx_model
from image_classification_algorithm.networks.resnet import resnet

RUNS = 200
SIDE_PX = 224


def photograph() -> bytes:
    """Something with the entropy of a photograph, if none is given."""
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((500, 375), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def bare(graph: bytes) -> Callable[[bytes], object]:
    """Decode, resize, run: what cannot be left out."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    session = onnxruntime.InferenceSession(graph, options)

    def answer(data: bytes) -> object:
        pixels = simplejpeg.decode_jpeg(data, fastdct=True, fastupsample=True, min_height=SIDE_PX, min_width=SIDE_PX)
        resized = Image.fromarray(pixels).resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
        return session.run(None, {"image": np.asarray(resized)[None]})

    return answer


def over_http(port: int) -> Callable[[bytes], object]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def answer(data: bytes) -> object:
        connection.request("POST", "/invocations", data, {"Content-Type": "application/x-image"})
        return connection.getresponse().read()

    return answer


def milliseconds(answer: Callable[[bytes], object], data: bytes) -> float:
    started = time.perf_counter()
    answer(data)
    return (time.perf_counter() - started) * 1000


def compare(num_layers: int, data: bytes) -> None:
    """Measure one network."""
    description = Description(
        "image-classification-0001.params", "resnet", num_layers, 10, "3,224,224", False, 1, 1, {}
    )
    graph = onnx_model(
        resnet(num_layers, num_classes=10).eval(), normalisation=IMAGENET, image_size_px=(SIDE_PX, SIDE_PX)
    )
    with tempfile.TemporaryDirectory() as base, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        artifact.write(Path(base) / "model", description, graph=graph)
        probe.close()
        environ = {"PYTHONPATH": str(INCLUDE), "SAGEMAKER_BASE_DIR": base, "SAGEMAKER_BIND_TO_PORT": str(port)}
        command = [sys.executable, "-m", "image_classification_algorithm", "serve"]
        with subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL) as server:
            try:
                _wait(port)
                _measure(num_layers, data, bare=bare(graph), served=over_http(port), port=port)
            finally:
                server.terminate()


def _measure(
    num_layers: int, data: bytes, *, bare: Callable[[bytes], object], served: Callable[[bytes], object], port: int
) -> None:
    for _ in range(10):
        bare(data), served(data)
    pairs = [(milliseconds(bare, data), milliseconds(served, data)) for _ in range(RUNS)]
    for name, quantile in (("p50", 50), ("p99", 99)):
        ours, theirs = (float(np.percentile([pair[side] for pair in pairs], quantile)) for side in (1, 0))
        print(f"ResNet-{num_layers} {name}: endpoint {ours:.1f} ms, bare {theirs:.1f} ms, ratio {ours / theirs:.2f}")
    print(f"ResNet-{num_layers} median of the pairs' ratios {np.median([ours / theirs for theirs, ours in pairs]):.2f}")
    started = time.perf_counter()
    with ThreadPoolExecutor(8, initializer=lambda: None) as threads:
        list(threads.map(lambda _: over_http(port)(data), range(RUNS)))
    print(f"ResNet-{num_layers} 8 clients: {RUNS / (time.perf_counter() - started):.0f} images/s")


def _wait(port: int) -> None:
    while True:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port)
            connection.request("GET", "/ping")
            connection.getresponse()
        except ConnectionRefusedError:
            time.sleep(0.05)
        else:
            return


if __name__ == "__main__":
    image = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else photograph()
    print(f"{len(image)} bytes, load {os.getloadavg()[0]:.1f}")
    for layers in (18, 50):
        compare(layers, image)
