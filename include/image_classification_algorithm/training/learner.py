"""Chooses what is trained: a whole ResNet on images, or a last layer on the features of a pretrained network."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from torch import Tensor, nn

from image_classification_algorithm import artifact
from image_classification_algorithm.artifact import Artifact
from image_classification_algorithm.decoding import GREY_CHANNELS
from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.job_log import log
from image_classification_algorithm.networks import efficientnet
from image_classification_algorithm.networks.onnx_graph import GREY, IMAGENET, Backbone, onnx_model, weights
from image_classification_algorithm.networks.resnet import resnet, smallest_map_px
from image_classification_algorithm.training.batches import ImageBatches
from image_classification_algorithm.training.distributed import ALONE, Hosts
from image_classification_algorithm.training.epochs import Batches
from image_classification_algorithm.training.features import feature_batches
from image_classification_algorithm.training.images import Images
from image_classification_algorithm.training.stopping import StopRequest
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters

DROPOUT = 0.2
PARENT_CHANNEL = "model"


@dataclass(frozen=True)
class Learner:
    """A network to train, its batches, and the function that writes its model."""

    network: str
    net: nn.Module
    batches: Batches
    graph: Callable[[], bytes]
    parent_sha256: str = ""


@dataclass(frozen=True)
class Job:
    """The inputs of every learner."""

    folders: Folders
    train: Images
    validation: Images
    hyperparameters: JobHyperparameters
    device: torch.device
    stop: StopRequest
    hosts: Hosts = ALONE

    @property
    def image_size_px(self) -> tuple[int, int]:
        return self.hyperparameters.height, self.hyperparameters.width

    @property
    def last(self) -> str:
        return "Sigmoid" if self.hyperparameters.multi_label else "Softmax"


def learner_for(job: Job) -> Learner:
    """Choose the learner by use_pretrained_model, or by the parent model in the model channel, whose weights it loads.

    Raises:
        ClientError: this job cannot continue from the parent model.

    """
    parent = _parent(job)
    if parent is None:
        log.info("use_pretrained_model: %d", job.hyperparameters.use_pretrained_model)
        return _pretrained(job) if job.hyperparameters.use_pretrained_model else _from_scratch(job)
    log.info("Incremental training: starting from %s", parent.description.params)
    learner = _pretrained(job) if parent.description.network == efficientnet.NETWORK else _from_scratch(job)
    _load(learner.net, _weights(parent))
    return replace(learner, parent_sha256=hashlib.sha256(parent.graph).hexdigest())


def _from_scratch(job: Job) -> Learner:
    given = job.hyperparameters
    _check_normalisation(given)
    net = resnet(given.num_layers, num_classes=given.num_classes, channels=given.channels).to(job.device)
    normalisation = GREY if given.channels == GREY_CHANNELS else IMAGENET
    return Learner(
        network="resnet",
        net=net,
        batches=ImageBatches(job.train, job.validation, given, normalisation, job.device, job.hosts),
        graph=lambda: onnx_model(net, normalisation=normalisation, image_size_px=job.image_size_px, last=job.last),
    )


def _check_normalisation(hyperparameters: JobHyperparameters) -> None:
    """Refuse batches that give one number per channel, of which batch normalisation computes no variance."""
    given = hyperparameters
    if given.mini_batch_size == 1 and smallest_map_px(given.num_layers, height=given.height, width=given.width) == 1:
        raise ClientError(
            f"mini_batch_size 1 cannot be trained with image_shape {given.image_shape}: the last layers of ResNet-"
            f"{given.num_layers} see a single pixel of it. Make mini_batch_size 2 or more, or the images larger."
        )


def _pretrained(job: Job) -> Learner:
    """Return a learner that trains only the last layer, which starts at zero, on frozen features."""
    log.info(
        "A frozen EfficientNet-Lite0 (ImageNet) stands where the built-in algorithm has its pretrained ResNet-%d; "
        "only the last layer is trained.",
        job.hyperparameters.num_layers,
    )
    backbone = Backbone(efficientnet.pretrained_state(), efficientnet.add_features)
    linear = nn.Linear(efficientnet.NUM_FEATURES, job.hyperparameters.num_classes)
    nn.init.zeros_(linear.weight)
    nn.init.zeros_(linear.bias)
    net = nn.Sequential(nn.Dropout(DROPOUT), linear).to(job.device)

    def graph(net: nn.Module = net, last: str | None = job.last) -> bytes:
        size = job.image_size_px
        pixels = efficientnet.NORMALISATION
        return onnx_model(net, normalisation=pixels, image_size_px=size, last=last, backbone=backbone)

    batches = feature_batches(
        graph(nn.Identity(), None),
        job.train,
        job.validation,
        hyperparameters=job.hyperparameters,
        device=job.device,
        stop=job.stop,
        hosts=job.hosts,
    )
    return Learner(network=efficientnet.NETWORK, net=net, batches=batches, graph=graph)


def _parent(job: Job) -> Artifact | None:
    """Return the model in the model channel, or None; raise ClientError if it does not fit this job."""
    channel = job.folders.channel(PARENT_CHANNEL)
    if not channel.is_dir():
        return None
    parent, given = artifact.read(channel), job.hyperparameters
    for name in ("num_layers", "image_shape", "num_classes", "multi_label"):
        theirs, ours = getattr(parent.description, name), getattr(given, name)
        if theirs != ours:
            raise ClientError(f"The model in the {PARENT_CHANNEL} channel has {name} {theirs}; this job has {ours}.")
    return parent


def _weights(parent: Artifact) -> dict[str, np.ndarray]:
    try:
        return weights(parent.graph)
    except DecodeError as error:
        raise ClientError(
            f"The model in the {PARENT_CHANNEL} channel is damaged: {parent.description.params} cannot be read."
        ) from error


def _load(net: nn.Module, read: dict[str, np.ndarray]) -> None:
    """Load the weights of a graph, which holds all but the batch counters; those are not used here."""
    state: dict[str, Tensor] = net.state_dict()
    found = {name: torch.tensor(read[name]) for name in state if name in read}
    missing = [name for name in state if name not in read and not name.endswith("num_batches_tracked")]
    if missing:
        raise ClientError(f"The model in the {PARENT_CHANNEL} channel lacks {missing[0]}; train without it.")
    net.load_state_dict(found, strict=False)
