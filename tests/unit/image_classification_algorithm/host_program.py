"""Runs one host of a job that fits a line to numbers, for test_distributed.py."""

import atexit
import json
import os
import sys
from pathlib import Path

import torch
from torch import distributed, nn

from image_classification_algorithm import job_log
from image_classification_algorithm.__main__ import end
from image_classification_algorithm.artifact import Description
from image_classification_algorithm.errors import JobError
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.training.batches import shuffled_batches
from image_classification_algorithm.training.distributed import UnkeptModelStore, joined
from image_classification_algorithm.training.epochs import Trainer
from image_classification_algorithm.training.model_store import ModelStore
from image_classification_algorithm.training.stopping import StopRequest
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters

COUNT = 24


class Numbers:
    """Two numbers each; class 1 where the first is greater."""

    def __init__(self, hosts, *, batch_size):
        self.inputs = torch.randn(COUNT, 2, generator=torch.Generator().manual_seed(1))
        self.labels = (self.inputs[:, 0] > self.inputs[:, 1]).long()
        self.hosts, self.batch_size = hosts, batch_size

    def training(self, epoch):
        for positions in shuffled_batches(COUNT, batch_size=self.batch_size, epoch=epoch, hosts=self.hosts):
            yield self.inputs[positions], self.labels[positions]

    def validating(self):
        yield self.inputs, self.labels


def train(given):
    folders, stop = Folders.from_env(), StopRequest()
    hyperparameters = JobHyperparameters.model_validate({"num_classes": 2, "num_training_samples": 100, "epochs": 3})
    with joined(folders, device=torch.device("cpu")) as hosts:
        hosts.same(given.get("images", {}).get(str(hosts.rank), COUNT), what="the number of training images")
        torch.manual_seed(given.get("seeds", {}).get(str(hosts.rank), 0))
        net = nn.Linear(2, 2)
        trainer = Trainer(
            net=net,
            optimizer=torch.optim.SGD(net.parameters(), 0.5),
            loss=nn.CrossEntropyLoss(),
            batches=Numbers(hosts, batch_size=given["batch_size"]),
            hyperparameters=hyperparameters,
            device=torch.device("cpu"),
            store=(ModelStore if hosts.is_first else UnkeptModelStore)(
                folders.model, Description("", "linear", 0, 2, "3,8,8", False, 0, None, {}), lambda: b"graph"
            ),
            stop=stop,
            hosts=hosts,
        )
        if given.get("stops") == hosts.rank:
            trainer.after_epoch = lambda epoch: setattr(stop, "requested", epoch == given["after"])
        if given.get("dies") == hosts.rank:
            trainer.after_epoch = lambda _: os._exit(3)
        trainer.run()
        for _ in range(given.get("pending", 0)):  # tensors that gloo's thread will free
            distributed.all_reduce(torch.ones(100), async_op=True)
    weights = {name: value.tolist() for name, value in net.state_dict().items()}
    print(json.dumps({"weights": weights, "files": sorted(file.name for file in folders.model.iterdir())}))


def main():
    """Train; return the exit status."""
    job_log.configure()
    torch.set_num_threads(1)
    atexit.register(print, "Python ends, and may find gloo's thread freeing a tensor.", file=sys.stderr)
    try:
        train(json.loads((Path(os.environ["SAGEMAKER_BASE_DIR"]) / "given.json").read_text()))
    except JobError as error:
        print(f"{error.prefix}: {error}", file=sys.stderr)
        return 1
    return 0


end(main())
