"""One training job from its folders to its model: the order of the story."""

import platform

import onnx
import torch
from torch import nn

from image_classification_algorithm import artifact
from image_classification_algorithm.artifact import Description
from image_classification_algorithm.cores import usable_cores
from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.job_log import log
from image_classification_algorithm.networks.onnx_graph import IMAGENET, onnx_model
from image_classification_algorithm.networks.resnet import resnet
from image_classification_algorithm.training import optimization
from image_classification_algorithm.training.batches import SEED, ImageBatches
from image_classification_algorithm.training.configuration import log_parameters, read_hyperparameters
from image_classification_algorithm.training.epochs import Trainer
from image_classification_algorithm.training.images import Images, read_split
from image_classification_algorithm.training.model_store import ModelStore
from image_classification_algorithm.training.stopping import StopRequest, StopRequestedError
from image_classifier.hyperparameters import JobHyperparameters


def run(folders: Folders, stop: StopRequest) -> None:
    """Train what the folders ask for, and leave the model there.

    Raises:
        ClientError: the input has to be changed first.

    """
    hyperparameters = read_hyperparameters(folders)
    device = _prepare_device()
    try:
        train = read_split(folders, "train", hyperparameters=hyperparameters, stop=stop)
        validation = read_split(folders, "validation", hyperparameters=hyperparameters, stop=stop)
    except StopRequestedError:
        log.info("The job was stopped before it trained anything: there is no model.")
        return
    _check_counts(train, hyperparameters=hyperparameters)
    log_parameters(hyperparameters, device=device.type)
    _trainer(folders, train, validation, hyperparameters=hyperparameters, device=device, stop=stop).run()


def _trainer(
    folders: Folders,
    train: Images,
    validation: Images,
    *,
    hyperparameters: JobHyperparameters,
    device: torch.device,
    stop: StopRequest,
) -> Trainer:
    net = resnet(hyperparameters.num_layers, num_classes=hyperparameters.num_classes).to(device)
    return Trainer(
        net=net,
        optimizer=optimization.optimizer_for(net, hyperparameters),
        loss=optimization.loss_for(hyperparameters, labels=train.labels, device=device),
        batches=ImageBatches(train, validation, hyperparameters, IMAGENET, device),
        hyperparameters=hyperparameters,
        device=device,
        store=_store(folders, net, hyperparameters),
        stop=stop,
    )


def _store(folders: Folders, net: nn.Module, hyperparameters: JobHyperparameters) -> ModelStore:
    size = (hyperparameters.height, hyperparameters.width)
    last = "Sigmoid" if hyperparameters.multi_label else "Softmax"
    return ModelStore(
        folder=folders.model,
        description=_description(hyperparameters, network="resnet"),
        graph=lambda: onnx_model(net, normalisation=IMAGENET, image_size_px=size, last=last),
        checkpoint_frequency=hyperparameters.checkpoint_frequency,
    )


def _description(hyperparameters: JobHyperparameters, *, network: str) -> Description:
    return Description(
        params=artifact.params_file(0),
        network=network,
        num_layers=hyperparameters.num_layers,
        num_classes=hyperparameters.num_classes,
        image_shape=hyperparameters.image_shape,
        multi_label=hyperparameters.multi_label,
        epoch=0,
        validation_accuracy=None,
        made_by={"python": platform.python_version(), "torch": str(torch.__version__), "onnx": onnx.__version__},
    )


def _prepare_device() -> torch.device:
    """The same random numbers in every job, and as many threads as there are cores."""
    torch.manual_seed(SEED)
    torch.set_num_threads(usable_cores())
    log.info("Setting number of threads: %d", usable_cores())
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _check_counts(train: Images, *, hyperparameters: JobHyperparameters) -> None:
    if len(train) != hyperparameters.num_training_samples:
        log.warning(
            "num_training_samples is %d, but the train channel has %d images that can be used; "
            "the learning rate steps count epochs of those.",
            hyperparameters.num_training_samples,
            len(train),
        )
    if len(train) < hyperparameters.mini_batch_size:
        raise ClientError("The number of input images must be bigger or equal to the mini_batch_size.")
