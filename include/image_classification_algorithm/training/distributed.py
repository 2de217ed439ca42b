"""Trains one network on several hosts: each computes its share of every batch, then the gradients are averaged.

The first host validates, keeps the model and sends the accuracy to the others, so that all of them end together.
With one host nothing in this module has an effect.
"""

import contextlib
import json
import math
import os
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from image_classification_algorithm.artifact import Description
from image_classification_algorithm.errors import AlgorithmError
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.job_log import log
from image_classification_algorithm.training.model_store import ModelStore, Score
from image_classification_algorithm.training.stopping import StopRequest, StopRequestedError

# On AWS the hosts' names resolve. The local AWS runs all of them on one machine and gives them a folder to meet in.
MEETING_FOLDER_VARIABLE = "SAGEMAKER_LOCAL_HOSTS_FOLDER"
PORT = 29500
PATIENCE = timedelta(hours=1)  # the others wait while the first host validates
WAIT_S = 1.0
# What frees the group waits for gloo's threads, of which one may be freeing a tensor; it needs the interpreter's lock
# for that, which DistributedDataParallel holds while it frees the group. So the group stays until the process ends.
_KEPT = list[Any]()


@dataclass(frozen=True)
class Hosts:
    """The hosts of the job, and which of them this one is; `on_this_machine` is how many share its cores and memory."""

    rank: int = 0
    count: int = 1
    device: torch.device | None = None
    on_this_machine: int = 1

    @property
    def is_first(self) -> bool:
        """Return whether this host validates, logs and keeps the model."""
        return self.rank == 0

    def share(self, positions: Sequence[int]) -> list[int]:
        """Return this host's part of the image positions of a batch."""
        return list(positions[self.rank :: self.count])

    def parallel(self, net: nn.Module) -> nn.Module:
        """Wrap the network so that its gradients are averaged over all hosts."""
        return net if self.count == 1 else DistributedDataParallel(net)

    def check(self, stop: StopRequest) -> None:
        """Raise on every host if any of them was asked to stop; the requests arrive at slightly different times."""
        if self.count == 1:
            stop.check()
        elif self.any(stop.requested):
            raise StopRequestedError

    def any(self, here: bool) -> bool:
        """Return whether `here` is true on any host."""
        return here if self.count == 1 else bool(self._greatest([float(here)])[0])

    def same(self, value: int, *, what: str) -> int:
        """Return the value if all hosts have it.

        Raises:
            AlgorithmError: they differ, so the hosts would not train the same network.

        """
        if self.count > 1:
            most, least = self._greatest([float(value), -float(value)])
            if most != -least:
                raise AlgorithmError(f"The hosts of the job differ in {what}: from {-least:.0f} to {most:.0f}.")
        return value

    def from_first(self, make: Callable[[], Score]) -> Score:
        """Return what `make` returns on the first host, on all hosts; a stop request to the first host stops all."""
        if self.count == 1:
            return make()
        score = Score(math.nan, math.nan)
        if self.is_first:
            with contextlib.suppress(StopRequestedError):
                score = make()
        told = self._tensor([score.accuracy, score.loss])
        with _together():
            distributed.broadcast(told, src=0)
        score = Score(*told.tolist())
        if math.isnan(score.accuracy):
            raise StopRequestedError
        return score

    def _greatest(self, values: list[float]) -> list[float]:
        found = self._tensor(values)
        with _together():
            distributed.all_reduce(found, op=distributed.ReduceOp.MAX)
        return found.tolist()

    def _tensor(self, values: list[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float64, device=self.device)


ALONE = Hosts()


class UnkeptModelStore(ModelStore):
    """The model store of every host but the first: it keeps no model and records whether the first host has one."""

    def offer(self, *, epoch: int, score: Score) -> None:  # noqa: ARG002  # the names are the store's
        """Record that the first host has a model."""
        self.best = self.description

    def rescue(self, *, epoch: int) -> None:
        """Do nothing: the first host saves a model."""

    def restore(self, asked_for: list[Path]) -> None:
        """Do nothing: the first host restores them."""

    def restore_best(self, description: Description, *, score: Score, graph: bytes) -> None:  # noqa: ARG002
        """Record that the first host has restored the best model."""
        self.best = description


@contextlib.contextmanager
def joined(folders: Folders, *, device: torch.device, environ: Mapping[str, str] = os.environ) -> Iterator[Hosts]:
    """Connect to the other hosts of the job, if there are any.

    Raises:
        AlgorithmError: a host cannot be reached.

    """
    resources = _resources(folders)
    names = sorted(resources.get("hosts", []))
    if len(names) < 2:
        yield ALONE
        return
    folder = environ.get(MEETING_FOLDER_VARIABLE)
    hosts = Hosts(names.index(resources["current_host"]), len(names), device, len(names) if folder else 1)
    _meet(hosts, names=names, interface=resources.get("network_interface_name"), folder=folder)
    log.info("This is %s, host %d of %d.", resources["current_host"], hosts.rank + 1, hosts.count)
    if not hosts.is_first:
        log.info("%s logs the progress, validates, and stores the model.", names[0])
        log.setLevel("WARNING")
    try:
        yield hosts
    finally:
        distributed.destroy_process_group()


def _resources(folders: Folders) -> dict[str, Any]:
    """Return the content of resourceconfig.json; a job that is started by hand has none."""
    if not folders.resource_config.is_file():
        return {}
    content: dict[str, Any] = json.loads(folders.resource_config.read_bytes())
    return content


def _meet(hosts: Hosts, *, names: list[str], interface: str | None, folder: str | None) -> None:
    for variable in ("GLOO_SOCKET_IFNAME", "NCCL_SOCKET_IFNAME"):
        if interface:
            os.environ.setdefault(variable, interface)
    if folder:
        address = f"file://{Path(folder).absolute()}/meeting"
        torch.set_num_threads(max(1, torch.get_num_threads() // hosts.on_this_machine))
    else:
        wait_for_name(names[0])
        address = f"tcp://{names[0]}:{PORT}"
    backend = "nccl" if hosts.device and hosts.device.type == "cuda" else "gloo"
    with _together():
        distributed.init_process_group(
            backend, init_method=address, rank=hosts.rank, world_size=hosts.count, timeout=PATIENCE
        )
    _KEPT.append(distributed.group.WORLD)


def wait_for_name(host: str) -> None:
    """Wait until the host's name resolves; SageMaker's documentation says that it may take a moment after the start."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while True:
        try:
            socket.getaddrinfo(host, PORT)
        except OSError as error:
            if time.monotonic() > deadline:
                raise AlgorithmError(f"The host {host} of this job cannot be found: {error}.") from error
            time.sleep(WAIT_S)
        else:
            return


@contextlib.contextmanager
def _together() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # PyTorch's errors of communication
        raise AlgorithmError(f"A host of this job is gone, or does not answer: {error}") from error
