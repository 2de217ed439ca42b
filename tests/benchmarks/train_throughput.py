"""Training throughput against a plain PyTorch loop (NCHW, Pillow) on the same network and images: at least 1.2 times.

PYTHONPATH=include .venv/local-aws/bin/python tests/benchmarks/train_throughput.py [FOLDER [ROUNDS]]

Without a folder it trains ResNet-20 on digits of 28 pixels; with a folder of photographs per class ResNet-18 at 224.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as `train` sets it; both sides run in this process

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from measured import in_turn, load
from plain_pytorch import batches, network
from torch import nn
from train_digits import digits
from training_job import by_class, prepare_job

from image_classification_algorithm.folders import Folders
from image_classification_algorithm.training import optimization
from image_classification_algorithm.training.configuration import read_hyperparameters
from image_classification_algorithm.training.images import Images, cache_bytes, read_split
from image_classification_algorithm.training.job import Job, learner_for
from image_classification_algorithm.training.stopping import StopRequest
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters

BATCHES_A_TURN = 4


def ours(train: Images, given: JobHyperparameters) -> Callable[[], int]:
    """Steps of a real job: its own learner, batches and optimizer."""
    learner = learner_for(Job(Folders(Path("nowhere")), train, train, given, torch.device("cpu"), StopRequest()))

    def endless():
        epoch = 0
        while True:
            yield from learner.batches.training(epoch)
            epoch += 1

    return _steps(learner.net, endless(), given)


def theirs(train: Images, given: JobHyperparameters) -> Callable[[], int]:
    """The same steps, written as anybody would."""
    images = [(e.read(), int(label)) for e, label in zip(train.examples, train.labels, strict=True)]
    net = network(given.num_layers, num_classes=given.num_classes)
    return _steps(net, batches(images, side_px=given.width, batch_size=given.mini_batch_size), given)


def _steps(net: nn.Module, source, given: JobHyperparameters) -> Callable[[], int]:
    optimizer, loss = optimization.optimizer_for(net, given), nn.CrossEntropyLoss()
    net.train()

    def work() -> int:
        for _ in range(BATCHES_A_TURN):
            inputs, labels = next(source)
            optimizer.zero_grad(set_to_none=True)
            loss(net(inputs), labels).backward()
            optimizer.step()
        return BATCHES_A_TURN * given.mini_batch_size

    return work


if __name__ == "__main__":
    photographs = by_class(Path(sys.argv[1])) if len(sys.argv) > 1 and sys.argv[1] else None
    side_px, layers, size = (224, "18", "16") if photographs else (28, "20", "64")
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 9
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory() as base:
        values = {"num_layers": layers, "mini_batch_size": size, "optimizer": "nag", "learning_rate": "0.01"}
        prepare_job(Path(base), photographs or digits(), side_px=side_px, hyperparameters=values)
        given = read_hyperparameters(Folders(Path(base)))
        train = read_split(
            Folders(Path(base)), "train", hyperparameters=given, stop=StopRequest(), room_bytes=cache_bytes()
        )
        mine, other, ratio = in_turn(ours(train, given), theirs(train, given), rounds=rounds)
    print(f"ResNet-{layers} at {side_px} px, batches of {size}: {mine:.1f} images/s, plain PyTorch {other:.1f}")
    print(f"ratio {ratio:.2f} (median of {rounds} rounds; {load()})")
