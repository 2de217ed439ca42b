"""An endpoint's container for the benchmarks, in a process of its own; and a ResNet for 224 pixels to serve."""

import contextlib
import http.client
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from tests.ports import free_port
from training_job import INCLUDE

from image_classification_algorithm import artifact, decoding
from image_classification_algorithm.artifact import Description
from image_classification_algorithm.inference import Session, quick_session
from image_classification_algorithm.networks.onnx_graph import IMAGENET, onnx_model
from image_classification_algorithm.networks.onnx_names import INPUT, OUTPUT
from image_classification_algorithm.networks.resnet import resnet

SIDE_PX, CLASSES = 224, 10
Answer = Callable[[bytes], object]


@dataclass(frozen=True)
class Endpoint:
    """A container that listens."""

    port: int
    pid: int

    def resident_mb(self) -> float:
        """Memory of the process."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def graph(num_layers: int) -> bytes:
    net = resnet(num_layers, num_classes=CLASSES).eval()
    return onnx_model(net, normalisation=IMAGENET, image_size_px=(SIDE_PX, SIDE_PX))


@contextlib.contextmanager
def served_resnet(num_layers: int) -> Iterator[Endpoint]:
    """Serve a network with random weights, which are as fast as any."""
    description = Description(
        "image-classification-0001.params", "resnet", num_layers, CLASSES, f"3,{SIDE_PX},{SIDE_PX}", False, 1, 1, {}
    )
    with tempfile.TemporaryDirectory() as base:
        artifact.write(Path(base) / "model", description, graph=graph(num_layers))
        with served(Path(base)) as endpoint:
            yield endpoint


@contextlib.contextmanager
def served(base: Path) -> Iterator[Endpoint]:
    """Serve what a job left: start, wait until it answers, end."""
    port = free_port()
    environ = {"PYTHONPATH": str(INCLUDE), "SAGEMAKER_BASE_DIR": str(base), "SAGEMAKER_BIND_TO_PORT": str(port)}
    command = [sys.executable, "-m", "image_classification_algorithm", "serve"]
    with subprocess.Popen(command, env={**os.environ, **environ}, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(port)
            yield Endpoint(port, process.pid)
        finally:
            process.terminate()


def over_http(port: int) -> Callable[[bytes], tuple[int, bytes]]:
    """One client's connection, kept open as long as the server does: status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def once(data: bytes) -> tuple[int, bytes]:
        connection.request("POST", "/invocations", data, {"Content-Type": "application/x-image"})
        response = connection.getresponse()
        return response.status, response.read()

    def answer(data: bytes) -> tuple[int, bytes]:
        try:
            return once(data)
        except (ConnectionError, http.client.RemoteDisconnected):  # idle for longer than the server waits
            connection.close()
            return once(data)

    return answer


def bare(session: Session) -> Answer:
    """Decode, resize, run: what cannot be left out."""

    def answer(data: bytes) -> object:
        pixels = decoding.decode(data, min_height=SIDE_PX, min_width=SIDE_PX)
        resized = Image.fromarray(pixels).resize((SIDE_PX, SIDE_PX), Image.Resampling.BILINEAR)
        return session.run([OUTPUT], {INPUT: np.asarray(resized)[None]})

    return answer


def session_of(num_layers: int) -> Session:
    return quick_session(graph(num_layers))


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
