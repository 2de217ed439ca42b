"""Runs one training job, from its input folders to its model."""

import platform

import onnx
import torch

from image_classification_algorithm import artifact
from image_classification_algorithm.artifact import Description
from image_classification_algorithm.errors import ClientError
from image_classification_algorithm.folders import Folders
from image_classification_algorithm.job_log import log
from image_classification_algorithm.training import optimization
from image_classification_algorithm.training.batches import SEED
from image_classification_algorithm.training.checkpoints import Checkpoints
from image_classification_algorithm.training.configuration import log_parameters, read_hyperparameters
from image_classification_algorithm.training.distributed import UnkeptModelStore, joined
from image_classification_algorithm.training.epochs import Trainer
from image_classification_algorithm.training.freed_memory import keep_freed_memory
from image_classification_algorithm.training.images import read_splits
from image_classification_algorithm.training.learner import Job, Learner, learner_for
from image_classification_algorithm.training.model_store import ModelStore
from image_classification_algorithm.training.stopping import StopRequest, StopRequestedError
from image_classifier.contracts.training.job_hyperparameters import JobHyperparameters
from image_classifier.contracts.training.machine import usable_cores


def run(folders: Folders, stop: StopRequest) -> None:
    """Train with the hyperparameters and channels of `folders`, and write the model there.

    Raises:
        ClientError: the input or a hyperparameter is wrong.
        AlgorithmError: a package is missing, or the hosts cannot work together.

    """
    hyperparameters = read_hyperparameters(folders)
    device = _prepare_device()
    with joined(folders, device=device) as hosts:
        try:
            train, validation = read_splits(
                folders, hyperparameters=hyperparameters, stop=stop, hosts_here=hosts.on_this_machine
            )
            check_count(len(train), hyperparameters=hyperparameters, hosts=hosts.count)
            hosts.same(len(train), what="the number of training images")
            job = Job(folders, train, validation, hyperparameters, device, stop, hosts)
            learner = learner_for(job)
        except StopRequestedError:
            log.info("The job was stopped before it trained anything: there is no model.")
            return
        log_parameters(hyperparameters, device=device.type, hosts=hosts.count)
        _train(job, learner)


def _train(job: Job, learner: Learner) -> None:
    trainer = _trainer(job, learner)
    checkpoints = Checkpoints(job.folders.checkpoints, trainer, job=_identity(job, learner))
    if job.hosts.is_first:
        trainer.after_epoch = checkpoints.save
    trainer.run(first_epoch=job.hosts.same(checkpoints.resume(), what="the epoch to go on with"))


def _identity(job: Job, learner: Learner) -> dict[str, str]:
    """Return the properties that must be equal for a job to continue from another one's checkpoint."""
    return {
        **job.hyperparameters.as_strings(),
        "network": learner.network,
        "parent": learner.parent_sha256,
        "train": job.train.digest,
        "validation": job.validation.digest,
    }


def _trainer(job: Job, learner: Learner) -> Trainer:
    given = job.hyperparameters
    return Trainer(
        net=learner.net,
        optimizer=optimization.optimizer_for(learner.net, given),
        loss=optimization.loss_for(given, labels=job.train.labels, device=job.device),
        batches=learner.batches,
        hyperparameters=given,
        device=job.device,
        store=(ModelStore if job.hosts.is_first else UnkeptModelStore)(
            folder=job.folders.model,
            description=_description(given, network=learner.network),
            graph=learner.graph,
            checkpoint_frequency=given.checkpoint_frequency,
        ),
        stop=job.stop,
        hosts=job.hosts,
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
    """Seed the random numbers, set one thread per core and keep freed memory; return the device."""
    torch.manual_seed(SEED)
    keep_freed_memory()
    torch.set_num_threads(usable_cores())
    log.info("Setting number of threads: %d", usable_cores())
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def check_count(images: int, *, hyperparameters: JobHyperparameters, hosts: int) -> None:
    """Log a warning if the channel has another number of images than ``num_training_samples``.

    Raises:
        ClientError: there are fewer images than one batch of all hosts takes.

    """
    if images != hyperparameters.num_training_samples:
        log.warning(
            "num_training_samples is %d, but the train channel has %d images that can be used; "
            "the learning rate steps count epochs of those.",
            hyperparameters.num_training_samples,
            images,
        )
    if images < hyperparameters.mini_batch_size * hosts:
        times = f" times the {hosts} hosts" if hosts > 1 else ""
        raise ClientError(
            f"The number of input images must be bigger or equal to the mini_batch_size{times}. "
            f"There are {images}, and mini_batch_size is {hyperparameters.mini_batch_size}: lower it."
        )
