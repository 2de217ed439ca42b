"""The endpoint's time for one 500 x 375 JPEG at 224 pixels, one client.

Against PyTorch eager with Pillow in this process (at least 1.7 times as fast; p99 below 1.5 times p50), and against
ONNX Runtime and the decoder by themselves. They take turns of ten images, each after a rest: threads of the side before
spin for a while after its last image, and what else the machine does falls on all.

    PYTHONPATH=include:. .venv/local-aws/bin/python tests/benchmarks/serve_one_image.py [JPEG [RUNS]]
"""

import io
import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
from endpoint import CLASSES, SIDE_PX, Answer, bare, over_http, served_resnet, session_of
from measured import load
from PIL import Image
from plain_pytorch import network, normalised, pixels

IMAGES_A_TURN, REST_S = 10, 0.2


def photograph() -> bytes:
    """Something with the entropy of a photograph, if none is given."""
    noise = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((500, 375), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


def pytorch(num_layers: int) -> Answer:
    """Pillow, eager, NCHW."""
    net = network(num_layers, num_classes=CLASSES).eval()

    def answer(data: bytes) -> object:
        with torch.inference_mode():
            return torch.softmax(net(normalised(pixels(data, side_px=SIDE_PX)[None])), 1).tolist()

    return answer


def milliseconds(answer: Answer, data: bytes) -> float:
    started = time.perf_counter()
    answer(data)
    return (time.perf_counter() - started) * 1000


def a_turn(answer: Answer, data: bytes) -> list[float]:
    """Rest, one image to wake up, and the milliseconds of the others."""
    time.sleep(REST_S)
    answer(data)
    return [milliseconds(answer, data) for _ in range(IMAGES_A_TURN)]


def compare(num_layers: int, data: bytes, *, runs: int) -> None:
    """Measure one network."""
    with served_resnet(num_layers) as endpoint:
        sides = {
            "endpoint": over_http(endpoint.port),
            "PyTorch eager": pytorch(num_layers),
            "bare ONNX Runtime": bare(session_of(num_layers)),
        }
        turns = [[a_turn(answer, data) for answer in sides.values()] for _ in range(1 + runs // IMAGES_A_TURN)]
    times = np.array(turns[1:])  # turn, side, image; the first turn warms up
    medians = np.median(times, axis=2)
    for side, name in enumerate(sides):
        p50, p99 = np.percentile(times[:, side], [50, 99])
        ratio = np.median(medians[:, side] / medians[:, 0])
        print(f"ResNet-{num_layers} {name:17} p50 {p50:6.1f} ms  p99 {p99:6.1f} ms  p99/p50 {p99 / p50:.2f}  ", end="")
        print(f"endpoint is {ratio:.2f} times as fast")


if __name__ == "__main__":
    image = Path(sys.argv[1]).read_bytes() if len(sys.argv) > 1 else photograph()
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    for layers in (18, 50):
        compare(layers, image, runs=int(sys.argv[2]) if len(sys.argv) > 2 else 200)
    print(f"{len(image)} bytes, {load()}")
